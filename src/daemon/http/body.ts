import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../system/clock.ts';
import { ConfigurationError } from '../../errors.ts';

/** Longest body of a call of the API, unless told otherwise. */
const MOST_BYTES = 64 * 1024;
/** A body that is not complete by then is given up. */
const PATIENCE_MS = 10_000;

/** A body that cannot be taken; the status tells how. */
export class BodyError extends ConfigurationError {
  /** HTTP status: 408, 413 or 415. */
  readonly status: number;

  /** As {@link ConfigurationError}, and the status. */
  constructor(status: number, message: string) {
    super('ERR_ARGUMENT', message);
    this.status = status;
  }
}

/**
 * Reads a JSON body; `{}` where there is none.
 *
 * @param mostBytes - longest body that is taken.
 * @throws {@link BodyError} when it is too long, too slow, or no JSON.
 */
export async function readJson(
  request: IncomingMessage,
  clock: Clock,
  mostBytes = MOST_BYTES,
): Promise<unknown> {
  const { headers } = request;
  const isEmpty = headers['content-length'] === '0' || !hasBody(request);
  if (isEmpty) return {};
  // Besides being right, it keeps forms of other sites out: a browser asks before it sends this type elsewhere.
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? ''))
    throw new BodyError(415, 'the body must be JSON, with content-type: application/json');
  const text = await readText(request, clock, mostBytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new BodyError(400, 'the body is not JSON');
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function readText(request: IncomingMessage, clock: Clock, mostBytes: number): Promise<string> {
  const tooLong = new BodyError(413, `the body is longer than ${String(mostBytes)} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) return Promise.reject(tooLong);
  return new Promise((resolve, reject) => {
    const body = new Gathered();
    const settle = (error?: Error): void => {
      timer.cancel();
      request
        .removeAllListeners('data')
        .off('end', onEnd)
        .off('error', onGone)
        .off('close', onGone);
      if (error === undefined) return resolve(body.text);
      request.pause();
      reject(error);
    };
    const onEnd = (): void => settle();
    const onGone = (): void => settle(new BodyError(400, 'the body ended early'));
    const timer = clock.timer(PATIENCE_MS, () =>
      settle(new BodyError(408, 'the body did not come in time')),
    );
    request.on('data', (piece: Buffer) => {
      if (body.length + piece.length > mostBytes) settle(tooLong);
      else body.add(piece);
    });
    request.on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

/** Pieces, copied together as they come: each kept by itself weighs hundreds of bytes, also where it holds but one. */
class Gathered {
  /** Bytes so far. */
  length = 0;
  #bytes = Buffer.alloc(1_024);

  /** Adds a piece. */
  add(piece: Buffer): void {
    const needed = this.length + piece.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.#bytes.length));
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.length);
    this.length = needed;
  }

  /** What they say in UTF-8. */
  get text(): string {
    return this.#bytes.toString('utf8', 0, this.length);
  }
}
