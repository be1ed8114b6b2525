/*
 * Where in a file of JSON something stands, for messages. The text was parsed before, so it is known to be well formed.
 */

/** One token: a string, a mark, or a number or word. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

interface Level {
  readonly isList: boolean;
  key: string | number;
}

/**
 * The line of the member at `path`, the first being 1; where that member is missing, the line of the nearest part that holds it.
 *
 * @param text - well-formed JSON.
 */
export function lineOf(text: string, path: readonly PropertyKey[]): number {
  const wanted = path.map(String);
  const levels: Level[] = [];
  let best = { depth: 0, at: text.search(/\S/) };
  const note = (at: number): void => {
    if (levels.length > wanted.length) return;
    const here = levels.map(({ key }) => String(key));
    const fits = here.length <= wanted.length && here.every((key, i) => key === wanted[i]);
    if (fits && here.length > best.depth) best = { depth: here.length, at };
  };
  let isKey = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === '}' || token === ']') {
      levels.pop();
      isKey = false;
    } else if (token === ',') {
      isKey = level?.isList === false;
      if (level?.isList === true) level.key = Number(level.key) + 1;
    } else if (token === ':') {
      isKey = false;
    } else if (isKey && level !== undefined) {
      level.key = JSON.parse(token) as string;
      note(index);
    } else {
      note(index);
      if (token === '{' || token === '[')
        levels.push({ isList: token === '[', key: token === '[' ? 0 : '' });
      isKey = token === '{';
    }
  }
  return text.slice(0, Math.max(0, best.at)).split('\n').length;
}

/** The line at which a parser gave up, from its message; undefined when it does not say. */
export function lineOfFault(text: string, error: unknown): number | undefined {
  const message = error instanceof Error ? error.message : '';
  const line = /\(line (\d+) column/.exec(message)?.[1];
  if (line !== undefined) return Number(line);
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return text.slice(0, Number(position)).split('\n').length;
  return message.includes('end of JSON') ? text.split('\n').length : undefined;
}
