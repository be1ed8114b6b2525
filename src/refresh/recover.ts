import { sabotaged } from '#failpoints';
import type { View } from '../connection/decision.ts';
import type { Engine } from './engine.ts';
import { recordSpill } from './record.ts';

/*
 * Answers that the store could not take lie in files. Most are found by the next flight of their connection. Here are the ways to those whose
 * connection flies no more: it has got a newer grant, or waits for a person, who need not act any more once they are recorded.
 */

/**
 * Looks after all answers in files; one that fails keeps no other from it.
 *
 * @returns what is wrong with those that failed.
 * @throws {@link StoreError} when the files cannot be listed.
 */
export async function recoverSpills(engine: Engine): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const attemptId of await engine.spills.attempts()) {
    await recoverSpill(engine, attemptId).catch((error: unknown) => {
      failures.push(error instanceof Error ? error.message : String(error));
    });
  }
  return failures;
}

async function recoverSpill(engine: Engine, attemptId: string): Promise<void> {
  const spill = await engine.spills.find(attemptId);
  if (spill === undefined) return;
  const view = await engine.store.read(spill.connectionId);
  const isAwaited = view?.connection.intent?.attemptId === attemptId;
  if (view === undefined) await engine.spills.remove(attemptId);
  else if (isAwaited) await recoverAwaited(engine, view);
  else await recordSpill(engine, spill);
}

/**
 * Records the answer that the intent of a connection is about, where it lies in a file and nobody is at it who lives.
 *
 * @returns whether it did.
 * @throws {@link StoreError} when the file cannot be read, or the store not be written.
 */
export async function recoverAwaited(engine: Engine, { connection }: View): Promise<boolean> {
  const { intent, claim } = connection;
  if (intent === undefined || sabotaged('awaited-spills')) return false;
  const spill = await engine.spills.find(intent.attemptId);
  if (spill === undefined) return false;
  if (claim !== undefined && (await engine.store.claims.judge(claim.owner)) !== 'dead')
    return false;
  await recordSpill(engine, spill);
  return true;
}
