import type { Engine } from './engine.ts';
import { recordSpill } from './record.ts';
import type { Spill } from './spill.ts';

/** As far back as a store remembers. */
const MOST_LINES = 500;

/**
 * Looks after the answers in spill files whose attempt nobody will ask for again, because its intent is gone: it was recorded by a keeper that
 * ended before it could remove the file, or the connection has got a newer grant or generation, and the answer is put away as a stray. An answer
 * whose intent still stands is recorded by the next flight of its connection. A file that cannot be read is told of, and keeps no other from
 * being looked after.
 */
export async function recoverSpills(engine: Engine): Promise<void> {
  for (const attemptId of await engine.spills.attempts()) {
    try {
      await recover(engine, attemptId);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      engine.emit('warning', { connection: undefined, message });
    }
  }
}

async function recover(engine: Engine, attemptId: string): Promise<void> {
  const spill = await engine.spills.find(attemptId);
  if (spill === undefined) return;
  const view = await engine.store.read(spill.connectionId);
  if (view === undefined || (await isRecorded(engine, spill))) {
    await engine.spills.remove(attemptId);
  } else if (view.connection.intent?.attemptId !== attemptId) {
    await recordSpill(engine, spill);
  }
}

/** Whether the token set in a file is one that the connection has had. */
async function isRecorded(
  { store }: Engine,
  { connectionId, attempt, tokens }: Spill,
): Promise<boolean> {
  const life = await store.life(connectionId, MOST_LINES);
  return life.some(
    ({ event, grantId, generation, fingerprint }) =>
      event === 'refreshed' &&
      grantId === attempt.grantId &&
      generation === attempt.generation + 1 &&
      fingerprint === tokens.fingerprint,
  );
}
