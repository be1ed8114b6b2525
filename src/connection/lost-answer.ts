import type { TokenOutcome } from '../oauth/outcome.ts';
import { isWithinGrace, type Attempt } from './claiming.ts';
import type { Effect, Leftover, View } from './decision.ts';
import type { Facts } from './facts.ts';
import { backoffAt, clampWaitMs, endpointFailed } from './gate.ts';
import { isRepeatable } from './schedule.ts';
import { doubt } from './states.ts';
import { event } from './telling.ts';

/** What it does when nobody can tell whether the refresh token was used: send again where that is harmless, else doubt. */
export function judgeAmbiguous(
  { connection, endpoint }: View,
  attempt: Attempt,
  outcome: TokenOutcome & { readonly kind: 'ambiguous' },
  facts: Facts,
): Effect {
  const { now } = facts;
  const base = {
    endpoint: endpointFailed(endpoint, now, outcome.reason),
    leftovers: putAway('quarantine', attempt, facts),
  };
  const lastError = { at: now, outcome: lossOf(outcome), message: outcome.reason };
  const wait = outcome.retryAfterMs === undefined ? 0 : clampWaitMs(outcome.retryAfterMs);
  const backoff = backoffAt(base.endpoint, connection.backoff, now, facts.fraction, wait);
  const intent = connection.intent;
  const graceful =
    intent !== undefined && isWithinGrace(intent, { ...facts, bootId: attempt.owner.bootId });
  if (isRepeatable(facts.rotation) || graceful) {
    const atOnce = graceful && intent.count === 1;
    return {
      ...base,
      connection: { lastError, backoff: atOnce ? { ...backoff, notBefore: now } : backoff },
      life: [event(connection, facts, 'answer_lost', outcome.reason)],
    };
  }
  return { ...base, ...doubt(connection, facts, outcome.reason, backoff) };
}

function lossOf(outcome: TokenOutcome & { readonly kind: 'ambiguous' }): string {
  return outcome.answer === 'unreadable' ? 'answer_unreadable' : 'answer_lost';
}

/** Keeps what came of an attempt and cannot become current, sealed. */
export function putAway(
  kind: Leftover['kind'],
  { grantId, attemptId }: Attempt,
  facts: Facts,
): readonly Leftover[] {
  if (facts.leftover === undefined) return [];
  const label = { kind, grantId, attemptId };
  return [{ ...label, sealed: facts.leftover(label), at: facts.now }];
}
