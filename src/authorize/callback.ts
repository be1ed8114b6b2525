import { sabotaged } from '#failpoints';
import type * as oauth4webapi from 'oauth4webapi';
import {
  AuthorizationRequiredError,
  ClientRejectedError,
  ServerUnavailableError,
  type EvergrantError,
} from '../errors.ts';
import { cleanText } from '../oauth/refusal.ts';
import { Secret } from '../secret.ts';

/** What the awaited answer must fit. */
export interface Expectation {
  /** RFC 6749 section 2.2. */
  readonly clientId: string;
  /** Sent with the request; known to nobody else. */
  readonly state: string;
  /** The issuer asked; undefined where the provider has none, and then an `iss` says nothing. */
  readonly issuer: string | undefined;
  /** Whether an answer without `iss` must be refused. */
  readonly issRequired: boolean;
}

/** What a redirect came to. `foreign` is none of our business: the wait goes on. */
export type Callback =
  | { readonly kind: 'foreign' }
  | { readonly kind: 'code'; readonly code: Secret }
  | { readonly kind: 'failed'; readonly error: EvergrantError };

const OPERATOR_ERRORS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_response_type',
]);

const SERVER_ERRORS: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

/**
 * Judges the parameters of a redirect. Only who knows the state can end the wait, be it with an error; then issuer and form must fit.
 *
 * @see RFC 6749 sections 4.1.2 and 10.12
 * @see RFC 9207 section 2.4
 */
export function judgeCallback(
  oauth: typeof oauth4webapi,
  expected: Expectation,
  parameters: URLSearchParams,
): Callback {
  if (!knowsState(parameters, expected.state) && !sabotaged('state-check'))
    return { kind: 'foreign' };
  const answer = new URLSearchParams(parameters);
  if (expected.issuer === undefined) answer.delete('iss');
  const server: oauth4webapi.AuthorizationServer = {
    issuer: expected.issuer ?? 'unknown',
    authorization_response_iss_parameter_supported: expected.issRequired,
  };
  try {
    const client = { client_id: expected.clientId };
    const [code, ...more] = oauth
      .validateAuthResponse(server, client, answer, expected.state)
      .getAll('code');
    if (code === undefined || code === '')
      return failed('the redirect carries neither a code nor an error');
    if (more.length > 0) return failed('the redirect carries two codes');
    return { kind: 'code', code: new Secret(code) };
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) {
      return { kind: 'failed', error: refusedAuthorization(error.error, error.error_description) };
    }
    return failed(whatIsWrong(expected, answer));
  }
}

function knowsState(parameters: URLSearchParams, state: string): boolean {
  const [given, ...more] = parameters.getAll('state');
  return given !== undefined && more.length === 0 && new Secret(given).equals(new Secret(state));
}

function whatIsWrong(expected: Expectation, answer: URLSearchParams): string {
  const issuers = answer.getAll('iss');
  if (issuers.length === 0 && expected.issRequired) {
    return 'the redirect does not name the authorization server, which this one always does';
  }
  return issuers.length > 0 && issuers.some((issuer) => issuer !== expected.issuer)
    ? 'the redirect comes from another authorization server than the one asked'
    : 'the redirect breaks the rules of OAuth';
}

function failed(fault: string): Callback {
  const error = new AuthorizationRequiredError(
    'ERR_AUTHORIZATION_FAILED',
    `${fault}; nothing was accepted, start over`,
  );
  return { kind: 'failed', error };
}

/** The error for an authorization endpoint's refusal. @see RFC 6749 section 4.1.2.1 */
export function refusedAuthorization(
  error: string,
  description: string | undefined,
  status = 302,
): EvergrantError {
  const name = cleanText(error);
  const text = description === undefined ? '' : cleanText(description);
  const said = text === '' ? name : `${name}: ${text}`;
  const details = {
    refusal: { status, error: name, ...(text !== '' && { errorDescription: text }) },
  };
  if (name === 'access_denied') {
    const message = `the sign-in was declined (${said}); start over and consent, or ask an administrator`;
    return new AuthorizationRequiredError('ERR_AUTHORIZATION_DENIED', message, details);
  }
  if (SERVER_ERRORS.has(name)) {
    const message = `the authorization server failed (${said}); try again`;
    return new ServerUnavailableError('ERR_SERVER_FAILED', message, details);
  }
  if (name === 'invalid_client') {
    const message = `the authorization server refused the client (${said}); check its id and secret`;
    return new ClientRejectedError('ERR_CLIENT_REFUSED', message, details);
  }
  if (OPERATOR_ERRORS.has(name)) {
    const message = `the authorization server refused the request (${said}); check client id, scopes and redirect URI`;
    return new ClientRejectedError('ERR_REQUEST_REFUSED', message, details);
  }
  const message = `the sign-in failed (${said}); start over`;
  return new AuthorizationRequiredError('ERR_AUTHORIZATION_FAILED', message, details);
}
