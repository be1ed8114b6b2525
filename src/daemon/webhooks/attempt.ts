import { Readable } from 'node:stream';
import { parseRetryAfter } from '../../oauth/retry-after.ts';
import type { Letter } from '../../store/webhook-store.ts';
import type { Clock } from '../../system/clock.ts';
import { StreamingError, type StreamedAnswer, type Streaming } from '../../system/streaming.ts';
import { writeMessage } from './message.ts';
import type { Receiver } from './receivers.ts';

/** What an attempt came to. */
export type Outcome =
  /** The receiver has it. */
  | { readonly kind: 'delivered' }
  /** It will never have it. */
  | { readonly kind: 'gone'; readonly reason: string }
  /** It may have it later; `peaceMs` is how long the receiver asked to be left alone, and `forAll` whether it meant all letters. */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly peaceMs: number;
      readonly forAll: boolean;
    };

/** How long one attempt may take, from its beginning to the end of the answer. */
export const ATTEMPT_MS = 15_000;

/** What attempts are made with. */
export interface Sending {
  /** The way to receivers. */
  readonly streaming: Streaming;
  /** Time. */
  readonly clock: Clock;
  /** Ends what is under way. */
  readonly ended: AbortSignal;
}

/** Sends a letter once. Never rejects. What the receiver says is not kept, for nobody knows what it is. */
export async function attempt(
  letter: Letter,
  { url, secrets }: Receiver,
  { streaming, clock, ended }: Sending,
): Promise<Outcome> {
  const { headers, body } = writeMessage(letter, secrets, clock.now());
  const late = new AbortController();
  const abort = (): void => {
    late.abort();
  };
  const timer = clock.timer(ATTEMPT_MS, abort, { background: true });
  if (ended.aborted) abort();
  else ended.addEventListener('abort', abort, { once: true });
  const finish = (): void => {
    timer.cancel();
    ended.removeEventListener('abort', abort);
  };
  try {
    const answer = await streaming.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers,
      body: Readable.from([body]),
      signal: late.signal,
    });
    void answer.discard().finally(finish);
    return judge(answer, clock.now());
  } catch (error) {
    finish();
    return failed(late.signal.aborted ? 'no answer within 15 s' : reasonOf(error));
  }
}

function judge(answer: StreamedAnswer, now: number): Outcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `it answered ${String(status)}`;
  if (status === 410) return { kind: 'gone', reason };
  if (status >= 300 && status < 400) return failed(`${reason}; redirects are not followed`);
  const peaceMs = parseRetryAfter(fieldOf(answer, 'retry-after'), now) ?? 0;
  return { ...failed(reason), peaceMs, forAll: status === 429 || status === 503 };
}

function failed(reason: string): Extract<Outcome, { readonly kind: 'failed' }> {
  return { kind: 'failed', reason, peaceMs: 0, forAll: false };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof StreamingError)) return 'it could not be sent';
  const { failure, message } = error;
  return failure === 'unreachable'
    ? `it cannot be reached (${message})`
    : `it ended the exchange without an answer (${message})`;
}

function fieldOf({ headers }: StreamedAnswer, name: string): string | undefined {
  const at = headers.findIndex((field, i) => i % 2 === 0 && field.toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1];
}
