import type { Machine as MachineFacts } from '../../src/system/machine.ts';
import type { Rng } from './rng.ts';
import type { Scheduler } from './scheduler.ts';

/** The machine that all processes run on: its clocks, its sleep, its boots. */
export class Machine {
  /** Wall time minus true time. */
  offsetMs: number;
  asleep = false;
  bootId: string;
  readonly #scheduler: Scheduler;
  readonly #rng: Rng;
  readonly #sleepers: (() => void)[] = [];
  #sleptMs = 0;
  #bootedAt: number;

  constructor(scheduler: Scheduler, rng: Rng, offsetMs: number) {
    this.#scheduler = scheduler;
    this.#rng = rng;
    this.offsetMs = offsetMs;
    this.bootId = rng.uuid();
    this.#bootedAt = scheduler.now;
  }

  wall(skewMs: number): number {
    return Math.floor(this.#scheduler.now + this.offsetMs + skewMs);
  }

  /** Stands still while the machine sleeps. */
  monotonic(): number {
    return this.#scheduler.now - this.#sleptMs - Date.UTC(2026, 0, 1);
  }

  /** Counts sleep, and begins anew with each boot. */
  uptimeMs(): number {
    return this.#scheduler.now - this.#bootedAt;
  }

  facts(pid: number): MachineFacts {
    return { machineId: 'machine', bootId: this.bootId, hostname: 'host', pid };
  }

  /** Sleeps for a time that only the wall clock counts. */
  suspend(ms: number): void {
    if (this.asleep) return;
    this.asleep = true;
    this.#scheduler.after(ms, () => {
      if (!this.asleep) return;
      this.#sleptMs += ms;
      this.wake();
    });
  }

  /** Runs once the machine is awake. */
  whenAwake(run: () => void): void {
    this.#sleepers.push(run);
  }

  reboot(): void {
    this.bootId = this.#rng.uuid();
    this.#bootedAt = this.#scheduler.now;
    this.#sleepers.length = 0;
    this.asleep = false;
  }

  wake(): void {
    this.asleep = false;
    for (const run of this.#sleepers.splice(0)) this.#scheduler.after(0, run);
  }
}
