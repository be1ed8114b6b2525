import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../system/clock.ts';
import { endOfTurn } from '../../system/turn.ts';
import { isBusy, storeError } from './errors.ts';

interface Job {
  readonly run: () => unknown;
  readonly durable: boolean;
  readonly since: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How long a write waits for another process's transaction. */
const PATIENCE_MS = 1_000;

/**
 * Runs writes of one database in transactions, all that are waiting at the end of a turn together in one, since a durable commit costs the
 * same for one write as for thirty. Each transaction is synchronous from BEGIN to COMMIT: a process can be stopped inside one only by
 * the kernel. When a write of a group throws, the group is undone and its writes are run one by one, so that none spoils another's.
 */
export class Writer {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #clock: Clock;
  #queue: Job[] = [];
  #scheduled = false;
  #durable = true;

  /** @param path - names the file in errors. */
  constructor(database: DatabaseSync, path: string, clock: Clock) {
    this.#database = database;
    this.#path = path;
    this.#clock = clock;
  }

  /**
   * Runs `run`, which must be synchronous and repeatable, inside a write transaction.
   *
   * @throws {@link StoreError} when the transaction could not be begun within a second or not be committed; then it left no trace.
   */
  write<T>(run: () => T, durable: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        run,
        durable,
        since: this.#clock.monotonic(),
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      this.#schedule();
    });
  }

  /** Runs a read, with SQLite's errors made typed. */
  reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw storeError(error, this.#path);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    endOfTurn(() => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  #drain(): void {
    const jobs = this.#queue;
    this.#queue = [];
    if (jobs.length === 0) return;
    try {
      this.#begin(jobs.some((job) => job.durable));
    } catch (error) {
      this.#postpone(jobs, error);
      return;
    }
    this.#runTogether(jobs);
  }

  #begin(durable: boolean): void {
    if (durable !== this.#durable) {
      this.#database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
      this.#durable = durable;
    }
    this.#database.exec('BEGIN IMMEDIATE');
  }

  #runTogether(jobs: readonly Job[]): void {
    const results: unknown[] = [];
    try {
      for (const job of jobs) results.push(job.run());
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#rollback();
      if (jobs.length === 1) {
        jobs[0]?.reject(storeError(error, this.#path));
        return;
      }
      for (const job of jobs) this.#runAlone(job);
      return;
    }
    for (const [i, job] of jobs.entries()) job.resolve(results[i]);
  }

  #runAlone(job: Job): void {
    try {
      this.#begin(job.durable);
    } catch (error) {
      this.#postpone([job], error);
      return;
    }
    this.#runTogether([job]);
  }

  #postpone(jobs: readonly Job[], error: unknown): void {
    const now = this.#clock.monotonic();
    for (const job of jobs) {
      if (isBusy(error) && now - job.since < PATIENCE_MS) this.#queue.push(job);
      else job.reject(storeError(error, this.#path));
    }
    if (this.#queue.length === 0 || this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.timer(2, () => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  #rollback(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }
}
