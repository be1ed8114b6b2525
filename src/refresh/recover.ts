import { sabotaged } from '#failpoints';
import type { View } from '../connection/decision.ts';
import { StoreError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { recordSpill } from './record.ts';
import type { Spill } from './spill.ts';

/*
 * Answers that the store could not take lie in files. Most are found by the next flight of their connection. Here are the ways to those whose
 * connection flies no more: it has got a newer grant, or waits for a person, who need not act any more once they are recorded.
 */

/** As far back as a store remembers. */
const MOST_LINES = 500;

/** An answer that stays in its file. */
export interface RecoveryFailure {
  /** Whose it is; undefined when the file cannot be read. */
  readonly connectionId: string | undefined;
  /** Why. */
  readonly message: string;
}

/**
 * Looks after all answers in files; one that fails keeps no other from it.
 *
 * @param refreshed - called, and waited for, after each change of a connection, so that this keeper's callers see it.
 * @returns those that failed.
 * @throws {@link StoreError} when the files cannot be listed.
 */
export async function recoverSpills(
  engine: Engine,
  refreshed: (connectionId: string) => Promise<void>,
): Promise<readonly RecoveryFailure[]> {
  const failures: RecoveryFailure[] = [];
  await engine.spills.tidy().catch((error: unknown) => {
    failures.push({ connectionId: undefined, message: messageOf(error) });
  });
  for (const attemptId of await engine.spills.attempts()) {
    let spill: Spill | undefined;
    try {
      spill = await engine.spills.find(attemptId);
      if (spill === undefined) continue;
      await recoverSpill(engine, spill);
      await refreshed(spill.connectionId);
    } catch (error) {
      failures.push({ connectionId: spill?.connectionId, message: messageOf(error) });
    }
  }
  return failures;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function recoverSpill(engine: Engine, spill: Spill): Promise<void> {
  const { attemptId } = spill.attempt;
  const view = await engine.store.read(spill.connectionId);
  const isAwaited = view?.connection.intent?.attemptId === attemptId;
  if (await isOfNoUse(engine, view, spill)) await engine.spills.remove(attemptId);
  else if (view === undefined) throw ofUnknown(spill);
  else if (isAwaited) await recordUnclaimed(engine, view, spill);
  else await recordSpill(engine, spill);
}

async function isOfNoUse(engine: Engine, view: View | undefined, spill: Spill): Promise<boolean> {
  if (view !== undefined) return wasRecorded(engine, spill);
  return engine.store.hasRemoved(spill.connectionId);
}

/** Most likely a backup was restored that is older than the connection; a newer one needs the answer. */
function ofUnknown({ attempt: { attemptId } }: Spill): StoreError {
  return new StoreError(
    'ERR_STORE_DAMAGED',
    `the answer ${attemptId}.spill is of a connection that the store does not know, as in an older backup; it is kept, move it away if none that knows it can be restored`,
  );
}

/**
 * Records the answer that the intent of a connection is about, where it lies in a file and nobody is at it who lives.
 *
 * @returns whether it did.
 * @throws {@link StoreError} when the file cannot be read, or the store not be written.
 */
export async function recoverAwaited(engine: Engine, view: View): Promise<boolean> {
  const { intent } = view.connection;
  const spill = intent === undefined ? undefined : await engine.spills.find(intent.attemptId);
  return spill !== undefined && recordUnclaimed(engine, view, spill);
}

/** Records an answer, unless whoever is at its connection lives, and does so. @returns whether it did. */
async function recordUnclaimed(
  engine: Engine,
  { connection: { claim } }: View,
  spill: Spill,
): Promise<boolean> {
  if (sabotaged('awaited-spills')) return false;
  if (claim !== undefined && (await engine.store.claims.judge(claim.owner)) !== 'dead')
    return false;
  await recordSpill(engine, spill);
  return true;
}

/** Whether the token set in a file is one that the connection has had. */
async function wasRecorded(
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
