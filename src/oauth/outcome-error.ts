import {
  AuthorizationRequiredError,
  ClientRejectedError,
  OutcomeUncertainError,
  ResponseInvalidError,
  ServerUnavailableError,
  type ErrorCode,
  type ErrorDetails,
  type EvergrantError,
  type ServerRefusal,
} from '../errors.ts';
import type { Refusal, TokenOutcome } from './outcome.ts';

/** What is known around an outcome that its error should tell. */
export interface OutcomeErrorDetails {
  /** Name of the connection concerned, if one is. */
  readonly connection?: string;
  /** Wall time in epoch milliseconds, to turn a wait into the instant of {@link ServerUnavailableError.retryAt}. */
  readonly nowMs?: number;
  /** The request used nothing up: then a lost answer means "try again", not "uncertain". False by default. */
  readonly isHarmless?: boolean;
}

/** Every outcome but success. */
export type FailedOutcome = Exclude<TokenOutcome, { readonly kind: 'refreshed' }>;

/** Makes the error that a caller of evergrant gets for an outcome. Its message names the fact and the next step, and no secret. */
export function outcomeError(
  outcome: FailedOutcome,
  details: OutcomeErrorDetails = {},
): EvergrantError {
  const known = details.connection === undefined ? {} : { connection: details.connection };
  switch (outcome.kind) {
    case 'not_sent':
      return new ServerUnavailableError(
        'ERR_SERVER_UNREACHABLE',
        `the token endpoint cannot be reached (${outcome.reason}); nothing was sent, try again later`,
        known,
      );
    case 'throttled':
      return throttled(outcome, known, details.nowMs);
    case 'ambiguous':
      return ambiguous(outcome, known, details);
    case 'grant_refused':
      return new AuthorizationRequiredError(
        'ERR_GRANT_REFUSED',
        `the server refused the grant (${said(outcome.refusal)}); a person must sign in and consent again`,
        { ...known, refusal: shown(outcome.refusal) },
      );
    case 'client_refused':
      return rejected(
        'ERR_CLIENT_REFUSED',
        'the client',
        'check client id, secret and its expiry, and how the client is registered to prove itself',
        outcome.refusal,
        known,
      );
    case 'request_refused':
      return rejected(
        'ERR_REQUEST_REFUSED',
        'the request',
        'check token endpoint, scope and client registration',
        outcome.refusal,
        known,
      );
    case 'unnamed_refusal':
      return rejected(
        'ERR_REQUEST_REFUSED',
        'the request without an OAuth error',
        'check the token endpoint and what stands before it',
        outcome.refusal,
        known,
      );
  }
}

function throttled(
  { refusal, retryAfterMs }: Extract<FailedOutcome, { kind: 'throttled' }>,
  known: ErrorDetails,
  nowMs: number | undefined,
): EvergrantError {
  const wait =
    retryAfterMs === undefined ? 'later' : `in ${String(Math.ceil(retryAfterMs / 1000))} s`;
  const retryAt =
    nowMs === undefined || retryAfterMs === undefined ? undefined : nowMs + retryAfterMs;
  return new ServerUnavailableError(
    'ERR_SERVER_THROTTLED',
    `the server asks to wait (${said(refusal)}); try again ${wait}`,
    { ...known, refusal: shown(refusal), retryAt },
  );
}

function ambiguous(
  outcome: Extract<FailedOutcome, { kind: 'ambiguous' }>,
  known: ErrorDetails,
  { isHarmless = false, nowMs }: OutcomeErrorDetails,
): EvergrantError {
  if (outcome.answer === 'unreadable') {
    return new ResponseInvalidError(
      'ERR_RESPONSE_INVALID',
      `${outcome.reason}; tell the operator of the server`,
      known,
    );
  }
  if (!isHarmless) {
    return new OutcomeUncertainError(
      'ERR_OUTCOME_UNCERTAIN',
      `the request was sent but its outcome is unknown (${outcome.reason}); what it traded may be used up`,
      known,
    );
  }
  const wait = outcome.retryAfterMs;
  const retryAt = nowMs === undefined || wait === undefined ? undefined : nowMs + wait;
  return new ServerUnavailableError(
    'ERR_SERVER_FAILED',
    `the server failed (${outcome.reason}); nothing is lost, try again later`,
    { ...known, retryAt },
  );
}

function rejected(
  code: ErrorCode,
  what: string,
  remedy: string,
  refusal: Refusal,
  known: ErrorDetails,
): EvergrantError {
  const message = `the server refused ${what} (${said(refusal)}); ${remedy}`;
  return new ClientRejectedError(code, message, { ...known, refusal: shown(refusal) });
}

function said({ status, error, description }: Refusal): string {
  const words = [error, description].filter((part) => part !== undefined).join(': ');
  return words === '' ? `status ${String(status)}` : words;
}

function shown({ status, error, description }: Refusal): ServerRefusal {
  return {
    status,
    ...(error !== undefined && { error }),
    ...(description !== undefined && { errorDescription: description }),
  };
}
