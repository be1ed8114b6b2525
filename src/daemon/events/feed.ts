import type { AccessStore, FeedEvent } from '../../store/access-store.ts';
import type { Clock, Timer } from '../../system/clock.ts';

/*
 * What is recorded in the store, whoever wrote it, in the order in which it was recorded. The store is the source: an event that a reader missed is
 * there when it comes back, and a daemon that was killed has lost none. One look at the store serves all who wait for what happens next.
 */

/** Other processes write as well; so often the store is looked at while anybody waits, which costs a look at an index. */
const LOOK_EVERY_MS = 250;
const BATCH = 200;

/** A part of the feed. */
export interface Batch {
  /** Events, oldest first; none when nothing happened for a while. */
  readonly events: readonly FeedEvent[];
  /** Whether events between the last one known and these are not kept any more. */
  readonly hasGap: boolean;
}

/** Where a follower goes on. */
export interface FollowOptions {
  /** Id of the last event that it knows. */
  readonly afterId: number;
  /** An empty batch comes when nothing happened for so long. */
  readonly patienceMs: number;
  /** Ends it. */
  readonly ended: AbortSignal;
}

interface Waiting {
  readonly last: number;
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

/** The feed of one store, for any number of followers. */
export class Feed {
  readonly #access: AccessStore;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | undefined;
  /** The newest event that a look has found. */
  #newest = 0;
  /** What was read last: most followers have come equally far. */
  #read: (Batch & { readonly afterId: number }) | undefined;

  /** Nobody follows, so nothing is looked at. */
  constructor(access: AccessStore, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** After which event to begin: the one known, or the newest. */
  startId(known: number | undefined): number {
    const { last } = this.#access.eventRange();
    // An id that was never given is from another store; what it means here nobody knows.
    return known === undefined || known > last ? last : known;
  }

  /** The feed from an event on, until the signal ends it. @throws what the store throws when it cannot be read. */
  async *follow({ afterId, patienceMs, ended }: FollowOptions): AsyncGenerator<Batch> {
    let last = afterId;
    while (!ended.aborted) {
      const batch = this.#after(last);
      last = batch.events.at(-1)?.id ?? last;
      if (batch.events.length > 0) yield batch;
      if (batch.events.length === BATCH) continue;
      const found = await this.#more(last, patienceMs, ended);
      if (found === 'none') yield { events: [], hasGap: false };
    }
  }

  #after(afterId: number): Batch {
    if (this.#read?.afterId === afterId) return this.#read;
    const { first } = this.#access.eventRange();
    const events = this.#access.events(afterId, BATCH);
    const hasGap = afterId > 0 && first > afterId + 1 && events.length > 0;
    const batch = { afterId, events, hasGap };
    if (events.length > 0) this.#read = batch;
    return batch;
  }

  /** Waits for more than what is known. @returns `none` when the time passed before there was any. */
  #more(last: number, patienceMs: number, ended: AbortSignal): Promise<'more' | 'none' | 'end'> {
    if (ended.aborted) return Promise.resolve('end');
    // While what came before was being told.
    if (this.#newest > last) return Promise.resolve('more');
    return new Promise((resolve, reject) => {
      const settle = (tell: () => void) => (): void => {
        this.#waiting.delete(waiting);
        timer.cancel();
        ended.removeEventListener('abort', onEnd);
        tell();
      };
      const onEnd = settle(() => resolve('end'));
      const onNone = settle(() => resolve('none'));
      const timer = this.#clock.timer(patienceMs, onNone, { background: true });
      ended.addEventListener('abort', onEnd, { once: true });
      const waiting: Waiting = {
        last,
        wake: settle(() => resolve('more')),
        fail: (error) =>
          settle(() => reject(error instanceof Error ? error : new Error(String(error))))(),
      };
      this.#waiting.add(waiting);
      this.#lookLater();
    });
  }

  #lookLater(): void {
    if (this.#timer !== undefined || this.#waiting.size === 0) return;
    const onTime = (): void => {
      this.#timer = undefined;
      this.#look();
      this.#lookLater();
    };
    this.#timer = this.#clock.timer(LOOK_EVERY_MS, onTime, { background: true });
  }

  #look(): void {
    if (this.#waiting.size === 0) return;
    try {
      const { last } = this.#access.eventRange();
      if (last > this.#newest) this.#read = undefined;
      this.#newest = last;
    } catch (error) {
      for (const { fail } of [...this.#waiting]) fail(error);
    }
    for (const { last, wake } of [...this.#waiting]) if (last < this.#newest) wake();
  }
}
