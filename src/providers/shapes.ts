/** What a field must be: of a kind, one of some texts, or an object with such members; one with `?` may be missing, and `*` stands for every one. */
export type Shape =
  | 'text'
  | 'flag'
  | 'number'
  | 'texts'
  | 'numbers'
  | 'objects'
  | 'object'
  | readonly string[]
  | { readonly [member: string]: Shape };

/**
 * What is wrong with the shape of a field, by its name; undefined when nothing is. The compiler says so to those who have one; others, and JSON, would
 * hear of it as a fault of ours, or not at all.
 */
export function faultyShape(name: string, value: unknown, shape: Shape): string | undefined {
  if (typeof shape === 'string')
    return isOfKind(value, shape) ? undefined : `${name} must be ${WORDS[shape]}`;
  if (isOneOf(shape)) {
    const isKnown = typeof value === 'string' && shape.includes(value);
    return isKnown ? undefined : `${name} must be one of ${shape.join(', ')}`;
  }
  if (!isObject(value)) return `${name} must be an object`;
  for (const [key, inner] of Object.entries(shape)) {
    for (const member of key === '*' ? Object.keys(value) : [key.replace('?', '')]) {
      if (value[member] === undefined && key !== member) continue;
      const fault = faultyShape(`${name}.${member}`, value[member], inner);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

type Kind = Extract<Shape, string>;

const WORDS: Readonly<Record<Kind, string>> = {
  text: 'text',
  flag: 'true or false',
  number: 'a number',
  texts: 'a list of texts',
  numbers: 'a list of numbers',
  objects: 'a list of objects',
  object: 'an object',
};

function isOfKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'flag':
      return typeof value === 'boolean';
    case 'number':
      return typeof value === 'number';
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    case 'numbers':
      return Array.isArray(value) && value.every((one) => typeof one === 'number');
    case 'objects':
      return Array.isArray(value) && value.every(isObject);
    case 'object':
      return isObject(value);
  }
}

function isOneOf(shape: Exclude<Shape, string>): shape is readonly string[] {
  return Array.isArray(shape);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
