/**
 * Reads JSON of a daemon. What is null on the wire is undefined here, as it is at a keeper in this process, and the member stays: whoever prints
 * it as JSON again must know that it is there.
 *
 * @throws SyntaxError when it is no JSON.
 */
export function readJson(text: string): unknown {
  return withoutNull(JSON.parse(text));
}

function withoutNull(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withoutNull);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withoutNull(member)]),
  );
}
