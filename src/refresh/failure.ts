import {
  AuthorizationRequiredError,
  ClientRejectedError,
  ConfigurationError,
  OutcomeUncertainError,
  RefreshBlockedError,
  ResponseInvalidError,
  ServerUnavailableError,
  type ErrorCode,
  type EvergrantError,
} from '../errors.ts';
import { COPIED, COPIED_REMEDY, isHeldCopy } from '../connection/copied.ts';
import type { View } from '../connection/decision.ts';
import { issuedLifeMs } from '../connection/freshness.ts';
import { durationText } from '../connection/duration-text.ts';
import { keepsFailing, type Closed } from '../connection/gate.ts';
import type { Claim, ConnectionRecord } from '../connection/record.ts';
import { clause, sentence } from '../connection/telling.ts';

/** The error for callers of a connection that nothing may be sent for; undefined when something may. */
export function stopError({ connection, client }: View): EvergrantError | undefined {
  const { name, state } = connection;
  const details = { connection: name };
  if (state.kind === 'disconnected') {
    return new AuthorizationRequiredError(
      'ERR_DISCONNECTED',
      `${name} is disconnected; connect it again`,
      details,
    );
  }
  if (state.kind === 'paused') {
    return new ConfigurationError(
      'ERR_PAUSED',
      `${name} is paused; resume it with evergrant resume ${name}`,
      details,
    );
  }
  if (client.refusedAt !== undefined) {
    return new ClientRejectedError(
      'ERR_CLIENT_REFUSED',
      `the server refuses client ${client.clientId} (${clause(client.refusal ?? 'no reason given')}); replace its secret with evergrant client set-secret`,
      details,
    );
  }
  if (isHeldCopy(state)) {
    const message = `${name}: ${COPIED}; ${COPIED_REMEDY}`;
    return new OutcomeUncertainError('ERR_OUTCOME_UNCERTAIN', message, details);
  }
  if (state.kind === 'uncertain') {
    return new OutcomeUncertainError(
      'ERR_OUTCOME_UNCERTAIN',
      `the refresh token of ${name} may be used up, since an answer was lost (${state.reason}); sign in again, or insist with evergrant refresh ${name} --anyway`,
      details,
    );
  }
  if (state.kind !== 'attention') return missingRefreshToken(connection);
  return attentionError(
    state.code as ErrorCode,
    `${name}: ${sentence({ cause: state.reason, remedy: state.remedy })}`,
    name,
  );
}

/** The error for a connection whose newest access token cannot be served, so that there is none of its generation. */
export function unusableError(view: View): EvergrantError | undefined {
  const { state } = view.connection;
  if (state.kind !== 'attention' || state.code !== 'ERR_TOKEN_TYPE_UNSUPPORTED') return undefined;
  return stopError(view);
}

/** The error for a connection whose refresh failed, whatever the reason. */
export function failureOf(view: View): EvergrantError {
  return stopError(view) ?? passingError(view, undefined, view.connection.backoff.notBefore);
}

function missingRefreshToken(connection: View['connection']): EvergrantError | undefined {
  const { name, beginning, tokens } = connection;
  if (beginning === 'client_credentials' || tokens?.refreshToken !== undefined) return undefined;
  return new AuthorizationRequiredError(
    'ERR_REFRESH_TOKEN_MISSING',
    `${name} has no refresh token; connect it again and grant offline access`,
    { connection: name },
  );
}

function attentionError(code: ErrorCode, message: string, connection: string): EvergrantError {
  if (code === 'ERR_REQUEST_REFUSED') return new ClientRejectedError(code, message, { connection });
  if (code === 'ERR_TOKEN_TYPE_UNSUPPORTED') {
    return new ResponseInvalidError(code, message, { connection });
  }
  return new AuthorizationRequiredError(code, message, { connection });
}

/** The error for callers of a connection whose last request failed and may be tried again later. */
export function passingError(
  { connection, endpoint }: View,
  because: string | undefined,
  retryAt: number | undefined,
  isThrottled = false,
): EvergrantError {
  const { name, lastError } = connection;
  const message = because ?? lastError?.message ?? endpoint.blockedBecause ?? 'the refresh failed';
  const details = { connection: name, retryAt };
  switch (outcomeOf(message, lastError) ?? (isThrottled ? 'throttled' : undefined)) {
    case 'refreshed':
    case 'answer_unreadable':
      return new ResponseInvalidError(
        'ERR_RESPONSE_INVALID',
        `${name}: ${message}; tell the operator of the server`,
        { connection: name },
      );
    case 'not_sent':
      return new ServerUnavailableError(
        'ERR_SERVER_UNREACHABLE',
        `${name}: the server cannot be reached (${message}); try again later`,
        details,
      );
    case 'throttled':
      return new ServerUnavailableError(
        'ERR_SERVER_THROTTLED',
        `${name}: ${message}; try again later`,
        details,
      );
    default:
      return new ServerUnavailableError(
        'ERR_SERVER_FAILED',
        `${name}: ${message}; try again later`,
        details,
      );
  }
}

/** What it waits for may have come of others, or of the budget: then no earlier error of its own is to blame. */
function outcomeOf(because: string, lastError: ConnectionRecord['lastError']): string | undefined {
  if (lastError === undefined) return undefined;
  const { message, outcome } = lastError;
  return because === message || because === keepsFailing(message) ? outcome : undefined;
}

/** The error for callers of a connection that must wait. */
export function waitingError(view: View, { because, until, isThrottled }: Closed): EvergrantError {
  return passingError(view, because, until, isThrottled);
}

/** The error for a demanded remaining life that no token of the connection has even when new; undefined when one may have it. */
export function minLifeError(
  { connection: { name, tokens } }: View,
  minLifeMs: number | undefined,
): EvergrantError | undefined {
  const life = tokens && issuedLifeMs(tokens);
  if (minLifeMs === undefined || life === undefined || life <= 0 || minLifeMs <= life) {
    return undefined;
  }
  return new ConfigurationError(
    'ERR_MIN_LIFE_TOO_LONG',
    `a token of ${name} lives ${durationText(life)} when new, so it cannot be demanded to live ${durationText(minLifeMs)} more; demand less`,
    { connection: name },
  );
}

/** The error for a call that was made ready for a registration which is no longer the connection's. Its token goes to another API. */
export function changedError(name: string): EvergrantError {
  return new ServerUnavailableError(
    'ERR_CONNECTION_CHANGED',
    `${name}: the connection was changed meanwhile, and its new token was sent nowhere; ask again`,
    { connection: name },
  );
}

/** The error for callers whose time is up while the refresh goes on. `holder` is the claim it waits for, if it waits for one. */
export function deadlineError(
  { connection: { name } }: View,
  holder: Claim | undefined,
): EvergrantError {
  if (holder === undefined) {
    return new ServerUnavailableError(
      'ERR_DEADLINE',
      `${name}: the refresh took longer than the caller would wait; it goes on, ask again`,
      { connection: name },
    );
  }
  const who = `process ${String(holder.owner.pid)}`;
  return new RefreshBlockedError(
    `${name}: ${who} holds the refresh and has not finished; if it hangs, end that process`,
    { connection: name, holder: who, since: holder.claimedAt },
  );
}
