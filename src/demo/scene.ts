import type { World } from './world.ts';

/** What a scene found out. */
export interface Finding {
  /** What was counted, for people. */
  readonly counted: string;
  /** Everything the row says, each with whether it held. */
  readonly claims: Readonly<Record<string, boolean>>;
}

/** One row of the demo: something is done, and the emulator's ledger and the keeper tell what came of it. */
export interface Scene {
  /** What is done, for people. */
  readonly title: string;
  /** Does it. Must end when the world's signal aborts. */
  play(world: World): Promise<Finding>;
}

/** A row as it is shown. */
export interface Row {
  /** What was done. */
  readonly title: string;
  /** What was counted; empty when the scene broke off. */
  readonly counted: string;
  /** Whether everything it says held. */
  readonly ok: boolean;
  /** Why not; undefined when it held. */
  readonly reason: string | undefined;
}

/** Plays a scene in a world, which may still be beginning. Whatever goes wrong becomes the row's reason. */
export async function play(scene: Scene, beginning: World | Promise<World>): Promise<Row> {
  const { title } = scene;
  try {
    const world = await beginning;
    const { counted, claims } = await orAborted(scene.play(world), world.signal);
    const untrue = Object.entries(claims).flatMap(([claim, held]) => (held ? [] : [claim]));
    const ok = untrue.length === 0;
    return { title, counted, ok, reason: ok ? undefined : `not so: ${untrue.join('; ')}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { title, counted: '', ok: false, reason };
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
