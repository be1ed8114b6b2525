import type { ErrorCode } from '../errors.ts';
import { MOST_DOUBTFUL_ATTEMPTS } from './claiming.ts';
import type { Effect } from './decision.ts';
import { NO_BACKOFF } from './gate.ts';
import type { ConnectionRecord, ConnectionState } from './record.ts';
import { event, notice, type Advice } from './telling.ts';

/*
 * How a connection comes into a state that somebody must know of, with the line of history and the one notice that go with it.
 */

/**
 * The connection after an attempt whose answer was lost and cannot be repeated at once: `uncertain` while a try is left, else attention.
 *
 * @param backoff - how long the last try must wait at least.
 */
export function doubt(
  connection: ConnectionRecord,
  facts: { readonly now: number; readonly by: string; readonly lastTry: boolean },
  reason: string,
  backoff = NO_BACKOFF,
): Effect {
  const { now } = facts;
  if ((connection.intent?.count ?? 0) >= MOST_DOUBTFUL_ATTEMPTS) {
    return attention(connection, facts, 'ERR_OUTCOME_UNCERTAIN', {
      actor: 'owner',
      cause: `two answers in a row were lost (${reason}), so the refresh token is probably used up`,
      remedy: 'sign in again',
    });
  }
  if (standing(connection.state).kind === 'uncertain') return {};
  const expiresAt = connection.tokens?.accessExpiresAt;
  const living =
    expiresAt !== undefined && expiresAt > now && connection.tokens?.accessToken !== undefined;
  const plan = facts.lastTry
    ? living
      ? 'it will be tried once more when the access token, which still works, expires'
      : 'it will be tried once more'
    : 'it will not be tried again without your order';
  const message = `the answer to a refresh was lost (${reason}); the refresh token may be used up: ${plan}. A new sign-in may be needed`;
  return {
    connection: {
      state: moveTo(connection.state, {
        kind: 'uncertain',
        since: now,
        reason,
        lastTry: facts.lastTry,
      }),
      lastError: { at: now, outcome: 'answer_lost', message: reason },
      backoff,
    },
    life: [event(connection, facts, 'uncertain', reason)],
    notices: [{ kind: 'uncertain', actor: 'owner', at: now, message }],
  };
}

/** The connection when nothing may be sent until somebody acts. Told once for each cause. */
export function attention(
  connection: ConnectionRecord,
  facts: { readonly now: number; readonly by: string },
  code: ErrorCode,
  advice: Advice,
): Effect & Required<Pick<Effect, 'life'>> {
  const { now } = facts;
  const before = standing(connection.state);
  const repeated = before.kind === 'attention' && before.code === code;
  return {
    connection: {
      intent: undefined,
      backoff: NO_BACKOFF,
      state: moveTo(connection.state, {
        kind: 'attention',
        since: repeated ? before.since : now,
        actor: advice.actor,
        code,
        reason: advice.cause,
        remedy: advice.remedy,
      }),
      lastError: { at: now, outcome: code, message: advice.cause },
    },
    life: [event(connection, facts, 'attention', advice.cause)],
    notices: repeated ? [] : [notice('attention', advice.actor, now, advice)],
  };
}

/** The state beneath a pause. */
export function standing(
  state: ConnectionState,
): Exclude<ConnectionState, { readonly kind: 'paused' }> {
  return state.kind === 'paused' ? state.before : state;
}

/** The state after an event, which a pause outlives. */
export function moveTo(
  state: ConnectionState,
  next: Exclude<ConnectionState, { readonly kind: 'paused' | 'disconnected' }>,
): ConnectionState {
  return state.kind === 'paused' ? { ...state, before: next } : next;
}
