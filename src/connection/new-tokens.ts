import type { Effect, View } from './decision.ts';
import type { Facts } from './facts.ts';
import { cutToClock, isClockSetBack } from './freshness.ts';
import { NO_BACKOFF, endpointWorks, nextBackoff } from './gate.ts';
import type { TokenSet } from './record.ts';
import { attention, moveTo, standing } from './states.ts';
import { event } from './telling.ts';

/** What a refresh that succeeded does: the token set is current, and what was wrong before is over. */
export function recordTokens({ connection, client, endpoint }: View, facts: Facts): Effect {
  if (facts.tokens === undefined) throw new TypeError('a refreshed outcome needs its token set');
  const tokens = asOfNow(facts.tokens, facts.now);
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

/** An answer may have waited for the store while the clock was set back; nobody can tell by how much, so its set is due at once. */
function asOfNow(tokens: TokenSet, now: number): TokenSet {
  return isClockSetBack(tokens, now) ? cutToClock(tokens, now, now) : tokens;
}
