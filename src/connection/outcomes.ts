import { sabotaged } from '#failpoints';
import type { Refusal, TokenOutcome } from '../oauth/outcome.ts';
import type { Attempt } from './claiming.ts';
import type { Effect, View } from './decision.ts';
import type { Facts } from './facts.ts';
import {
  NO_BACKOFF,
  backoffAt,
  clampWaitMs,
  endpointFailed,
  endpointThrottled,
  endpointWorks,
  nextBackoff,
} from './gate.ts';
import { judgeAmbiguous } from './lost-answer.ts';
import { recordTokens } from './new-tokens.ts';
import type { Actor } from './record.ts';
import { isRepeatable } from './schedule.ts';
import { attention } from './states.ts';
import { clause, event, notice, type Advice } from './telling.ts';

/** What an outcome does to a connection whose attempt it belongs to. */
export type Rule<K extends TokenOutcome['kind']> = (
  view: View,
  attempt: Attempt,
  outcome: TokenOutcome & { readonly kind: K },
  facts: Facts,
) => Effect;

/** One rule an outcome: the table of ARCHITECTURE.md in code. */
export const OUTCOMES: { readonly [K in TokenOutcome['kind']]: Rule<K> } = {
  refreshed: (view, _attempt, _outcome, facts) => recordTokens(view, facts),

  not_sent: (view, attempt, { reason }, facts) => {
    const { connection } = view;
    const endpoint = endpointFailed(view.endpoint, facts.now, reason);
    return {
      connection: {
        intent: attempt.doubt,
        backoff: backoffAt(endpoint, connection.backoff, facts.now, facts.fraction),
        lastError: { at: facts.now, outcome: 'not_sent', message: reason },
      },
      endpoint,
      life: [event(connection, facts, 'refresh_failed', reason)],
    };
  },

  throttled: ({ connection, endpoint }, attempt, outcome, facts) => {
    const wait = clampWaitMs(outcome.retryAfterMs);
    const cut = (outcome.retryAfterMs ?? 0) > wait;
    const message =
      `the server asked to wait` + (cut ? ', for longer than an hour; cut to one hour' : '');
    return {
      connection: {
        intent: attempt.doubt,
        backoff: {
          failures: connection.backoff.failures,
          notBefore: Math.round(facts.now + wait + facts.fraction * Math.min(wait / 4, 15_000)),
        },
        lastError: { at: facts.now, outcome: 'throttled', message },
      },
      endpoint: endpointThrottled(endpoint, facts.now, outcome.retryAfterMs),
      life: [event(connection, facts, 'refresh_failed', message)],
    };
  },

  ambiguous: (view, attempt, outcome, facts) => judgeAmbiguous(view, attempt, outcome, facts),

  grant_refused: ({ connection, endpoint }, attempt, { refusal }, facts) => ({
    ...(sabotaged('terminal-stop')
      ? { connection: { backoff: nextBackoff(connection.backoff, facts.now, facts.fraction) } }
      : attention(connection, facts, 'ERR_GRANT_REFUSED', grantAdvice(attempt, refusal, facts))),
    endpoint: endpointWorks(endpoint),
  }),

  client_refused: ({ connection, client, endpoint }, attempt, { refusal }, facts) => {
    const advice = facts.advice ?? refusalAdvice(refusal, 'operator');
    // A late answer to the secret that was replaced meanwhile says nothing about the new one.
    const known = client.refusedAt !== undefined || client.revision !== attempt.clientRevision;
    return {
      connection: {
        intent: attempt.doubt,
        lastError: { at: facts.now, outcome: 'client_refused', message: advice.cause },
      },
      client: known ? {} : { refusedAt: facts.now, refusal: advice.cause },
      endpoint: endpointWorks(endpoint),
      life: [event(connection, facts, 'client_refused', advice.cause)],
      notices: known ? [] : [notice('client_refused', 'operator', facts.now, advice)],
    };
  },

  request_refused: ({ connection, endpoint }, _attempt, { refusal }, facts) => ({
    ...attention(
      connection,
      facts,
      'ERR_REQUEST_REFUSED',
      facts.advice ?? refusalAdvice(refusal, 'operator'),
    ),
    endpoint: endpointWorks(endpoint),
  }),

  unnamed_refusal: ({ connection, endpoint }, attempt, { refusal }, facts) => {
    const before =
      connection.lastError?.outcome === 'unnamed_refusal' ? connection.backoff : NO_BACKOFF;
    const advice = refusalAdvice(refusal, 'operator');
    if (before.failures + 1 >= 3) {
      return {
        ...attention(connection, facts, 'ERR_REQUEST_REFUSED', advice),
        endpoint: endpointWorks(endpoint),
      };
    }
    return {
      connection: {
        intent: attempt.doubt,
        backoff: { failures: before.failures + 1, notBefore: facts.now + 60_000 },
        lastError: { at: facts.now, outcome: 'unnamed_refusal', message: advice.cause },
      },
      endpoint: endpointWorks(endpoint),
      life: [event(connection, facts, 'refresh_failed', advice.cause)],
    };
  },
};

function grantAdvice(attempt: Attempt, refusal: Refusal, facts: Facts): Advice {
  const advice = facts.advice ?? refusalAdvice(refusal, 'owner');
  if (attempt.doubt === undefined || isRepeatable(facts.rotation)) return advice;
  return {
    ...advice,
    cause: `${clause(advice.cause)}; the answer to an earlier refresh was lost, which probably used the refresh token up`,
  };
}

function refusalAdvice(refusal: Refusal, actor: Actor): Advice {
  const what = refusal.error ?? `HTTP status ${String(refusal.status)} without an OAuth error`;
  const cause = `the server answered ${what}`;
  return actor === 'owner'
    ? { actor, cause, remedy: 'sign in again' }
    : { actor, cause, remedy: 'check the client registration, the endpoint and the scope' };
}
