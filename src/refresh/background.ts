import { sleep } from '../system/clock.ts';
import type { AttemptResult, Order } from './attempt.ts';
import type { Engine } from './engine.ts';
import type { Flights } from './flights.ts';
import { deliverNotices, type NoticeChannel } from './notices.ts';
import { recoverSpills } from './recover.ts';

/*
 * Renewal in the background. The store keeps the instant of each connection's next step in an index, so a wake-up reads what is due and
 * nothing else. It wakes at least every 30 s: one long timer would stand still while the machine is suspended, and others may have written.
 */

const LONGEST_SLEEP_MS = 30_000;
const SHORTEST_SLEEP_MS = 20;
/** Read at a wake-up; the rest stays due. */
const BATCH = 64;
/** Longest wait for an endpoint's budget within one order. */
const A_MOMENT_MS = 2_000;

/** What became of one connection that was due. */
export interface Renewed {
  /** Id of the connection. */
  readonly connectionId: string;
  /** What its flight came to, or why it could not be tried. */
  readonly result: AttemptResult | Error;
}

const DUE: Order = { demand: { kind: 'due' }, byHand: false, anyway: false };

/** Renews what is due until the keeper closes. */
export async function runBackground(
  engine: Engine,
  flights: Flights,
  channel: NoticeChannel,
): Promise<void> {
  const { closing, clock } = engine;
  await quietly(engine, () => recoverSpills(engine));
  while (!closing.aborted) {
    let wait = LONGEST_SLEEP_MS;
    await quietly(engine, async () => {
      const renewed = await renewDue(engine, flights);
      await deliverNotices(engine, channel);
      wait = await nextWakeIn(engine, renewed);
    });
    await sleep(clock, wait, closing);
  }
}

/** Flies once for everything that is due now, up to a batch; the soonest-expiring first. */
export async function renewDue(engine: Engine, flights: Flights): Promise<readonly Renewed[]> {
  const ids = await engine.store.due(engine.clock.now(), BATCH);
  return Promise.all(
    ids.map(async (connectionId) => {
      try {
        return { connectionId, result: await flights.board(connectionId, DUE).landing };
      } catch (error) {
        return { connectionId, result: error instanceof Error ? error : new Error(String(error)) };
      }
    }),
  );
}

/**
 * Flies for all that is due, batch by batch, as fast as the budget of each endpoint allows. What must wait longer than a moment, or failed,
 * is left for another time.
 */
export async function renewAllDue(engine: Engine, flights: Flights): Promise<readonly Renewed[]> {
  const { clock, closing } = engine;
  const renewed = new Map<string, Renewed>();
  for (;;) {
    const batch = await renewDue(engine, flights);
    const isNew = batch.some(({ connectionId }) => !renewed.has(connectionId));
    for (const one of batch) renewed.set(one.connectionId, one);
    const waits = batch.flatMap(({ result }) => deferralMs(result, clock.now()) ?? []);
    const moment = Math.min(...waits);
    if (!isNew && moment > A_MOMENT_MS) return [...renewed.values()];
    if (moment <= A_MOMENT_MS && !(await sleep(clock, moment, closing))) {
      return [...renewed.values()];
    }
  }
}

function deferralMs(result: AttemptResult | Error, now: number): number | undefined {
  if (result instanceof Error || result.kind !== 'deferred') return undefined;
  return Math.max(0, result.until - now);
}

/** What could not be moved on now would be due again at once: then wait until the store says it may, or a second. */
async function nextWakeIn(engine: Engine, renewed: readonly Renewed[]): Promise<number> {
  const now = engine.clock.now();
  const stuck = renewed.filter(({ result }) => isStuck(result));
  const nextAt = (await engine.store.nextDueAt()) ?? now + LONGEST_SLEEP_MS;
  if (stuck.length === 0) return clampSleep(nextAt - now);
  const deferrals = stuck.map(({ result }) => deferralMs(result, now) ?? 1_000);
  return clampSleep(Math.max(nextAt - now, Math.min(...deferrals)));
}

function isStuck(result: AttemptResult | Error): boolean {
  return result instanceof Error || (result.kind !== 'settled' && result.kind !== 'satisfied');
}

function clampSleep(ms: number): number {
  return Math.min(Math.max(ms, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS);
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
