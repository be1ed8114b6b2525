import { parseForm } from './form.ts';

/** An HTTP answer, as far as the protocol reads it. */
export interface Answer {
  /** Status code. */
  readonly status: number;
  /** Header fields by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body: Uint8Array;
}

/** The members of an answer. A map, since a member may be called `__proto__`. */
export interface AnswerMembers {
  /** Values by member name. */
  readonly members: ReadonlyMap<string, unknown>;
  /** The same as JSON text. */
  readonly json: string;
  /** False when bytes of the body are no UTF-8, so that a token in it could have been spoilt. */
  readonly isExact: boolean;
}

/** Strings (captured), those with a colon after them (captured) being names of members, and brackets. */
const JSON_TOKENS = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g;

/**
 * Reads the body of an answer as one JSON object or, where it is none by its look, as a form. The content type decides nothing alone,
 * because servers err in it. A byte order mark is skipped; a repeated member makes the answer unreadable.
 *
 * @returns undefined when the body is neither.
 */
export function readMembers(answer: Answer): AnswerMembers | undefined {
  const text = new TextDecoder().decode(answer.body).trim();
  const isExact = !text.includes('\ufffd') || isUtf8(answer.body);
  const members = text.startsWith('{') ? readJson(text) : readForm(text, answer);
  if (members === undefined) return undefined;
  // The text itself where it is JSON: writing deeply nested members anew could exhaust the stack.
  const json = text.startsWith('{') ? text : JSON.stringify(Object.fromEntries(members));
  return { members, json, isExact };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Reads what begins with a brace, and so is an object or no JSON. */
function readJson(text: string): ReadonlyMap<string, unknown> | undefined {
  let value: object;
  try {
    value = JSON.parse(text) as object;
  } catch {
    return undefined;
  }
  if (hasRepeatedMember(text)) return undefined;
  return new Map(Object.entries(value));
}

/** Whether the outermost object names a member twice. The text is known to be valid JSON, so only strings and depth matter. */
function hasRepeatedMember(text: string): boolean {
  const names = new Set<string>();
  let depth = 0;
  for (const [token, name, colon] of text.matchAll(JSON_TOKENS)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    if (depth !== 1 || name === undefined || colon === undefined) continue;
    const decoded = JSON.parse(name) as string;
    if (names.has(decoded)) return true;
    names.add(decoded);
  }
  return false;
}

function readForm(text: string, answer: Answer): ReadonlyMap<string, unknown> | undefined {
  if (/json/i.test(answer.headers['content-type'] ?? '') || /[\s<>"]/.test(text)) return undefined;
  const members = parseForm(text);
  // Any line of text is a form of some kind, so only the two names that matter make it an answer.
  return members?.has('access_token') === true || members?.has('error') === true
    ? members
    : undefined;
}
