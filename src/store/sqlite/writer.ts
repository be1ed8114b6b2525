import { sabotaged } from '#failpoints';
import type { Clock } from '../../system/clock.ts';
import { endOfTurn } from '../../system/turn.ts';
import { isBusy, storeError } from './errors.ts';
import type { StoreFile } from './store-file.ts';

interface Job {
  readonly run: () => unknown;
  readonly durable: boolean;
  readonly inStep: boolean;
  readonly since: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What is remembered of the rows, told of all that may change them. */
export interface Remembrance {
  /** Before rows are read or written: forgets them if another process has written. */
  look(): void;
  /** Rows were changed without it. */
  forget(): void;
  /** Writes what it kept back: before a commit, and before others change rows without it. */
  settle(): void;
  /** A transaction left no trace. */
  undo(): void;
}

/** How long a write waits for another process's transaction. */
const PATIENCE_MS = 1_000;
/** How long it waits before it looks again. */
const LOOK_AGAIN_MS = 2;
/** So many writes are run together: a hundredth of a second or two, in which nobody else can write and this process does nothing else. */
const MOST_TOGETHER = 256;

/**
 * Runs writes of one database in transactions, those that are waiting at the end of a turn together in one, since a durable commit costs the
 * same for one write as for thirty; of very many the others follow at the end of the next turn. Each transaction is synchronous from BEGIN to
 * COMMIT: a process can be stopped inside one only by the kernel. When a write of a group throws, the group is undone and its writes are run
 * one by one, so that none spoils another's.
 */
export class Writer {
  readonly #file: StoreFile;
  readonly #path: string;
  readonly #clock: Clock;
  #queue: Job[] = [];
  #scheduled = false;
  #durable = true;
  /** Since when no transaction could be begun: those who waited for their turn besides do not wait again. */
  #busySince: number | undefined;
  /** Set by the store once it remembers rows. */
  remembrance: Remembrance | undefined;
  #idle: (() => void)[] = [];
  #first: (() => void) | undefined;

  /** @param path - names the file in errors. */
  constructor(file: StoreFile, path: string, clock: Clock) {
    this.#file = file;
    this.#path = path;
    this.#clock = clock;
  }

  /**
   * Runs `run`, which must be synchronous and repeatable, inside a write transaction.
   *
   * @param inStep - whether it keeps what is remembered of the rows in step with its changes.
   * @throws {@link StoreError} when the transaction could not be begun within a second or not be committed; then it left no trace.
   */
  write<T>(run: () => T, durable: boolean, inStep = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        run,
        durable,
        inStep,
        since: this.#clock.monotonic(),
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      this.#schedule();
    });
  }

  /** Runs `run` before the next write, in the same transaction; for what had to be written when nothing could be. */
  writeFirst(run: () => void): void {
    this.#first = run;
  }

  /** Runs a read, with SQLite's errors made typed. */
  reading<T>(read: () => T): T {
    return this.#typed(() => {
      this.remembrance?.look();
      return read();
    });
  }

  /** As {@link StoreFile.makeWritable}. @throws {@link StoreError} */
  makeWritable(): void {
    this.#typed(() => this.#file.makeWritable());
  }

  #typed<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw storeError(error, this.#path);
    }
  }

  /** Resolves when no write waits any more. */
  idle(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
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
    const jobs = this.#queue.slice(0, MOST_TOGETHER);
    const others = this.#queue.slice(MOST_TOGETHER);
    this.#queue = [];
    this.#runTogether(jobs);
    // What found the database busy comes first.
    this.#queue = [...this.#queue, ...others];
    if (this.#queue.length > 0) {
      this.#schedule();
      return;
    }
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #runTogether(jobs: readonly Job[]): void {
    const results: unknown[] = [];
    let begun = false;
    try {
      this.#begin(jobs.some((job) => job.durable));
      begun = true;
      this.#busySince = undefined;
      this.remembrance?.look();
      this.#runFirst();
      for (const { run, inStep } of jobs) results.push(inStep ? run() : this.#runApart(run));
      this.remembrance?.settle();
      this.#file.statements.run('COMMIT');
      this.#first = undefined;
    } catch (error) {
      this.#rollback();
      if (!begun || jobs.length === 1 || isBusy(error)) this.#postpone(jobs, error);
      else for (const job of jobs) this.#runTogether([job]);
      return;
    }
    for (const [i, job] of jobs.entries()) job.resolve(results[i]);
  }

  #runFirst(): void {
    if (this.#first !== undefined) this.#runApart(this.#first);
  }

  /** It finds in the rows what is remembered, and whoever comes after it what it made of them. */
  #runApart<T>(run: () => T): T {
    const kept = sabotaged('settle-apart') ? undefined : this.remembrance;
    kept?.settle();
    const result = run();
    kept?.settle();
    this.remembrance?.forget();
    return result;
  }

  #begin(isWanted: boolean): void {
    const durable = isWanted && !sabotaged('sync');
    this.#file.makeWritable();
    const { statements } = this.#file;
    if (durable !== this.#durable) {
      // Never by a statement that is kept: this takes effect when it is prepared, not when it is run.
      statements.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
      this.#durable = durable;
    }
    statements.run('BEGIN IMMEDIATE');
  }

  /** Queues again what found the database busy; the rest fails. */
  #postpone(jobs: readonly Job[], error: unknown): void {
    const now = this.#clock.monotonic();
    if (isBusy(error)) this.#busySince ??= now;
    for (const job of jobs) {
      const since = Math.max(job.since, this.#busySince ?? now);
      if (isBusy(error) && now - since < PATIENCE_MS) this.#queue.push(job);
      else job.reject(storeError(error, this.#path));
    }
    if (this.#queue.length === 0 || this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.timer(LOOK_AGAIN_MS, () => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  /** A failure of the disk may have undone the transaction already, or forbid to undo it; the next BEGIN tells. */
  #rollback(): void {
    this.remembrance?.undo();
    const { database } = this.#file.statements;
    try {
      if (database.isTransaction) database.exec('ROLLBACK');
    } catch {
      // What counts is why the transaction failed.
    }
  }
}
