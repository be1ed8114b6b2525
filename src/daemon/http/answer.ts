import type { ServerResponse } from 'node:http';

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
  response.end(text);
}

/** Begins an answer that goes on; the caller ends it. */
export function beginAnswer(response: ServerResponse, head: AnswerHead): void {
  const { status, type = 'application/json', headers = {} } = head;
  response.writeHead(status, { ...ALWAYS, 'content-type': type, ...headers });
}

/** JSON in which what is undefined is null, so that every member is always there. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (member === undefined ? null : member));
}
