/** One challenge of a `WWW-Authenticate` field. */
export interface Challenge {
  /** The scheme in lower case, e.g. `bearer`. */
  readonly scheme: string;
  /** Parameters by lower-case name; where one is repeated, the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

const LONGEST_FIELD = 16_384;

const SEPARATOR = /[\s,]*/y;
const PARAMETER = /([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\[^])*)"|([^\s,]*))/y;
const SCHEME = /([\w!#$%&'*+.^`|~-]+)(?:[ \t]+[\w.~+/-]+=*(?=[ \t]*(?:,|$)))?(?=[ \t,]|$)/y;
const REST = /[^,]*/y;

/**
 * Reads the challenges of a field, of which there may be several, in one line or joined from many. Values are quoted or bare; a bare one
 * may hold `=`. What cannot be read is skipped up to the next comma. Never throws.
 *
 * @see RFC 9110 section 11.6.1
 */
export function parseChallenges(field: string | null): readonly Challenge[] {
  const text = (field ?? '').slice(0, LONGEST_FIELD);
  const challenges: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match !== null) position = pattern.lastIndex;
    return match;
  };
  for (take(SEPARATOR); position < text.length; take(SEPARATOR)) {
    const parameter = take(PARAMETER);
    const current = challenges.at(-1);
    if (parameter !== null) {
      const [, name = '', quoted, bare = ''] = parameter;
      const key = name.toLowerCase();
      const value = quoted?.replace(/\\([^])/g, '$1') ?? bare;
      if (current?.parameters.has(key) === false) current.parameters.set(key, value);
      continue;
    }
    const scheme = take(SCHEME)?.[1];
    if (scheme === undefined) take(REST);
    else challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
  }
  return challenges;
}
