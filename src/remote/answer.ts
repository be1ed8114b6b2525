import type { IncomingMessage } from 'node:http';
import { readJson } from './wire.ts';

/** Longest answer that is read, unless told otherwise. */
export const LONGEST_MIB = 16;

/**
 * Reads an answer to its end.
 *
 * @param mostMib - longest that is read, in units of 1024 * 1024 bytes.
 * @returns its JSON, null members undefined; undefined when it is none.
 * @throws what the connection fails with, and {@link AnswerTooLong}.
 */
export async function readAnswer(
  response: IncomingMessage,
  mostMib = LONGEST_MIB,
): Promise<unknown> {
  const text = await readText(response, mostMib);
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

/** An answer is longer than a daemon's are. */
export class AnswerTooLong extends Error {}

async function readText(response: IncomingMessage, mostMib: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostMib * 1024 * 1024) throw new AnswerTooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
