import type { AccessToken } from '../access-token.ts';
import type { Provider } from '../providers/provider.ts';
import type { Clock } from '../system/clock.ts';
import type { ApiSettings } from './headers.ts';
import { heldBackUntil, renewOnce, throttle, type ApiMemory } from './memory.ts';
import { judgeAnswer, type ApiAnswer, type ApiVerdict } from './verdict.ts';

/*
 * The rules of using a token, the same for `connection.fetch`, for `evergrant call` and for the daemon's proxy, whatever carries the bytes.
 */

/** A token that the API refused. */
export interface RejectedToken {
  /** Its generation. */
  readonly generation: number;
  /** Whether the API named the token as the reason, so that it certainly is of no use. */
  readonly named: boolean;
}

/** Something about an API's answer that the owner of the connection should learn. */
export type ApiFinding =
  /** Two generations in a row were refused: look at audience, scopes, subscription key and tenant instead. */
  | { readonly kind: 'token_rejected'; readonly generation: number; readonly named: boolean }
  /** The API asks to wait until this instant. */
  | { readonly kind: 'throttled'; readonly until: number }
  | Extract<
      ApiVerdict,
      { readonly kind: 'key_rejected' | 'sign_in_wanted' | 'scope_insufficient' }
    >;

/** What a call needs from its connection. */
export interface ApiAccess {
  /**
   * Hands out a token that works, of the registration that `api` and `settings` are of and of no other. With `rejected` it must be of a newer
   * generation: one that exists already, or else of a refresh made now.
   *
   * @throws {@link EvergrantError} when there is none; `ERR_CONNECTION_CHANGED` when the connection belongs to another registration by now.
   */
  token(demand: { readonly rejected?: RejectedToken }): Promise<AccessToken>;
  /** The provider's API, as the connection's profile has it. */
  readonly api: Provider['api'];
  /** What the connection adds to each call. */
  readonly settings: ApiSettings;
  /** Time. */
  readonly clock: Pick<Clock, 'now'>;
  /** What the calls of this connection know from each other. */
  readonly memory: ApiMemory;
  /** Told about what is odd with an answer. */
  report?(finding: ApiFinding): void;
}

/** One call as the rules see it; `T` is an answer. */
export interface ApiExchange<T> {
  /** Ends the wait. */
  readonly signal: AbortSignal | undefined;
  /** Sends the call, for the second time where it is called twice. Resolves when the head of the answer is there. */
  send(token: AccessToken): Promise<T>;
  /** What the rules look at. */
  read(answer: T): ApiAnswer;
  /** Whether the call can be sent again. Asked once an answer has come. */
  isRepeatable(): boolean;
  /** Drops an answer that nobody will see. It is not waited for: its body may never end. */
  discard(answer: T): void;
  /** Answers in place of an API that asked to wait until this instant, epoch milliseconds; or throws. */
  heldBack(until: number): T;
}

/**
 * Makes a call. When the API refuses the token, a newer one is got and the call repeated once, if it can be sent again; the second refusal is
 * final. Throttled and forbidden calls are handed back, not repeated; where the provider's limits count all calls together, those that come
 * before the API's wait is over are held back.
 *
 * @throws {@link EvergrantError} when no token can be had; what `send` throws, and what reading an answer does; the signal's reason when it
 *   aborts.
 * @see RFC 6750 section 3.1
 */
export async function callWithToken<T>(access: ApiAccess, exchange: ApiExchange<T>): Promise<T> {
  const until = heldBackUntil(access.memory, access.clock.now());
  if (until !== undefined) return exchange.heldBack(until);
  const token = await unlessAborted(access.token({}), exchange.signal);
  const answer = await exchange.send(token);
  const renewed = await orDiscard(exchange, answer, async () => {
    const verdict = await judge(access, exchange.read(answer));
    if (verdict.kind !== 'token_rejected') return undefined;
    const { generation } = token;
    return renew(access, exchange, { generation, named: verdict.named });
  });
  if (renewed === undefined) return answer;
  exchange.discard(answer);
  return repeat(access, exchange, renewed);
}

/** Work on an answer that nobody will see when the work fails. */
async function orDiscard<T, R>(
  exchange: ApiExchange<T>,
  answer: T,
  work: () => Promise<R>,
): Promise<R> {
  try {
    return await work();
  } catch (error) {
    exchange.discard(answer);
    throw error;
  }
}

/** A newer token for a repetition; undefined when the refusal must stand. */
async function renew<T>(
  access: ApiAccess,
  exchange: ApiExchange<T>,
  rejected: RejectedToken,
): Promise<AccessToken | undefined> {
  const { memory } = access;
  const renewal = renewOnce(memory, rejected.generation, () => access.token({ rejected }));
  if (renewal === undefined) return undefined;
  if (exchange.isRepeatable()) {
    const token = await unlessAborted(renewal, exchange.signal);
    return token.generation > rejected.generation ? token : undefined;
  }
  // The next call profits; this one has nothing left to send and keeps its 401, whatever becomes of the renewal.
  await unlessAborted(
    renewal.catch(() => undefined),
    exchange.signal,
  );
  return undefined;
}

async function repeat<T>(
  access: ApiAccess,
  exchange: ApiExchange<T>,
  token: AccessToken,
): Promise<T> {
  const answer = await exchange.send(token);
  const verdict = await orDiscard(exchange, answer, () => judge(access, exchange.read(answer)));
  if (verdict.kind === 'token_rejected') {
    const { generation } = token;
    access.memory.newestFruitless = Math.max(access.memory.newestFruitless, generation);
    access.report?.({ kind: 'token_rejected', generation, named: verdict.named });
  }
  return answer;
}

async function judge(access: ApiAccess, answer: ApiAnswer): Promise<ApiVerdict> {
  const now = access.clock.now();
  const verdict = await judgeAnswer(answer, now);
  switch (verdict.kind) {
    case 'throttled':
      throttle(access.memory, access.api?.limits, now, verdict.waitMs);
      access.report?.({ kind: 'throttled', until: now + verdict.waitMs });
      break;
    case 'key_rejected':
    case 'sign_in_wanted':
    case 'scope_insufficient':
      access.report?.(verdict);
      break;
    case 'token_rejected':
    case 'answered':
  }
  return verdict;
}

/** Waits, but no longer than the caller does; the work goes on without it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
