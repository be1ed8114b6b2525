/*
 * The door `evergrant/oauth`: single exchanges with a token endpoint, without a store. Whoever refreshes through it keeps the tokens:
 * the refresh token that comes back must be stored before the access token is used.
 */
import { ResponseInvalidError } from './errors.ts';
import {
  checkClientAuthentication,
  checkCodeVerifier,
  checkDuration,
  checkSecret,
  checkText,
  type ClientAuthenticationMethod,
} from './oauth/arguments.ts';
import {
  authorizationCodeGrant,
  clientCredentialsGrant,
  refreshTokenGrant,
  type GrantParameters,
} from './oauth/grants.ts';
import { IssuedTokens } from './oauth/issued-tokens.ts';
import { outcomeError } from './oauth/outcome-error.ts';
import type { AnswerDialect, TokenRequest, TokenResponse } from './oauth/outcome.ts';
import { readScope } from './oauth/scope.ts';
import { cleanText } from './oauth/refusal.ts';
import { isBearer } from './oauth/token-response.ts';
import type { Secret } from './secret.ts';
import { systemClock } from './system/clock.ts';
import type { Http } from './system/http.ts';
import { nodeHttp } from './system/node-http.ts';
import { exchange } from './token-endpoint/exchange.ts';

export { decodeIdToken, type IdTokenClaims } from './oauth/id-token.ts';
export type { AnswerDialect, ClientAuthenticationMethod, Http, IssuedTokens };
export { Secret } from './secret.ts';
export { nodeHttp, type NodeHttpOptions } from './system/node-http.ts';
export * from './errors.ts';
// The two halves of an exchange, for those who keep a record of their own between connecting and sending.
export {
  exchange,
  openTokenEndpoint,
  type NotSent,
  type OpenOptions,
  type OpenTokenEndpoint,
  type SendOptions,
} from './token-endpoint/exchange.ts';
export { outcomeError, type FailedOutcome } from './oauth/outcome-error.ts';
export type { TokenOutcome, TokenRequest, TokenResponse } from './oauth/outcome.ts';

/** What every request to a token endpoint needs. */
export interface TokenRequestOptions {
  /** Address of the token endpoint, https. @see RFC 6749 section 3.2 */
  readonly tokenEndpoint: string;
  /** The client's identifier. */
  readonly clientId: string;
  /** The client's secret; left out by a public client. */
  readonly clientSecret?: string | Secret | undefined;
  /** How the client proves itself; `client_secret_post` by default, `none` without a secret. */
  readonly clientAuthentication?: ClientAuthenticationMethod | undefined;
  /** Scopes to ask for, decoded: as a list, or separated by spaces. Quotes and percent-encoding are removed with a warning. */
  readonly scope?: string | readonly string[] | undefined;
  /** Parameters that the server wants besides, e.g. `audience`. */
  readonly extraParameters?: Readonly<Record<string, string>> | undefined;
  /** How the server's answers deviate from the standard; not at all by default. */
  readonly dialect?: AnswerDialect | undefined;
  /** Longest wait for the whole answer in milliseconds; 30 000 by default, of which at most 10 000 for connecting. */
  readonly timeoutMs?: number | undefined;
  /** Gives the request up. Once it was sent the outcome is uncertain. */
  readonly signal?: AbortSignal | undefined;
  /** Allows plain http to this machine itself, for tests; false by default. */
  readonly insecureLoopback?: boolean | undefined;
  /** Where connections come from; by default one {@link nodeHttp} for all calls that give none. It never keeps the process from ending. */
  readonly http?: Http | undefined;
}

/** Options of {@link refreshAccessToken}. */
export interface RefreshOptions extends TokenRequestOptions {
  /** The refresh token to trade. */
  readonly refreshToken: string | Secret;
}

/** Options of {@link exchangeAuthorizationCode}. */
export interface AuthorizationCodeOptions extends TokenRequestOptions {
  /** The code that came to the redirect URI; good for one exchange. */
  readonly code: string | Secret;
  /** The redirect URI of the authorization request, to the letter. */
  readonly redirectUri: string;
  /** The verifier whose challenge the authorization request held. @see RFC 7636 */
  readonly codeVerifier?: string | Secret | undefined;
}

/** Options of {@link requestClientCredentialsToken}. */
export interface ClientCredentialsOptions extends TokenRequestOptions {
  /** The client's secret. */
  readonly clientSecret: string | Secret;
}

