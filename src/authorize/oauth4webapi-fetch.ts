import type * as oauth4webapi from 'oauth4webapi';
import type { ClientAuth, CustomFetchOptions } from 'oauth4webapi';
import type { ClientAuthentication } from '../oauth/outcome.ts';
import { encodeTokenRequest } from '../oauth/token-request.ts';
import type { Http } from '../system/http.ts';

/*
 * What oauth4webapi needs to work over our own HTTP and with our own client authentication.
 */

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
const MOST_ANSWER_BYTES = 256 * 1024;

/** A fetch for oauth4webapi. It follows no redirect and keeps no cookie; its errors are those of {@link Http}. */
export type LibraryFetch = (
  url: string,
  options: Pick<
    CustomFetchOptions<'GET' | 'POST', URLSearchParams | undefined>,
    'method' | 'headers' | 'body'
  >,
) => Promise<Response>;

/** Makes the fetch of one attempt, which `signal` ends. */
export function libraryFetch(http: Http, signal?: AbortSignal): LibraryFetch {
  const ending = signal === undefined ? {} : { signal };
  return async (url, { method, headers, body }) => {
    const connection = await http.connect(new URL(url), {
      fresh: false,
      timeoutMs: CONNECT_TIMEOUT_MS,
      ...ending,
    });
    const answer = await connection.send(
      { method, headers, ...(body !== undefined && { body: body.toString() }) },
      { timeoutMs: ANSWER_TIMEOUT_MS, maxBytes: MOST_ANSWER_BYTES, ...ending },
    );
    const isBodyless = [204, 205, 304].includes(answer.status);
    return new Response(isBodyless ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: withoutChallenge(answer.headers),
    });
  };
}

/** The library would read a challenge in place of the OAuth error in the body, which says more. */
function withoutChallenge(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { 'www-authenticate': _challenge, ...others } = headers;
  return others;
}

/** The options by which oauth4webapi uses {@link libraryFetch}; plain http only where the profile allows it. */
export function libraryOptions(
  oauth: typeof oauth4webapi,
  deps: { readonly http: Http; readonly signal?: AbortSignal | undefined },
  insecureLoopback: boolean,
) {
  const options = { [oauth.customFetch]: libraryFetch(deps.http, deps.signal) };
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to stand out; the addresses were checked to be loopback
  return insecureLoopback ? { ...options, [oauth.allowInsecureRequests]: true } : options;
}

/** Our client authentication in the shape that oauth4webapi takes, so that a client proves itself alike at every endpoint. */
export function libraryClientAuth(authentication: ClientAuthentication): ClientAuth {
  return (_server, client, body, headers) => {
    const { client_id: clientId } = client;
    const encoded = encodeTokenRequest({
      tokenEndpoint: '',
      clientId,
      authentication,
      parameters: {},
    });
    for (const [name, value] of new URLSearchParams(encoded.body)) body.set(name, value);
    const authorization = encoded.headers['authorization'];
    if (authorization !== undefined) headers.set('authorization', authorization);
  };
}
