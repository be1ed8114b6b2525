import { systemClock } from '../system/clock.ts';
import { ACTS, type Act } from './acts.ts';
import type { Launcher } from './evergrant-process.ts';
import { failedRow, play, type Row } from './scene.ts';
import { World } from './world.ts';

export type { Launcher } from './evergrant-process.ts';
export type { Row } from './scene.ts';
export type { World } from './world.ts';

/** How the demo is run. */
export interface DemoOptions {
  /** How further processes of evergrant are started. */
  readonly launcher: Launcher;
  /** Ends the demo, and takes its processes and folders with it. */
  readonly signal: AbortSignal;
  /** Told what is about to be done: which of how many rows, and its title. */
  onScene(number: number, all: number, title: string): void;
  /** Told each row as soon as it is known. */
  onRow(row: Row): void;
  /** When given, the first act's world is kept until this resolves. */
  readonly keep?: ((world: World, rows: readonly Row[]) => Promise<void>) | undefined;
}

/** No act may take longer, so that the demo ends by itself whatever happens. */
const LONGEST_ACT_MS = 15_000;

/**
 * Shows, against emulators on this machine, what evergrant does. Touches no connection of the user's, and no network but loopback.
 *
 * @returns the rows, each found out by counting.
 * @throws the signal's reason when it aborts.
 */
export async function runDemo(options: DemoOptions): Promise<readonly Row[]> {
  const { signal, keep } = options;
  const rows: Row[] = [];
  let kept: World | undefined;
  try {
    for (const act of ACTS) {
      signal.throwIfAborted();
      const world = await playAct(act, options, rows);
      if (keep !== undefined && kept === undefined) kept = world;
      else await world?.close();
    }
    signal.throwIfAborted();
    if (kept !== undefined) await keep?.(kept, rows);
  } finally {
    await kept?.close();
  }
  return rows;
}

/** Plays the scenes of an act in a world of their own. @returns that world, if it could be begun. */
async function playAct(act: Act, options: DemoOptions, rows: Row[]): Promise<World | undefined> {
  const all = ACTS.reduce((sum, { scenes }) => sum + scenes.length, 0);
  const deadline = new AbortController();
  const timer = systemClock.timer(LONGEST_ACT_MS, () => {
    deadline.abort(new Error(`not done after ${String(LONGEST_ACT_MS / 1000)} s`));
  });
  const signal = AbortSignal.any([options.signal, deadline.signal]);
  const world = await World.begin(act.world, options.launcher, signal).catch(asError);
  for (const scene of act.scenes) {
    if (options.signal.aborted) break;
    options.onScene(rows.length + 1, all, scene.title);
    const row = world instanceof World ? await play(scene, world) : failedRow(scene.title, world);
    if (options.signal.aborted) break;
    rows.push(row);
    options.onRow(row);
  }
  timer.cancel();
  return world instanceof World ? world : undefined;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
