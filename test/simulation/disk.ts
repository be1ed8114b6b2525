import type { PrivateFiles } from '../../src/system/files.ts';
import type { Reserve } from '../../src/system/reserve.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** A removal is on disk after so long; the power lost before may undo it. */
const JOURNAL_MS = 5_000;

/**
 * The folder of spills. A file is written under another name and renamed when it is synced, as the real one is: power lost meanwhile leaves
 * a torn file under that other name. What was removed a moment ago may be back.
 */
export class Disk {
  readonly #world: World;
  readonly #files = new Map<string, string>();
  readonly #removed = new Map<string, { readonly content: string; readonly at: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Names of the spills that lie there. */
  get spills(): readonly string[] {
    return [...this.#files.keys()].filter((path) => path.endsWith('.spill'));
  }

  /** The folder as a process sees it. */
  filesOf(process: Process): PrivateFiles {
    const { rng, trouble } = this.#world;
    const check = (): void => trouble.checkDisk();
    return {
      makeFolder: () => process.io('making the folder', rng.between(0, 2), check),
      list: () =>
        process.read(() => [...this.#files.keys()].map((path) => path.split('/').at(-1) ?? path)),
      // Its writers are not killed between writing a file and naming it.
      leftBehind: () => Promise.resolve([]),
      read: (path) =>
        process.read(() => {
          const content = this.#files.get(path);
          return content === undefined ? undefined : Buffer.from(content);
        }),
      write: (path, content) => {
        const temporary = `${path}.tmp`;
        if (process.alive) this.#files.set(temporary, content.slice(0, rng.between(0, 200)));
        return process.io('spill', rng.between(1, 20), () => {
          this.#files.delete(temporary);
          check();
          this.#files.set(path, content);
          this.#world.oracle.sends.spilled(attemptOf(path));
          this.#world.trace(process.name, `wrote ${path}`);
        });
      },
      remove: (path) =>
        process.io('removing the spill', rng.between(0, 2), () => {
          check();
          const content = this.#files.get(path);
          if (content === undefined) return;
          this.#files.delete(path);
          this.#removed.set(path, { content, at: this.#world.scheduler.now });
          this.#world.trace(process.name, `removed ${path}`);
        }),
    };
  }

  /** The room kept for one answer, as a process finds it. */
  reserveOf(process: Process): Reserve {
    const { rng, trouble } = this.#world;
    return {
      make: (reserve) =>
        process.io('making the reserve', rng.between(0, 20), () => {
          if (this.#files.has(reserve)) return;
          trouble.checkDisk();
          this.#files.set(reserve, 'reserved');
        }),
      spend: (reserve, path, content) =>
        process.io('spending the reserve', rng.between(1, 20), () => {
          if (trouble.ailment === 'unreachable') trouble.checkDisk();
          if (!this.#files.delete(reserve)) throw new Error('there is no reserve');
          this.#files.set(path, content);
          this.#world.oracle.sends.spilled(attemptOf(path));
          this.#world.trace(process.name, `wrote ${path} in the place of the reserve`);
        }),
    };
  }

  losePower(): void {
    const { rng, scheduler } = this.#world;
    for (const [path, { content, at }] of this.#removed) {
      const isUndone = scheduler.now - at < JOURNAL_MS && rng.chance(0.5);
      if (isUndone) this.#files.set(path, content);
    }
    this.#removed.clear();
  }
}

function attemptOf(path: string): string {
  return /([\w-]+)\.spill$/.exec(path)?.[1] ?? '';
}
