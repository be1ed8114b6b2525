import type { Secret } from './secret.ts';

/*
 * Every error that leaves evergrant. The class answers "who must act?", the code "what happened?". docs/errors.md lists each code with
 * its cause and remedy; a test compares the two. Messages name the fact and the next step, hold no secret and no control character.
 */

/** What happened, as a stable string that programs may test. */
export type ErrorCode =
  // configuration and use
  | 'ERR_ARGUMENT'
  | 'ERR_CONFIGURATION'
  | 'ERR_CONNECTION_EXISTS'
  | 'ERR_CONSENT_LATE'
  | 'ERR_MIN_LIFE_TOO_LONG'
  | 'ERR_ORIGIN_NOT_ALLOWED'
  | 'ERR_KEEPER_CLOSED'
  // a daemon refuses the caller
  | 'ERR_ACCESS_REFUSED'
  | 'ERR_ACCESS_FORBIDDEN'
  | 'ERR_RATE_EXCEEDED'
  | 'ERR_CALLS_EXCEEDED'
  // or none answers
  | 'ERR_DAEMON_UNREACHABLE'
  // what was asked for does not exist
  | 'ERR_CONNECTION_UNKNOWN'
  | 'ERR_CLIENT_UNKNOWN'
  | 'ERR_PROVIDER_UNKNOWN'
  | 'ERR_LETTER_UNKNOWN'
  // a person must consent again
  | 'ERR_GRANT_REFUSED'
  | 'ERR_AUTHORIZATION_DENIED'
  | 'ERR_AUTHORIZATION_FAILED'
  | 'ERR_REFRESH_TOKEN_MISSING'
  | 'ERR_SUBJECT_MISMATCH'
  | 'ERR_DISCONNECTED'
  | 'ERR_PAUSED'
  // the operator or an administrator must act
  | 'ERR_CLIENT_REFUSED'
  | 'ERR_REQUEST_REFUSED'
  // wait
  | 'ERR_SERVER_UNREACHABLE'
  | 'ERR_SERVER_THROTTLED'
  | 'ERR_SERVER_FAILED'
  | 'ERR_REFRESH_BLOCKED'
  | 'ERR_DEADLINE'
  | 'ERR_CONNECTION_CHANGED'
  | 'ERR_API_UNREACHABLE'
  | 'ERR_API_THROTTLED'
  // a refresh token may have been used up
  | 'ERR_OUTCOME_UNCERTAIN'
  // the server broke the protocol
  | 'ERR_RESPONSE_INVALID'
  | 'ERR_TOKEN_TYPE_UNSUPPORTED'
  | 'ERR_DISCOVERY_INVALID'
  // the store
  | 'ERR_STORE_MISSING'
  | 'ERR_STORE_LOCKED'
  | 'ERR_STORE_READ_ONLY'
  | 'ERR_STORE_FULL'
  | 'ERR_STORE_DAMAGED'
  | 'ERR_STORE_FOREIGN'
  | 'ERR_STORE_TOO_NEW'
  | 'ERR_STORE_UNSAFE'
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_KEY_MISSING'
  | 'ERR_KEY_WRONG';

/** The refusal of an authorization server, as far as it may be shown to people. */
export interface ServerRefusal {
  /** HTTP status of the answer. */
  readonly status: number;
  /** The `error` member, RFC 6749 section 5.2; absent when the server named none. */
  readonly error?: string;
  /** The `error_description` member, cleaned of control characters and cut to 200 characters. */
  readonly errorDescription?: string;
}

/** Members shared by all errors of evergrant. */
export interface ErrorDetails {
  /** Name of the connection concerned, if one is. */
  readonly connection?: string;
  /** What the authorization server said, if it spoke. */
  readonly refusal?: ServerRefusal;
  /** The error beneath, if there is one. Never holds a request or a response. */
  readonly cause?: unknown;
}

/** The base of every error thrown by evergrant. */
export class EvergrantError extends Error {
  /** What happened. */
  readonly code: ErrorCode;
  /** Name of the connection concerned, if one is. */
  readonly connection: string | undefined;
  /** What the authorization server said, if it spoke. */
  readonly refusal: ServerRefusal | undefined;

  /**
   * @param code - what happened.
   * @param message - the fact and the next step in one sentence.
   * @param details - connection, refusal and cause, where known.
   */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.connection = details.connection;
    this.refusal = details.refusal;
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/** The caller must change its arguments, options or settings. */
export class ConfigurationError extends EvergrantError {}

/** A daemon does not let the caller do that: its key is missing, no good, or not good for it. */
export class AccessRefusedError extends EvergrantError {}

/** A connection, client, provider or dead letter of that name does not exist. */
export class NotFoundError extends EvergrantError {}

/** A person must sign in and consent again; nothing that a program does will help. */
export class AuthorizationRequiredError extends EvergrantError {}

/** The operator must repair the client's registration, its secret or the request; the grant itself was not condemned. */
export class ClientRejectedError extends EvergrantError {}

/** Nobody must act: the server cannot be reached, is failing or throttles. Try again at {@link ServerUnavailableError.retryAt}. */
export class ServerUnavailableError extends EvergrantError {
  /** When the next request will be allowed, in epoch milliseconds; undefined when unknown. */
  readonly retryAt: number | undefined;

  /** As {@link EvergrantError}, and `retryAt`. */
  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails & { readonly retryAt?: number | undefined } = {},
  ) {
    super(code, message, details);
    this.retryAt = details.retryAt;
  }
}

/** Another process holds the right to refresh and did not finish before the caller's deadline. */
export class RefreshBlockedError extends EvergrantError {
  /** Who holds it, in words: owner id, process id and machine. */
  readonly holder: string;
  /** Since when, in epoch milliseconds. */
  readonly since: number;

  /** As {@link EvergrantError}, and who blocks since when. */
  constructor(
    message: string,
    details: ErrorDetails & { readonly holder: string; readonly since: number },
  ) {
    super('ERR_REFRESH_BLOCKED', message, details);
    this.holder = details.holder;
    this.since = details.since;
  }
}

/** A refresh token may have been used up by a request whose answer was lost. */
export class OutcomeUncertainError extends EvergrantError {}

/** The server's answer broke a rule of the protocol. */
export class ResponseInvalidError extends EvergrantError {
  /**
   * The refresh token that came with an access token of an unknown type, through `evergrant/oauth` alone: store it, the one that was sent
   * may be used up. Not enumerable, so that no log line shows it.
   */
  declare readonly refreshToken: Secret | undefined;

  /** As {@link EvergrantError}, and `refreshToken`. */
  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails & { readonly refreshToken?: Secret | undefined } = {},
  ) {
    super(code, message, details);
    Object.defineProperty(this, 'refreshToken', { value: details.refreshToken });
  }
}

/** The store or its key is missing, locked, damaged, full, foreign, unsafe or too new. Nothing was changed. */
export class StoreError extends EvergrantError {}
