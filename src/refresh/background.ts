import { sleep } from '../system/clock.ts';
import { DueRounds, type Renewed } from './due.ts';
import type { Engine } from './engine.ts';
import type { Flights } from './flights.ts';
import type { Deliveries } from './notices.ts';
import { recoverSpills } from './recover.ts';
import type { ClockWatch } from './set-back.ts';

/*
 * Renewal in the background. The store keeps the instant of each connection's next step in an index, so a wake-up reads what is due and
 * nothing else. It wakes at least every 30 s: one long timer would stand still while the machine is suspended, and others may have written.
 */

const LONGEST_SLEEP_MS = 30_000;
const SHORTEST_SLEEP_MS = 20;
/** A batch is waited for so long; what hangs longer holds up nobody. */
const PATIENCE_MS = 2_000;
/** Until what is under way here is looked at again. */
const UNDER_WAY_MS = 1_000;
/** Until what another process holds, or what failed for want of a store, is tried again. */
const OBSTACLE_MS = 5_000;

/** What the background works with besides. */
export interface BackgroundParts {
  /** Who hears of what. */
  readonly deliveries: Deliveries;
  /** Whether the clock was set back. */
  readonly watch: ClockWatch;
  /** Lets this keeper's callers see what was changed outside of a flight. */
  readonly refreshed: (connectionId: string) => Promise<void>;
}

/** Renews what is due until the keeper closes. */
export async function runBackground(
  engine: Engine,
  flights: Flights,
  { deliveries, watch, refreshed }: BackgroundParts,
): Promise<void> {
  const { closing, clock } = engine;
  const rounds = new DueRounds(engine, flights, true);
  const sweep = spillSweep(engine, refreshed);
  const tellErrors = errorTeller(engine);
  await quietly(engine, () => engine.store.tidy());
  while (!closing.aborted) {
    let wait = OBSTACLE_MS;
    await quietly(engine, sweep);
    await quietly(engine, () => watch.look());
    await quietly(engine, async () => {
      const { lookedAt } = rounds;
      const renewed = await rounds.fly(PATIENCE_MS);
      const hasLooked = rounds.lookedAt !== lookedAt;
      tellErrors(renewed, hasLooked);
      void deliveries.deliver();
      wait = await nextWakeIn(engine, rounds, renewed);
      // A round that went on with what an earlier one found knows nothing of what else that one could not move on.
      if (!hasLooked) wait = Math.min(wait, OBSTACLE_MS);
    });
    await sleep(clock, wait, closing);
  }
}

/** Looks after the answers in files, at most once in half a minute; each fault is told once. */
function spillSweep(engine: Engine, refreshed: BackgroundParts['refreshed']): () => Promise<void> {
  const { clock } = engine;
  const told = new Set<string>();
  let nextAt = -Infinity;
  return async () => {
    if (clock.monotonic() < nextAt) return;
    nextAt = clock.monotonic() + LONGEST_SLEEP_MS;
    for (const { message } of await recoverSpills(engine, refreshed)) {
      if (!told.has(message)) engine.emit('warning', { connection: undefined, message });
      told.add(message);
    }
  };
}

/**
 * What could not be moved on now would be due again at once: then wait until it may be tried, or until others have come due, which were not yet when it
 * was looked, and it is looked again.
 */
async function nextWakeIn(
  { clock, store }: Engine,
  { lookedAt, looksInMs, isCutShort }: DueRounds,
  renewed: readonly Renewed[],
): Promise<number> {
  if (isCutShort) return SHORTEST_SLEEP_MS;
  const now = clock.now();
  const stuck = renewed.flatMap((one) => stuckFor(one, now) ?? []);
  const nextAt = (await store.nextDueAt(stuck.length === 0 ? undefined : lookedAt)) ?? Infinity;
  const wait = Math.min(Math.max(nextAt - now, looksInMs), ...stuck);
  return Math.min(Math.max(wait, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS);
}

/** How long a connection cannot be moved on; undefined when it was. */
function stuckFor({ result }: Renewed, now: number): number | undefined {
  if (result instanceof Error) return OBSTACLE_MS;
  switch (result.kind) {
    case 'settled':
    case 'satisfied':
      return undefined;
    case 'deferred':
      return result.until - now;
    case 'under_way':
      return UNDER_WAY_MS;
    case 'held':
    case 'stopped':
      return OBSTACLE_MS;
  }
}

/**
 * Tells why connections could not be moved on; not again as long as it stays so. What cannot be moved on is tried again only after another look at the
 * store, which many rounds may follow that go on with others.
 */
function errorTeller(engine: Engine): (renewed: readonly Renewed[], hasLooked: boolean) => void {
  let [before, since] = [new Set<string>(), new Set<string>()];
  return (renewed, hasLooked) => {
    if (hasLooked) [before, since] = [since, new Set()];
    for (const { result } of renewed) {
      if (!(result instanceof Error)) continue;
      const { message } = result;
      const isTold = before.has(message) || since.has(message);
      if (!isTold) engine.emit('warning', { connection: undefined, message });
      since.add(message);
    }
  };
}

/** The background never dies: what fails is told, and tried at the next wake-up. */
async function quietly(engine: Engine, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    engine.emit('warning', { connection: undefined, message });
  }
}
