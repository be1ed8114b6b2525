import type { AccessToken } from '../access-token.ts';
import type { Provider } from '../providers/provider.ts';
import type { Clock } from '../system/clock.ts';
import type { Fetch } from '../system/fetch.ts';
import { apiHeaders, type ApiSettings } from './headers.ts';
import { renewOnce, type ApiMemory } from './memory.ts';
import { resolveApiUrl } from './origins.ts';
import { isReplayable, sendWithin } from './send.ts';
import { judgeAnswer, type ApiVerdict } from './verdict.ts';

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
export interface ApiDeps {
  /**
   * Hands out a token that works. With `rejected` it must be of a newer generation: one that exists already, or else of a refresh made
   * now.
   */
  token(demand: { readonly rejected?: RejectedToken }): Promise<AccessToken>;
  /** The provider's API, as the connection's profile has it. */
  readonly api: Provider['api'];
  /** What the connection adds to each call. */
  readonly settings: ApiSettings;
  /** The way to the API. */
  readonly transport: Fetch;
  /** Time. */
  readonly clock: Pick<Clock, 'now'>;
  /** What the calls of this connection know from each other. */
  readonly memory: ApiMemory;
  /** Told about what is odd with an answer. */
  report?(finding: ApiFinding): void;
}

/**
 * Calls the provider's API as `fetch` would, with the connection's token and the provider's header fields. When the API refuses the token,
 * a newer one is got and the call repeated once, if its body can be sent again; the second refusal is final. Throttled and forbidden
 * calls are handed back, not repeated.
 *
 * @param input - an address, relative to the API's base or on one of its origins.
 * @throws {@link ConfigurationError} `ERR_ORIGIN_NOT_ALLOWED` or `ERR_ARGUMENT` for a call that must not be made.
 * @throws {@link EvergrantError} when no token can be had.
 * @throws TypeError when the network fails, as `fetch` does; the signal's reason when it aborts.
 * @see RFC 6750 section 3.1
 */
export async function callApi(
  deps: ApiDeps,
  input: string | URL,
  init: RequestInit = {},
): Promise<Response> {
  const url = resolveApiUrl(input, deps.api);
  const token = await unlessAborted(deps.token({}), init.signal);
  const response = await send(deps, url, init, token);
  const verdict = await judge(deps, response);
  if (verdict.kind !== 'token_rejected') return response;
  const renewed = await renew(deps, init, { generation: token.generation, named: verdict.named });
  if (renewed === undefined) return response;
  await response.body?.cancel();
  return repeat(deps, url, init, renewed);
}

/** A newer token for a repetition; undefined when the refusal must stand. */
async function renew(
  deps: ApiDeps,
  init: RequestInit,
  rejected: RejectedToken,
): Promise<AccessToken | undefined> {
  const { memory } = deps;
  const renewal = renewOnce(memory, rejected.generation, () => deps.token({ rejected }));
  if (renewal === undefined) return undefined;
  if (isReplayable(init.body)) {
    const token = await unlessAborted(renewal, init.signal);
    return token.generation > rejected.generation ? token : undefined;
  }
  // The next call profits; this one has nothing left to send and keeps its 401, whatever becomes of the renewal.
  await unlessAborted(
    renewal.catch(() => undefined),
    init.signal,
  );
  return undefined;
}

async function repeat(
  deps: ApiDeps,
  url: URL,
  init: RequestInit,
  token: AccessToken,
): Promise<Response> {
  const response = await send(deps, url, init, token);
  const verdict = await judge(deps, response);
  if (verdict.kind === 'token_rejected') {
    const { generation } = token;
    deps.memory.newestFruitless = Math.max(deps.memory.newestFruitless, generation);
    deps.report?.({ kind: 'token_rejected', generation, named: verdict.named });
  }
  return response;
}

function send(deps: ApiDeps, url: URL, init: RequestInit, token: AccessToken): Promise<Response> {
  const headers = apiHeaders(init.headers, deps.api, deps.settings, token);
  return sendWithin(deps.api, deps.transport, url, { ...init, headers });
}

async function judge(deps: ApiDeps, response: Response): Promise<ApiVerdict> {
  const now = deps.clock.now();
  const verdict = await judgeAnswer(
    {
      status: response.status,
      header: (name) => response.headers.get(name),
      body: () => beginningOf(response),
    },
    now,
  );
  switch (verdict.kind) {
    case 'throttled': {
      const until = now + verdict.waitMs;
      deps.memory.throttledUntil = until;
      deps.report?.({ kind: 'throttled', until });
      break;
    }
    case 'key_rejected':
    case 'sign_in_wanted':
    case 'scope_insufficient':
      deps.report?.(verdict);
      break;
    case 'token_rejected':
    case 'answered':
  }
  return verdict;
}

const ENOUGH_CHARACTERS = 8_192;

/** The first characters of a body, read from a copy, so that the caller can still read it all. */
async function beginningOf(response: Response): Promise<string> {
  const stream: ReadableStream<Uint8Array> | null = response.clone().body;
  if (stream === null) return '';
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (text.length < ENOUGH_CHARACTERS) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  // Resolves only when the caller has finished with the other copy.
  void reader.cancel().catch(() => undefined);
  return text;
}

/** Waits, but no longer than the caller does; the work goes on without it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | null = null): Promise<T> {
  if (signal === null) return work;
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
