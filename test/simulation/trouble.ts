import { StoreError } from '../../src/errors.ts';
import type { World } from './world.ts';

/** What ails the disk for a while: it is full, cannot be reached, or takes neither store writes nor spills. */
export type Ailment = 'none' | 'full' | 'unreachable' | 'readonly-store' | 'all-full';

/** The state of the disk, as every process finds it. */
export class Trouble {
  ailment: Ailment = 'none';
  /** When the disk was last ill, in true time. */
  lastAt = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Lets the disk be ill for a while. */
  begin(ailment: Ailment, ms: number): void {
    if (this.ailment !== 'none') return;
    const { scheduler } = this.#world;
    this.ailment = ailment;
    this.lastAt = scheduler.now;
    this.#world.trace('disk', `${ailment} for ${String(ms)} ms`);
    scheduler.after(ms, () => {
      this.end();
    });
  }

  end(): void {
    if (this.ailment === 'none') return;
    this.ailment = 'none';
    this.lastAt = this.#world.scheduler.now;
    this.#world.trace('disk', 'well again');
  }

  /** @throws StoreError as a store on this disk would. */
  checkStore(access: 'read' | 'write'): void {
    if (this.ailment === 'none') return;
    if (this.ailment === 'unreachable') {
      throw new StoreError('ERR_STORE_UNAVAILABLE', 'the simulated store cannot be reached');
    }
    if (access === 'write') throw new StoreError('ERR_STORE_FULL', 'the simulated disk is full');
  }

  /** @throws StoreError as writing a file on this disk would. */
  checkDisk(): void {
    if (this.ailment === 'all-full' || this.ailment === 'unreachable') {
      throw new StoreError('ERR_STORE_FULL', 'the simulated disk is full');
    }
  }
}
