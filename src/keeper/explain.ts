import { COPIED } from '../connection/copied.ts';
import type { LifeEvent } from '../connection/record.ts';
import { clause } from '../connection/telling.ts';
import type { ConnectionStatus, Explanation } from '../keeper-api.ts';

type Told = Pick<Explanation, 'cause' | 'confidence' | 'fix'>;

/** Tells the one most likely cause of a connection's present state, how sure that is, and what to do. */
export function explain(status: ConnectionStatus, life: readonly LifeEvent[]): Explanation {
  return { status, life, ...tell(status, life) };
}

function tell(status: ConnectionStatus, life: readonly LifeEvent[]): Told {
  const { state, reason, remedy } = status;
  switch (state) {
    case 'paused':
      return told('Somebody paused it.', 'certain', `evergrant resume ${status.name}`);
    case 'disconnected':
      return told('Somebody disconnected it.', 'certain', 'Connect it again when it is needed.');
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
      return tellActive(status);
  }
}

function tellActive(status: ConnectionStatus): Told {
  const { lastError, reason, remedy, freshness, refreshingBy } = status;
  if (reason !== undefined) {
    return told(`The server refuses the client: ${reason}`, 'certain', remedy ?? '');
  }
  if (lastError !== undefined) {
    const living = freshness === 'fresh' || freshness === 'due';
    const served = living ? ' The access token at hand still works.' : '';
    return told(
      `The last refresh failed: ${clause(lastError.message)}.${served}`,
      'certain',
      'Nothing: it is tried again by itself.',
    );
  }
  if (refreshingBy !== undefined) {
    return told(`It is being refreshed by ${refreshingBy}.`, 'certain', 'Nothing.');
  }
  if (freshness === 'expired' || freshness === 'none') {
    return told(
      'Its access token has run out, since nothing asked for one and no keeper renews in the background.',
      'likely',
      `Nothing: the next evergrant token ${status.name} refreshes it.`,
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
