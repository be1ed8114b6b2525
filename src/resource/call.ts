import type { AccessToken } from '../access-token.ts';
import type { Fetch } from '../system/fetch.ts';
import { callWithToken, type ApiAccess } from './exchange.ts';
import { apiHeaders } from './headers.ts';
import { resolveApiUrl } from './origins.ts';
import { isReplayable, sendWithin } from './send.ts';

/** What a call needs from its connection, and the way to the API. */
export interface ApiDeps extends ApiAccess {
  /** The way to the API. */
  readonly transport: Fetch;
}

/**
 * Calls the provider's API as `fetch` would, with the connection's token and the provider's header fields, by the rules of
 * {@link callWithToken}. A call that is held back is answered by a 429 of our own.
 *
 * @param input - an address, relative to the API's base or on one of its origins.
 * @throws {@link ConfigurationError} `ERR_ORIGIN_NOT_ALLOWED` or `ERR_ARGUMENT` for a call that must not be made.
 * @throws {@link EvergrantError} when no token can be had.
 * @throws TypeError when the network fails, as `fetch` does; the signal's reason when it aborts.
 */
export async function callApi(
  deps: ApiDeps,
  input: string | URL,
  init: RequestInit = {},
): Promise<Response> {
  const url = resolveApiUrl(input, deps.api);
  return callWithToken(deps, {
    signal: init.signal ?? undefined,
    send: (token) => send(deps, url, init, token),
    read: (response) => ({
      status: response.status,
      header: (name) => response.headers.get(name),
      body: () => beginningOf(response),
    }),
    isRepeatable: () => isReplayable(init.body),
    discard: (response) => void response.body?.cancel().catch(() => undefined),
    heldBack: (until) => heldBack(until - deps.clock.now()),
  });
}

function send(deps: ApiDeps, url: URL, init: RequestInit, token: AccessToken): Promise<Response> {
  const headers = apiHeaders(init.headers, deps.api, deps.settings, token);
  return sendWithin(deps.api, deps.transport, url, { ...init, headers });
}

/** What the API would say as well. */
function heldBack(waitMs: number): Response {
  const seconds = String(Math.ceil(waitMs / 1_000));
  const detail = `the API asked to wait; ${seconds} seconds are left, and nothing was sent`;
  const problem = { title: 'wait and try again', status: 429, detail, code: 'ERR_API_THROTTLED' };
  const headers = { 'content-type': 'application/problem+json', 'retry-after': seconds };
  return new Response(JSON.stringify(problem), { status: 429, headers });
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
