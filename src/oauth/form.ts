/** Encodes one name or value for a form: UTF-8, every byte but the unreserved ones escaped, a space as `%20`. @see RFC 6749 appendix B */
export function encodeFormValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Encodes name and value pairs in the order given, as one line. */
export function encodeForm(pairs: Iterable<readonly [string, string]>): string {
  return Array.from(
    pairs,
    ([name, value]) => `${encodeFormValue(name)}=${encodeFormValue(value)}`,
  ).join('&');
}

/** Decodes a form; undefined when a name occurs twice, because either value could be the one that was meant. */
export function parseForm(text: string): ReadonlyMap<string, string> | undefined {
  const members = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (members.has(name)) return undefined;
    members.set(name, value);
  }
  return members;
}
