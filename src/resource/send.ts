import { sabotaged } from '#failpoints';
import type { Fetch } from '../system/fetch.ts';
import { isAllowedOrigin, type ApiPlace } from './origins.ts';

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Sends one request with its credentials. A redirect is followed for GET and HEAD, at most five times, and only to an origin that may be
 * sent them; any other is handed back as it came.
 *
 * @throws TypeError when the network fails, or for a redirect where `init.redirect` is `error`, as `fetch` does.
 */
export async function sendWithin(
  place: ApiPlace | undefined,
  transport: Fetch,
  url: URL,
  init: RequestInit,
): Promise<Response> {
  let target = url;
  for (let followed = 0; ; followed++) {
    const response = await transport(target, { ...init, redirect: 'manual' });
    if (!REDIRECTS.has(response.status)) return response;
    if (init.redirect === 'error') {
      await response.body?.cancel();
      throw new TypeError('the API answered with a redirect, which the call forbids');
    }
    const next = URL.parse(response.headers.get('location') ?? '', target.href);
    const mayFollow =
      isSafe(init.method) && init.redirect !== 'manual' && followed < MOST_REDIRECTS;
    if (!mayFollow || !response.headers.has('location')) return response;
    if (next === null || !(isAllowedOrigin(next, place) || sabotaged('redirect-origin')))
      return response;
    await response.body?.cancel();
    target = next;
  }
}

/** Whether a body can be sent a second time. */
export function isReplayable(body: RequestInit['body']): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob
  );
}

function isSafe(method = 'GET'): boolean {
  return ['GET', 'HEAD'].includes(method.toUpperCase());
}
