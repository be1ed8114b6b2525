import type { ServerResponse } from 'node:http';
import { endOfTurn } from '../../system/turn.ts';

/** Of every answer: nothing here is to be kept, guessed at, framed or told to others. */
const ALWAYS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** What is answered besides the body. */
export interface AnswerHead {
  /** HTTP status. */
  readonly status: number;
  /** Media type; by default JSON. */
  readonly type?: string;
  /** Further fields. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with a text whose length is known. */
export function answerText(
  response: ServerResponse,
  { status, type = 'application/json', headers = {} }: AnswerHead,
  text: string,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    ...ALWAYS,
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  endSoon(response, text);
}

/** Answers of this turn of the event loop, with their texts. */
let ready: (readonly [ServerResponse, string])[] = [];

/**
 * Ends an answer at the end of this turn, together with all others that are ready by then. To write to somebody who waits costs the system several times
 * as much as to write to somebody who is awake: of callers that come together only the first must be woken.
 */
function endSoon(response: ServerResponse, text: string): void {
  if (ready.length === 0) endOfTurn(endAll);
  ready.push([response, text]);
}

function endAll(): void {
  const answers = ready;
  ready = [];
  for (const [response, text] of answers) response.end(text);
}

/** Begins an answer that goes on; the caller ends it. */
export function beginAnswer(response: ServerResponse, head: AnswerHead): void {
  const { status, type = 'application/json', headers = {} } = head;
  response.writeHead(status, { ...ALWAYS, 'content-type': type, ...headers });
}

/** An answer that is JSON already. */
export class JsonText {
  /** The JSON. */
  readonly text: string;

  /** Takes it as it is. */
  constructor(text: string) {
    this.text = text;
  }
}

/** JSON in which what is undefined is null, so that every member is always there. */
export function toJson(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  // A function given to `stringify` would make it several times slower, and its text a rope that each write must untangle.
  return JSON.stringify(withNulls(value));
}

/** What is more than plain data says itself how it is written, if it may be at all. */
function withNulls(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withNulls);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withNulls(member)]),
  );
}
