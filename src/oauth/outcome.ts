import type { Secret } from '../secret.ts';

/** A token response that keeps what the keeper needs, converted from the wire once. @see RFC 6749 section 5.1 */
export interface TokenResponse {
  /** The access token; never empty. */
  readonly accessToken: Secret;
  /** As the server wrote it, or the provider's default when the server wrote none; undefined when neither names one. */
  readonly tokenType: string | undefined;
  /** Life of the access token in milliseconds from the instant of sending; undefined when the server gave no usable one. */
  readonly accessLifeMs: number | undefined;
  /** The server's advice when to renew, in milliseconds from the instant of sending. */
  readonly refreshInMs: number | undefined;
  /** The refresh token that came, if one came; an empty one counts as none. */
  readonly refreshToken: Secret | undefined;
  /** Life of the refresh token in milliseconds, where the server tells. */
  readonly refreshLifeMs: number | undefined;
  /** The id token, if one came. */
  readonly idToken: Secret | undefined;
  /** The scopes granted, decoded and split; undefined when the server named none, which means "as asked". */
  readonly scope: readonly string[] | undefined;
  /** Oddities that were tolerated, in words that hold no secret. */
  readonly warnings: readonly string[];
  /** All members of the answer as JSON text, for a caller that wants members unknown here. Holds the tokens. */
  readonly raw?: Secret;
}

/** An error answer, cleaned for people and split for programs. @see RFC 6749 section 5.2 */
export interface Refusal {
  /** HTTP status of the answer. */
  readonly status: number;
  /** The `error` member after the provider's aliases; undefined when none was named. */
  readonly error: string | undefined;
  /** The `error_description`, without control characters, cut to 200 characters. */
  readonly description: string | undefined;
  /** Entra's `suberror`. */
  readonly suberror: string | undefined;
  /** Entra's `error_codes`, as numbers; empty when none came. */
  readonly codes: readonly number[];
  /** Entra's `claims`: a challenge to send back at the next sign-in. */
  readonly claims: string | undefined;
  /** Entra's `trace_id`, for the vendor's support. */
  readonly traceId: string | undefined;
  /** Entra's `correlation_id`, for the vendor's support. */
  readonly correlationId: string | undefined;
}

/**
 * What one token request came to, decided from the answer alone. Only `ambiguous` leaves open whether the server used the refresh
 * token up; a named `error` always wins over the HTTP status.
 */
export type TokenOutcome =
  | { readonly kind: 'refreshed'; readonly tokens: TokenResponse }
  /** Nothing left this machine: DNS, refused connection, TLS or connect timeout. */
  | { readonly kind: 'not_sent'; readonly reason: string }
  /** The server asks to wait; `retryAfterMs` is what it named, unclamped, if it named one. */
  | {
      readonly kind: 'throttled';
      readonly retryAfterMs: number | undefined;
      readonly refusal: Refusal;
    }
  /**
   * The server may or may not have acted. `answer` tells what came back (absent: nothing): a part, a whole one that is no token
   * response, or one that reports a fault of the server. `body` holds its bytes where they may be the only copy of a token: those of the
   * first two, and of the third where they could not be read or bring a token.
   */
  | {
      readonly kind: 'ambiguous';
      readonly reason: string;
      readonly status: number | undefined;
      readonly retryAfterMs: number | undefined;
      readonly body: Uint8Array | undefined;
      readonly answer?: 'cut' | 'unreadable' | 'failed';
    }
  | { readonly kind: 'grant_refused'; readonly refusal: Refusal }
  | { readonly kind: 'client_refused'; readonly refusal: Refusal }
  | { readonly kind: 'request_refused'; readonly refusal: Refusal }
  /** A 4xx answer without an OAuth error. */
  | { readonly kind: 'unnamed_refusal'; readonly refusal: Refusal };

/** How the client proves itself at the token endpoint. @see RFC 6749 section 2.3 */
export type ClientAuthentication =
  | { readonly method: 'none' }
  | { readonly method: 'client_secret_post'; readonly secret: Secret }
  | { readonly method: 'client_secret_basic'; readonly secret: Secret }
  /** As `client_secret_basic`, without form-encoding id and secret first, for servers that decode wrongly. */
  | { readonly method: 'client_secret_basic_raw'; readonly secret: Secret };

/** What a provider's answers deviate in, as far as reading them goes. All members optional: the default is the standard. */
export interface AnswerDialect {
  /** Assumed when the answer has no `token_type`. */
  readonly defaultTokenType?: string;
  /** Life in milliseconds assumed when `expires_in` is missing or absurd. */
  readonly defaultAccessLifeMs?: number;
  /** Names that stand for another `error`, e.g. `bad_refresh_token` for `invalid_grant`. */
  readonly errorAliases?: Readonly<Record<string, string>>;
  /** Member that carries the refresh token's life in seconds, besides `refresh_token_expires_in`. */
  readonly refreshExpiryField?: string;
  /** What separates scopes in an answer; a space by default. */
  readonly scopeSeparator?: string;
  /** Entra codes that mean "wait", although `error` says otherwise. */
  readonly throttleCodes?: readonly number[];
}

/** One request to a token endpoint, ready to be encoded. */
export interface TokenRequest {
  /** Where the form goes. */
  readonly tokenEndpoint: string;
  /** RFC 6749 section 2.2. */
  readonly clientId: string;
  /** How the client proves itself. */
  readonly authentication: ClientAuthentication;
  /** The grant's own parameters in wire spelling, `grant_type` among them; empty and undefined values are left out. */
  readonly parameters: Readonly<Record<string, string | Secret | undefined>>;
}
