import { readMembers } from '../oauth/answer-members.ts';
import { encodeTokenRequest } from '../oauth/token-request.ts';
import type { ClientAuthentication } from '../oauth/outcome.ts';
import type { Secret } from '../secret.ts';
import {
  HttpConnectError,
  HttpExchangeError,
  type Http,
  type HttpResponse,
} from '../system/http.ts';
import { checkTokenEndpoint } from './exchange.ts';

/** A request to forget a token. */
export interface RevocationRequest {
  /** RFC 7009 section 2. */
  readonly revocationEndpoint: string;
  /** The client that the token was issued to. */
  readonly clientId: string;
  /** How it proves itself. */
  readonly authentication: ClientAuthentication;
  /** The refresh token; its access tokens should go with it. */
  readonly token: Secret;
  /** Allows plain http to this machine itself, for tests. */
  readonly insecureLoopback: boolean;
  /** Gives the request up. */
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 64 * 1024;

/**
 * Asks the server to revoke a refresh token. Revoking one that the server does not know counts as done, also where the server calls that an error.
 *
 * @returns undefined when it is done, else why not, in words without a secret.
 * @see RFC 7009 section 2
 */
export async function revokeToken(
  http: Http,
  request: RevocationRequest,
): Promise<string | undefined> {
  const { signal } = request;
  const url = checkTokenEndpoint(request.revocationEndpoint, request.insecureLoopback);
  const { headers, body } = encodeTokenRequest({
    tokenEndpoint: request.revocationEndpoint,
    clientId: request.clientId,
    authentication: request.authentication,
    parameters: { token: request.token, token_type_hint: 'refresh_token' },
  });
  try {
    const connection = await http.connect(url, { fresh: false, timeoutMs: TIMEOUT_MS, signal });
    const options = { timeoutMs: TIMEOUT_MS, maxBytes: MOST_BYTES, signal };
    const answer = await connection.send({ method: 'POST', headers, body }, options);
    const { status } = answer;
    if (status === 200 || isUnknownToken(answer)) return undefined;
    return `it answered with status ${String(status)}`;
  } catch (error) {
    if (error instanceof HttpConnectError || error instanceof HttpExchangeError)
      return error.message;
    throw error;
  }
}

/** Google and others answer so once the grant has ended, which the standard would have them call success. @see RFC 7009 section 2.2 */
function isUnknownToken(answer: HttpResponse): boolean {
  return answer.status === 400 && readMembers(answer)?.members.get('error') === 'invalid_token';
}
