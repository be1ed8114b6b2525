import { sabotaged } from '#failpoints';
import type { Refusal, TokenOutcome } from '../oauth/outcome.ts';
import type { Change, Effect, Leftover, View } from './decision.ts';
import { isWithinGrace, type Attempt, type Moment } from './claiming.ts';
import {
  NO_BACKOFF,
  backoffAt,
  clampWaitMs,
  endpointFailed,
  endpointThrottled,
  endpointWorks,
  nextBackoff,
} from './gate.ts';
import type { Actor, ConnectionRecord, Rotation, TokenSet } from './record.ts';
import { isRepeatable } from './schedule.ts';
import type { LeftoverLabel } from './secrets.ts';
import { attention, doubt, moveTo, standing } from './states.ts';
import { clause, event, notice, type Advice } from './telling.ts';

/*
 * What an outcome means for a connection. The one function here runs inside the transaction that writes its verdict, on the connection as
 * the store has it at that moment; it never trusts what the attempt remembered, except to find out that it has been overtaken.
 */

/** What the verdict needs besides the outcome. */
export interface Facts extends Moment {
  /** A random number from 0 to 1. */
  readonly fraction: number;
  /** Which keeper, for the history. */
  readonly by: string;
  /** The provider's habit. */
  readonly rotation: Rotation;
  /** For `grace`. */
  readonly graceMs: number | undefined;
  /** Whether an uncertain connection may be tried once more at its access token's expiry. */
  readonly lastTry: boolean;
  /** The token set of a `refreshed` outcome, sealed for generation + 1. */
  readonly tokens: TokenSet | undefined;
  /** Seals what of the answer must be kept if it cannot become current; undefined when there is nothing. */
  readonly leftover: ((label: LeftoverLabel) => Leftover['sealed']) | undefined;
  /** For refusals. */
  readonly advice: Advice | undefined;
  /** Set when the access token cannot be served: the scheme is not one we know. */
  readonly unusableType: string | undefined;
}

/** What became of an attempt. */
export type Verdict =
  /** The token set is current. */
  | { readonly kind: 'recorded'; readonly connection: ConnectionRecord }
  /** Somebody else recorded a newer generation or grant; that one counts. */
  | { readonly kind: 'superseded'; readonly connection: ConnectionRecord }
  /** No token set; the connection says why. */
  | { readonly kind: 'failed'; readonly connection: ConnectionRecord };

/** Decides what an outcome means, and writes it. */
export function decideVerdict(
  view: View,
  attempt: Attempt,
  outcome: TokenOutcome,
  facts: Facts,
): Change<Verdict> {
  const { connection } = view;
  const isCurrent =
    sabotaged('generation-check') ||
    (connection.grantId === attempt.grantId && connection.generation === attempt.generation);
  const isMine = connection.claim?.attemptId === attempt.attemptId;
  // An attempt whose claim was taken over counts with what is final; the rest whoever took it is finding out now.
  if (!isCurrent || (!isMine && PASSING.has(outcome.kind))) {
    return overtaken(view, attempt, outcome, facts);
  }
  const rule = OUTCOMES[outcome.kind] as Rule<never>;
  const effect = rule(view, attempt, outcome as never, facts);
  const claim = isMine ? undefined : connection.claim;
  const change = { ...effect.connection, claim };
  const after = { ...connection, ...change };
  const kind = after.generation > connection.generation ? 'recorded' : 'failed';
  return { ...effect, connection: change, result: { kind, connection: after } };
}

/** Outcomes after which the same request may have another. */
const PASSING: ReadonlySet<TokenOutcome['kind']> = new Set([
  'not_sent',
  'throttled',
  'ambiguous',
  'unnamed_refusal',
]);

type Rule<K extends TokenOutcome['kind']> = (
  view: View,
  attempt: Attempt,
  outcome: TokenOutcome & { readonly kind: K },
  facts: Facts,
) => Effect;

/** One rule an outcome: the table of ARCHITECTURE.md in code. */
const OUTCOMES: { readonly [K in TokenOutcome['kind']]: Rule<K> } = {
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

function recordTokens({ connection, client, endpoint }: View, facts: Facts): Effect {
  const tokens = facts.tokens;
  if (tokens === undefined) throw new TypeError('a refreshed outcome needs its token set');
  const generation = connection.generation + 1;
  const next = { ...connection, generation, tokens };
  const common = { generation, tokens, intent: undefined };
  const refreshed = event(next, facts, 'refreshed', undefined);
  const accepted = client.refusedAt !== undefined && {
    client: { refusedAt: undefined, refusal: undefined },
  };
  if (facts.unusableType !== undefined) {
    const stop = attention(next, facts, 'ERR_TOKEN_TYPE_UNSUPPORTED', {
      actor: 'operator',
      cause: `the server issued a token of type ${facts.unusableType}, which cannot be sent as a bearer token`,
      remedy: 'set the token type in the provider overrides, or use another client',
    });
    return {
      ...stop,
      ...accepted,
      connection: { ...stop.connection, ...common },
      endpoint: endpointWorks(endpoint),
      life: [refreshed, ...stop.life],
    };
  }
  const recovered = standing(connection.state).kind !== 'active';
  const bornExpired = tokens.accessLifeMs <= 0;
  return {
    ...accepted,
    connection: {
      ...common,
      state: moveTo(connection.state, { kind: 'active' }),
      backoff: bornExpired
        ? nextBackoff(connection.backoff, facts.now, facts.fraction, 30_000)
        : NO_BACKOFF,
      lastError: bornExpired
        ? {
            at: facts.now,
            outcome: 'refreshed',
            message: 'the server issued an access token that has already expired',
          }
        : undefined,
    },
    endpoint: endpointWorks(endpoint),
    life: recovered ? [refreshed, event(next, facts, 'recovered', undefined)] : [refreshed],
    notices: recovered
      ? [
          {
            kind: 'recovered',
            actor: 'nobody',
            at: facts.now,
            message: `the connection works again; nothing need be done`,
          },
        ]
      : [],
  };
}

function judgeAmbiguous(
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

function overtaken(
  view: View,
  attempt: Attempt,
  outcome: TokenOutcome,
  facts: Facts,
): Change<Verdict> {
  const { connection } = view;
  const mine = connection.claim?.attemptId === attempt.attemptId;
  const age = connection.grantId === attempt.grantId ? 'stray' : 'revoke';
  // Bytes that nobody could read are no refresh token.
  const kind = outcome.kind === 'refreshed' ? age : 'quarantine';
  const after = mine ? { ...connection, claim: undefined } : connection;
  const leftovers = putAway(kind, attempt, facts);
  return {
    result: { kind: 'superseded', connection: after },
    ...(mine && { connection: { claim: undefined } }),
    ...(leftovers.length > 0 && {
      leftovers,
      life: [
        event(
          connection,
          facts,
          'late_answer',
          `an answer of ${age === 'stray' ? 'an older generation' : 'an older grant'} arrived late and was put away`,
        ),
      ],
    }),
  };
}

function putAway(
  kind: Leftover['kind'],
  { grantId, attemptId }: Attempt,
  facts: Facts,
): readonly Leftover[] {
  if (facts.leftover === undefined) return [];
  const label = { kind, grantId, attemptId };
  return [{ ...label, sealed: facts.leftover(label), at: facts.now }];
}

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
