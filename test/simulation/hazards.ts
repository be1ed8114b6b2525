import type { Process } from './process.ts';
import type { World } from './world.ts';

/** Strikes processes at their steps. */
export class Hazards {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Perhaps something befalls a process at this step. */
  strike(process: Process, step: string): void {
    const { faultsOn, rng, plan } = this.#world;
    if (!faultsOn || !process.alive || !rng.chance(plan.hazards.rate)) return;
    const kind = rng.weighted(plan.hazards.weights);
    if (kind === undefined) return;
    this.#world.trace(process.name, `${kind} ${step}`);
    switch (kind) {
      case 'crash':
        this.#world.crash(process);
        break;
      case 'stop':
        this.#world.stop(process, rng.spread(20, 900_000));
        break;
      case 'suspend':
        this.#world.suspend(rng.spread(1_000, 3_600_000));
        break;
      case 'power':
        this.#world.losePower();
        break;
      case 'clock':
        this.jumpClock();
        break;
      case 'disk':
        this.#world.trouble.begin(
          rng.pick(['full', 'full', 'all-full', 'unreachable']),
          rng.spread(10, 120_000),
        );
    }
  }

  /** Somebody sets the clock. */
  jumpClock(): void {
    const { rng, plan, machine } = this.#world;
    const jump = rng.between(-plan.jumpMs, plan.jumpMs);
    machine.offsetMs += jump;
    this.#world.clocksAgree = false;
    this.#world.oracle.sends.clockSet();
    this.#world.trace('clock', `set ${String(jump)} ms ahead`);
  }
}
