import type { Engine } from './engine.ts';
import { recordSpill } from './record.ts';

/**
 * Looks after the answers in spill files whose attempt nobody will ask for again, because its intent is gone: the connection has got a newer
 * grant or generation. They are put away as strays. An answer whose intent still stands is recorded by the next flight of its connection.
 */
export async function recoverSpills(engine: Engine): Promise<void> {
  for (const attemptId of await engine.spills.attempts()) {
    const spill = await engine.spills.find(attemptId);
    if (spill === undefined) continue;
    const view = await engine.store.read(spill.connectionId);
    const awaited = view?.connection.intent?.attemptId === attemptId;
    if (view === undefined) await engine.spills.remove(attemptId);
    else if (!awaited) await recordSpill(engine, spill);
  }
}
