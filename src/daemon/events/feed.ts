import type { AccessStore, FeedEvent } from '../../store/access-store.ts';
import { sleep, type Clock } from '../../system/clock.ts';

/*
 * What is recorded in the store, whoever wrote it, in the order in which it was recorded. The store is the source: an event that a reader missed is
 * there when it comes back, and a daemon that was killed has lost none.
 */

/** Other processes write as well; so often the store is looked at, which costs a look at an index. */
const LOOK_EVERY_MS = 250;
const BATCH = 200;

/** A part of the feed. */
export interface Batch {
  /** Events, oldest first; none when nothing happened for a while. */
  readonly events: readonly FeedEvent[];
  /** Whether events between the last one known and these are not kept any more. */
  readonly hasGap: boolean;
}

/** After which event to begin: the one known, or the newest. */
export function startId(access: AccessStore, known: number | undefined): number {
  const { last } = access.eventRange();
  // An id that was never given is from another store; what it means here nobody knows.
  return known === undefined || known > last ? last : known;
}

/** The feed from an event on, until the signal ends it. An empty batch comes with each look that finds nothing. */
export async function* feed(
  { store, clock }: { readonly store: { readonly access: AccessStore }; readonly clock: Clock },
  afterId: number,
  ended: AbortSignal,
): AsyncGenerator<Batch> {
  let last = afterId;
  while (!ended.aborted) {
    const { first } = store.access.eventRange();
    const events = store.access.events(last, BATCH);
    const hasGap = last > 0 && first > last + 1;
    last = events.at(-1)?.id ?? last;
    yield { events, hasGap: hasGap && events.length > 0 };
    if (events.length < BATCH) await sleep(clock, LOOK_EVERY_MS, ended);
  }
}
