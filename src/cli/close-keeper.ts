import { EvergrantError } from '../errors.ts';
import type { Keeper } from '../keeper-api.ts';
import { tell, type Session } from './session.ts';

const PATIENCE_MS = 1_000;

/**
 * Waits however long an answer takes: ending sooner could lose the only copy of a token. Says so, lest somebody wonders.
 *
 * @param meanwhile - what runs beside it; nobody wonders before that has ended.
 */
export async function closeKeeper(
  session: Session,
  keeper: Keeper,
  meanwhile?: Promise<unknown>,
): Promise<void> {
  const closed = new AbortController();
  if (meanwhile === undefined) tellOfWait(session, closed.signal);
  else void meanwhile.then(() => tellOfWait(session, closed.signal));
  try {
    while (!(await isClosed(keeper)));
  } finally {
    closed.abort();
  }
}

function tellOfWait(session: Session, closed: AbortSignal): void {
  if (closed.aborted) return;
  const timer = session.clock.timer(PATIENCE_MS, () => {
    tell(
      session,
      'evergrant: waiting for an answer under way to be recorded; it may hold the only copy of a token',
    );
  });
  closed.addEventListener('abort', () => timer.cancel());
}

async function isClosed(keeper: Keeper): Promise<boolean> {
  try {
    await keeper.close();
    return true;
  } catch (error) {
    if (error instanceof EvergrantError && error.code === 'ERR_DEADLINE') return false;
    throw error;
  }
}
