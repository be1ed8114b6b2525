import type { Change, View } from '../connection/decision.ts';
import type { Verdict } from '../connection/verdict.ts';
import { NotFoundError, StoreError } from '../errors.ts';
import { sleep } from '../system/clock.ts';
import type { Engine } from './engine.ts';
import type { Spill } from './spill.ts';

/*
 * When the store cannot take an answer, it stays in memory and in a spill file, the claim stays held so that nobody repeats the request, and
 * writing is tried until it works.
 */

/**
 * Runs the transition until it is committed. An answer with tokens is kept at all costs; anything else is given up after some tries,
 * since the next attempt finds its intent and judges it anew.
 */
export async function persist(
  engine: Engine,
  connectionId: string,
  decide: (view: View) => Change<Verdict>,
  spill: Spill | undefined,
): Promise<Verdict> {
  let spilled = false;
  for (let tries = 1; ; tries++) {
    const written = await tryWrite(engine, connectionId, decide).catch(async (error: unknown) => {
      // A fault of ours loses no answer either: whoever comes next finds it.
      const isOfUse = spill !== undefined && !(error instanceof NotFoundError);
      if (isOfUse && !spilled) await trySpill(engine, spill);
      throw error;
    });
    if (!('failure' in written)) {
      if (spilled && spill !== undefined) await forgetSpill(engine, spill);
      return written.verdict;
    }
    const { failure } = written;
    if (spill === undefined && tries >= 8) throw failure;
    const message = `an answer could not be stored (${failure.message}); it is kept and tried again`;
    if (tries === 1) engine.emit('warning', { connection: undefined, message });
    if (spill !== undefined && !spilled) spilled = await trySpill(engine, spill);
    if (spilled && engine.closing.aborted) throw failure;
    await sleep(
      engine.clock,
      Math.min(50 * 2 ** tries, 5_000),
      spilled ? engine.closing : undefined,
    );
  }
}

async function tryWrite(
  engine: Engine,
  connectionId: string,
  decide: (view: View) => Change<Verdict>,
): Promise<{ readonly verdict: Verdict } | { readonly failure: StoreError }> {
  let verdict: Verdict | undefined;
  try {
    verdict = await engine.store.transition(connectionId, decide, { durable: true });
  } catch (error) {
    if (error instanceof StoreError) return { failure: error };
    throw error;
  }
  if (verdict !== undefined) return { verdict };
  throw new NotFoundError(
    'ERR_CONNECTION_UNKNOWN',
    'the connection was removed while it was refreshed',
  );
}

/** An answer is recorded whether its file can be removed or not; whoever looks after the files next finds that out. */
export async function forgetSpill(engine: Engine, { attempt }: Spill): Promise<void> {
  await engine.spills.remove(attempt.attemptId).catch(() => undefined);
}

async function trySpill(engine: Engine, spill: Spill): Promise<boolean> {
  try {
    await engine.spills.write(spill);
    return true;
  } catch {
    return false;
  }
}
