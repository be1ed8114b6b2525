import { COPIED } from '../connection/copied.ts';
import { isLeftAlone } from '../connection/gate.ts';
import type { EndpointState, LifeEvent } from '../connection/record.ts';
import { clause } from '../connection/telling.ts';
import type { ConnectionStatus, Explanation } from '../keeper-api.ts';
import { isoInstant } from '../system/instant.ts';

type Told = Pick<Explanation, 'cause' | 'confidence' | 'fix'>;

/** That a token endpoint is left alone. */
interface LeftAlone {
  /** Until when. */
  readonly until: number;
  /** Why, as a clause. */
  readonly because: string;
}

/** Whether an endpoint is left alone at `now`, until when and why; undefined when it may be asked. */
export function leftAlone(endpoint: EndpointState | undefined, now: number): LeftAlone | undefined {
  if (endpoint === undefined || !isLeftAlone(endpoint, now)) return undefined;
  const { blockedUntil, blockedBecause } = endpoint;
  return { until: blockedUntil, because: blockedBecause ?? 'the server is failing' };
}

/** Tells the one most likely cause of a connection's present state, how sure that is, and what to do; `alone` where its server is left alone. */
export function explain(
  status: ConnectionStatus,
  life: readonly LifeEvent[],
  alone?: LeftAlone,
): Explanation {
  return { status, life, ...tell(status, life, alone) };
}

function tell(
  status: ConnectionStatus,
  life: readonly LifeEvent[],
  alone: LeftAlone | undefined,
): Told {
  const { state, reason, remedy } = status;
  switch (state) {
    case 'paused':
      return told('Somebody paused it.', 'certain', `evergrant resume ${status.name}`);
    case 'disconnected':
      // It is removed once its server has been told.
      return told(
        'Somebody disconnected it, and it is not revoked at the server yet.',
        'certain',
        `evergrant disconnect ${status.name}; where the server has gone, or refuses the client for good: evergrant disconnect ${status.name} --anyway`,
      );
    case 'attention':
      return told(reason ?? 'The server refused it.', attentionConfidence(life), remedy ?? '');
    case 'uncertain':
      if (reason === COPIED) return told(`It is held: ${COPIED}.`, 'certain', remedy ?? '');
      return told(
        `A request that may have used the refresh token up got no answer that could be stored: ${reason ?? 'it was lost'}.`,
        'likely',
        remedy ?? '',
      );
    case 'active':
      return tellActive(status, alone);
  }
}

const BY_ITSELF = 'Nothing: it is tried again by itself.';

function tellActive(status: ConnectionStatus, alone: LeftAlone | undefined): Told {
  const { lastError, reason, remedy, freshness, refreshingBy } = status;
  if (reason !== undefined) {
    return told(`The server refuses the client: ${reason}`, 'certain', remedy ?? '');
  }
  const living = freshness === 'fresh' || freshness === 'due';
  const served = living ? ' The access token at hand still works.' : '';
  if (lastError !== undefined) {
    const until =
      alone === undefined ? '' : ` The server is left alone until ${isoInstant(alone.until)}.`;
    return told(
      `The last refresh failed: ${clause(lastError.message)}.${served}${until}`,
      'certain',
      BY_ITSELF,
    );
  }
  if (refreshingBy !== undefined) {
    return told(`It is being refreshed by ${refreshingBy}.`, 'certain', 'Nothing.');
  }
  if (alone !== undefined && freshness !== 'fresh') {
    const { until, because } = alone;
    return told(
      `The server is left alone until ${isoInstant(until)}: ${clause(because)}.${served}`,
      'certain',
      BY_ITSELF,
    );
  }
  if (freshness === 'expired' || freshness === 'none') {
    return told(
      'Its access token has run out, since nothing asked for one and no keeper renews in the background.',
      'likely',
      `Nothing: it is refreshed by the next evergrant token ${status.name}`,
    );
  }
  return told('It works.', 'certain', 'Nothing.');
}

/** A refusal right after a lost answer is most likely its consequence, whatever the server calls it. */
function attentionConfidence(life: readonly LifeEvent[]): Told['confidence'] {
  const refusal = life.findIndex(({ event }) => event === 'attention');
  const before = life[refusal + 1]?.event;
  return before === 'uncertain' || before === 'answer_lost' ? 'possible' : 'likely';
}

function told(cause: string, confidence: Told['confidence'], fix: string): Told {
  return { cause, confidence, fix };
}
