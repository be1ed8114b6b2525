import { systemClock } from '../system/clock.ts';
import { ACTS, type Act } from './acts.ts';
import type { DemoOptions } from './options.ts';
import { play, type Row } from './scene.ts';
import { World } from './world.ts';

export type { DemoOptions } from './options.ts';
export { keepWorld, type KeptWorld } from './kept/keep-world.ts';
export type { Row } from './scene.ts';

/** Who watches the demo. */
export interface Audience {
  /** Told what is about to be done: which of how many rows, and its title. */
  onScene(number: number, all: number, title: string): void;
  /** Told each row as soon as it is known, and which it is. */
  onRow(number: number, row: Row): void;
}

/** Who watches one act. */
interface ActAudience {
  readonly onScene: (title: string) => void;
  readonly onRow: (row: Row) => void;
}

/** The demo ends by itself whatever happens. */
const LONGEST_DEMO_MS = 180_000;
/** An act that hangs leaves time for the others. */
const LONGEST_ACT_MS = 60_000;
const ALL = ACTS.reduce((sum, { scenes }) => sum + scenes.length, 0);

/**
 * Shows, against emulators on this machine, what evergrant does. Touches no connection of the user's, and no network but loopback.
 *
 * @returns the rows, each found out by counting.
 * @throws the signal's reason when it aborts.
 */
export async function runDemo(options: DemoOptions, audience: Audience): Promise<readonly Row[]> {
  const rows: Row[] = [];
  using whole = deadlineAfter(LONGEST_DEMO_MS);
  for (const act of ACTS) {
    await playAct(act, options, whole.signal, {
      onScene: (title) => audience.onScene(rows.length + 1, ALL, title),
      onRow: (row) => audience.onRow(rows.push(row), row),
    });
    options.signal.throwIfAborted();
  }
  return rows;
}

/** Plays the scenes of an act in a world of their own, until `end` at most. Rows that the demo's end cut short are not told. */
async function playAct(
  act: Act,
  options: DemoOptions,
  end: AbortSignal,
  audience: ActAudience,
): Promise<void> {
  using deadline = deadlineAfter(LONGEST_ACT_MS);
  const signal = AbortSignal.any([options.signal, deadline.signal, end]);
  const opening = World.begin(act.world, options.launcher, signal);
  await using world = await opening.catch(() => undefined);
  for (const scene of act.scenes) {
    audience.onScene(scene.title);
    const row = await play(scene, world ?? opening);
    if (options.signal.aborted) return;
    audience.onRow(row);
  }
}

function deadlineAfter(ms: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const timer = systemClock.timer(ms, () => {
    controller.abort(new Error(`not done after ${String(ms / 1000)} s`));
  });
  return { signal: controller.signal, [Symbol.dispose]: () => timer.cancel() };
}
