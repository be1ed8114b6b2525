import type { IncomingMessage } from 'node:http';
import { readJson } from './wire.ts';

const LONGEST = 16 * 1024 * 1024;

/**
 * Reads an answer to its end.
 *
 * @returns its JSON, null members undefined; undefined when it is none.
 * @throws what the connection fails with, and Error when the answer is too long.
 */
export async function readAnswer(response: IncomingMessage): Promise<unknown> {
  const text = await readText(response);
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