/**
 * Trades a refresh token for an access token, in one POST that is never repeated.
 *
 * @throws {@link ConfigurationError} for an argument that cannot be right; nothing was sent.
 * @throws {@link AuthorizationRequiredError} when a person must consent again.
 * @throws {@link ClientRejectedError} when the client or the request was refused.
 * @throws {@link ServerUnavailableError} when the server was not reached or asks to wait; the refresh token is still good.
 * @throws {@link OutcomeUncertainError} when the answer was lost, so that the refresh token may be used up.
 * @throws {@link ResponseInvalidError} when the answer is no token response, or its token type is not Bearer.
 * @see RFC 6749 section 6
 */
export async function refreshAccessToken(options: RefreshOptions): Promise<IssuedTokens> {
  const refreshToken = checkSecret(options.refreshToken, 'refreshToken');
  return requestTokens(options, (scope) => refreshTokenGrant({ refreshToken, scope }));
}

/**
 * Trades an authorization code for tokens, in one POST that is never repeated. Throws as {@link refreshAccessToken} does; after an
 * {@link OutcomeUncertainError} begin a new authorization, since a code that is used twice revokes what it brought.
 *
 * @see RFC 6749 section 4.1.3
 */
export async function exchangeAuthorizationCode(
  options: AuthorizationCodeOptions,
): Promise<IssuedTokens> {
  const code = checkSecret(options.code, 'code');
  const redirectUri = checkText(options.redirectUri, 'redirectUri');
  const codeVerifier =
    options.codeVerifier === undefined ? undefined : checkCodeVerifier(options.codeVerifier);
  return requestTokens(options, (scope) =>
    authorizationCodeGrant({ code, redirectUri, codeVerifier, scope }),
  );
}

/**
 * Asks for an access token of the client's own. Throws as {@link refreshAccessToken} does, but never {@link OutcomeUncertainError}: this
 * request uses nothing up and may be repeated.
 *
 * @see RFC 6749 section 4.4
 */
export async function requestClientCredentialsToken(
  options: ClientCredentialsOptions,
): Promise<IssuedTokens> {
  checkSecret(options.clientSecret, 'clientSecret');
  return requestTokens(options, (scope) => clientCredentialsGrant({ scope }), true);
}

async function requestTokens(
  options: TokenRequestOptions,
  grant: (scope: readonly string[] | undefined) => GrantParameters,
  isHarmless = false,
): Promise<IssuedTokens> {
  const { dialect = {}, signal, insecureLoopback } = options;
  const timeoutMs = checkDuration(options.timeoutMs ?? 30_000, 'timeoutMs');
  const asked = options.scope === undefined ? undefined : readScope(options.scope);
  const request: TokenRequest = {
    tokenEndpoint: checkText(options.tokenEndpoint, 'tokenEndpoint'),
    clientId: checkText(options.clientId, 'clientId'),
    authentication: checkClientAuthentication(options.clientSecret, options.clientAuthentication),
    parameters: { ...grant(asked?.scope), ...options.extraParameters },
  };
  const outcome = await exchange(options.http ?? sharedHttp(), request, {
    fresh: !isHarmless,
    connectTimeoutMs: Math.min(timeoutMs, 10_000),
    timeoutMs,
    dialect,
    now: () => systemClock.now(),
    signal,
    insecureLoopback,
  });
  if (outcome.kind !== 'refreshed')
    throw outcomeError(outcome, { nowMs: systemClock.now(), isHarmless });
  if (!isBearer(outcome.tokens.tokenType)) throw unsupportedType(outcome.tokens);
  const warnings = asked?.warnings ?? [];
  return new IssuedTokens(outcome.tokens, { scope: asked?.scope.join(' '), warnings });
}

let shared: Http | undefined;

function sharedHttp(): Http {
  shared ??= nodeHttp();
  return shared;
}

function unsupportedType({ tokenType, refreshToken }: TokenResponse): ResponseInvalidError {
  return new ResponseInvalidError(
    'ERR_TOKEN_TYPE_UNSUPPORTED',
    tokenType === undefined
      ? 'the answer has no token_type; where the server is known to mean Bearer, give dialect.defaultTokenType'
      : `the server issued a token of type ${JSON.stringify(cleanText(tokenType))}; only Bearer can be used`,
    { refreshToken },
  );
}
