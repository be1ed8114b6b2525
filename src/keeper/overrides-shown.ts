/** Their values go into requests as they are, and may be keys. */
const HIDDEN = /^(?:api\.headers|authorizationParameters|tokenParameters)\./;

/** What a registration overrides of its profile, flat, fit to be shown: the token endpoint has a member of its own, and what may be secret is left out. */
export function overridesShown(
  overrides: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string | number | boolean>> {
  const { tokenEndpoint: _, ...rest } = overrides;
  return Object.fromEntries(flat(rest, ''));
}

type Member = readonly [string, string | number | boolean];

function flat(value: unknown, path: string): readonly Member[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'number' || typeof value === 'boolean') return [[path, value]];
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object') return [];
  if (Array.isArray(value) && value.every((part) => typeof part === 'string'))
    return [[path, value.join(' ')]];
  return Object.entries(value).flatMap(([name, member]): readonly Member[] => {
    const below = path === '' ? name : `${path}.${name}`;
    return HIDDEN.test(below) ? [[below, '…']] : flat(member, below);
  });
}
