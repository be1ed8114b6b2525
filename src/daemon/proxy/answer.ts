import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { ApiAnswer } from '../../resource/verdict.ts';
import type { StreamedAnswer } from '../../system/streaming.ts';
import { answerFields, fieldOf, holdsAny, listOf } from './headers.ts';

/** An answer of the API on its way to the caller. */
export interface Passing extends StreamedAnswer {
  /** What was read of its body to judge it. */
  readonly begun: Buffer[];
}

/** What the caller's copy of an answer depends on. */
export interface PassingOptions {
  /** What no field may hold. */
  readonly secrets: readonly string[];
  /** Where a `Location` leads a caller of the proxy. */
  locate(location: string): string;
  /** Breaks it off at any time, also when all of it is here and the caller has yet to take it. */
  readonly signal: AbortSignal;
}

const ENOUGH_BYTES = 8_192;
const NOTHING = Buffer.alloc(0);

/**
 * What the rules of using a token look at.
 *
 * @param reasonOf - what to throw for an error that the body ends with while it is read.
 */
export function judged(answer: Passing, reasonOf: (error: unknown) => unknown): ApiAnswer {
  return {
    status: answer.status,
    header: (name) => listOf(answer.headers, name),
    body: async () => {
      try {
        return await beginningOf(answer);
      } catch (error) {
        throw reasonOf(error);
      }
    },
  };
}

/** Reads the beginning of a body without losing it. */
async function beginningOf({ body, begun }: Passing): Promise<string> {
  let length = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    begun.push(chunk);
    length += chunk.length;
    if (length >= ENOUGH_BYTES) break;
  }
  return Buffer.concat(begun).toString('utf8');
}

/**
 * Passes an answer on. Resolves when the caller has all of it, or when either side has gone: then the other one is ended as well, so that nobody
 * takes half an answer for a whole one.
 */
export async function passOn(
  { status, headers, body, begun }: Passing,
  response: ServerResponse,
  options: PassingOptions,
): Promise<void> {
  const { secrets } = options;
  const fields = answerFields(headers, secrets);
  const location = fieldOf(headers, 'location');
  if (location !== null && !holdsAny(location, secrets))
    fields.push('location', options.locate(location));
  const length = lengthOf(headers);
  if (length !== undefined) fields.push('content-length', length);
  response.writeHead(status, fields);
  for (const chunk of begun) response.write(chunk);
  // A stream may be silent for long after its head. `flushHeaders` would write characters beyond ASCII in another encoding.
  if (begun.length === 0 && body.readableLength === 0 && !body.readableEnded)
    response.write(NOTHING);
  await pour(body, response, options.signal);
}

/**
 * Resolves when the answer has been sent, is broken off or either side is gone, which ends the other. Not by `pipeline`, which makes an error at
 * the end of each: that takes longer than all else about a small body.
 */
async function pour(body: Readable, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const breakOff = (): void => void response.destroy();
  const isOver = (): boolean => response.destroyed || response.closed;
  if (!isOver()) {
    const over = new Promise((resolve) => response.once('close', resolve));
    response.on('error', breakOff);
    signal.addEventListener('abort', breakOff);
    body.on('error', breakOff).once('close', () => {
      if (!body.readableEnded) breakOff();
    });
    if (signal.aborted || (body.destroyed && !body.readableEnded)) breakOff();
    else body.pipe(response);
    await over;
    signal.removeEventListener('abort', breakOff);
  }
  if (!body.readableEnded) body.destroy();
}

/** The length that an API announced, where it is one that can be trusted. */
function lengthOf(headers: readonly string[]): string | undefined {
  if (fieldOf(headers, 'transfer-encoding') !== null) return undefined;
  const length = listOf(headers, 'content-length');
  return length !== null && /^\d{1,15}$/.test(length) ? length : undefined;
}
