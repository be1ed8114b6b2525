import { systemClock } from '../system/clock.ts';
import { ACTS, type Act } from './acts.ts';
import type { Launcher } from './evergrant-process.ts';
import { play, type Row } from './scene.ts';
import { signInOnce } from './scenes/sign-in.ts';
import { World } from './world.ts';

export type { Launcher } from './evergrant-process.ts';
export type { Row } from './scene.ts';
export type { World } from './world.ts';

/** What the demo needs. */
export interface DemoOptions {
  /** How further processes of evergrant are started. */
  readonly launcher: Launcher;
  /** Ends the demo, and takes its processes and folders with it. */
  readonly signal: AbortSignal;
}

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
const LONGEST_DEMO_MS = 50_000;
/** An act that hangs leaves time for the others. */
const LONGEST_ACT_MS = 15_000;
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

/**
 * Begins a world in which somebody has signed in, and keeps it until the signal aborts.
 *
 * @param onReady - told when other processes can use it.
 * @throws when the sign-in fails.
 */
export async function keepWorld(
  { launcher, signal }: DemoOptions,
  onReady: (world: World) => void,
): Promise<void> {
  await using world = await World.begin({}, launcher, signal);
  const { ok, reason } = await play(signInOnce, world);
  if (!ok) throw new Error(reason);
  await world.forget();
  onReady(world);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
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
