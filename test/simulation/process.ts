import { StoreError } from '../../src/errors.ts';
import type { Clock, Timer } from '../../src/system/clock.ts';
import type { StorePort } from './sim-store.ts';
import type { World } from './world.ts';

/**
 * One operating system process: what it asks of the world takes time, and may never be answered. A crash drops all that it waits for; a
 * stop keeps it waiting until it is continued.
 */
export class Process implements StorePort<Process> {
  readonly name: string;
  readonly pid: number;
  /** Its wall clock minus the machine's. */
  readonly skewMs: number;
  readonly ownerId: string;
  readonly clock: Clock;
  alive = true;
  stopped = false;
  /** It was told to end: nobody asks it for anything any more. */
  closing = false;
  /** Counts stops and sleeps that it went through, so that a judge of its pace can leave those out. */
  disturbances = 0;
  /** How long it was stopped while its machine ran, up to when it last went on. */
  stoppedMs = 0;
  #stoppedAt = 0;
  readonly #world: World;
  readonly #deferred: (() => void)[] = [];

  constructor(world: World, pid: number, skewMs: number) {
    this.#world = world;
    this.pid = pid;
    this.name = `p${String(pid)}`;
    this.skewMs = skewMs;
    this.ownerId = world.rng.uuid();
    const { machine } = world;
    this.clock = {
      now: () => machine.wall(skewMs),
      monotonic: () => machine.monotonic(),
      uptimeMs: () => machine.uptimeMs(),
      timer: (delayMs, callback) => this.#timer(delayMs, callback),
    };
  }

  get by(): this {
    return this;
  }

  /** Whether its code can run now. */
  get running(): boolean {
    return this.alive && !this.stopped && !this.#world.machine.asleep;
  }

  /** Runs at once, or when the process goes on; never if it is dead. */
  whenRunning(run: () => void): void {
    if (!this.alive) return;
    if (this.stopped) this.#deferred.push(run);
    else if (this.#world.machine.asleep) this.#world.machine.whenAwake(() => this.whenRunning(run));
    else run();
  }

  /** Runs after a delay, while the process is alive and going. */
  later(delayMs: number, run: () => void): void {
    this.#world.scheduler.after(delayMs, () => {
      this.whenRunning(run);
    });
  }

  /** Something that the world does for the process. A misfortune may strike before it is done, and before the process hears of it. */
  io<T>(step: string, latencyMs: number, work: () => T): Promise<T> {
    const { hazards, rng } = this.#world;
    return new Promise((resolve, reject) => {
      this.later(latencyMs, () => {
        hazards.strike(this, `before ${step}`);
        this.whenRunning(() => {
          const settle = attempt(work, resolve, reject);
          hazards.strike(this, `after ${step}`);
          if (rng.chance(0.3)) this.later(rng.between(0, 3), settle);
          else this.whenRunning(settle);
        });
      });
    });
  }

  write<T>(run: () => T): Promise<T> {
    const { rng, trouble } = this.#world;
    return this.io('commit', rng.chance(0.02) ? rng.between(5, 900) : rng.between(0, 4), () => {
      trouble.checkStore('write');
      return run();
    });
  }

  decidesTwice(): boolean {
    return this.#world.rng.chance(0.02);
  }

  read<T>(run: () => T): Promise<T> {
    const { plan, rng, trouble } = this.#world;
    const work = (): T => {
      trouble.checkStore('read');
      return run();
    };
    return new Promise((resolve, reject) => {
      const read = (): void => {
        attempt(work, resolve, reject)();
      };
      if (plan.slowReads) this.later(rng.between(0, 3), read);
      else this.whenRunning(read);
    });
  }

  /** It ends here and now. */
  crash(): void {
    this.alive = false;
    this.#deferred.length = 0;
  }

  /** SIGSTOP. */
  stop(): void {
    this.stopped = true;
    this.#stoppedAt = this.clock.monotonic();
    this.disturbances++;
  }

  /** SIGCONT. */
  continue(): void {
    this.stopped = false;
    this.stoppedMs += this.clock.monotonic() - this.#stoppedAt;
    for (const run of this.#deferred.splice(0)) this.later(0, run);
  }

  #timer(delayMs: number, callback: () => void): Timer {
    const at = this.clock.monotonic() + Math.max(0, delayMs);
    let cancelled = false;
    const fire = (): void => {
      if (cancelled) return;
      const left = at - this.clock.monotonic();
      if (left > 0.001) this.later(left, fire);
      else callback();
    };
    this.later(delayMs, fire);
    return { cancel: () => void (cancelled = true) };
  }
}

/** Does the work now. @returns how to tell what came of it. */
function attempt<T>(
  work: () => T,
  resolve: (value: T) => void,
  reject: (error: Error) => void,
): () => void {
  try {
    const value = work();
    return () => {
      resolve(value);
    };
  } catch (error) {
    return () => {
      reject(error instanceof Error ? error : new StoreError('ERR_STORE_UNAVAILABLE', 'unknown'));
    };
  }
}
