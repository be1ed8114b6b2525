import { sleep } from '../system/clock.ts';
import type { AttemptResult, Order } from './attempt.ts';
import type { Engine } from './engine.ts';
import type { Flights } from './flights.ts';
import { waitUntil } from './wait.ts';

/** What became of one connection that was due. */
export interface Renewed {
  /** Id of the connection. */
  readonly connectionId: string;
  /** What its flight came to, that it is still under way, or why it could not be tried. */
  readonly result: AttemptResult | { readonly kind: 'under_way' } | Error;
}

/** Longest wait for an endpoint's budget within one order. */
const A_MOMENT_MS = 2_000;
/** An order waits for each answer as long as a caller would. */
const PATIENCE_MS = 60_000;

const DUE: Order = { demand: { kind: 'due' }, byHand: false, anyway: false };
/** Most flights begun together. */
const MOST_AT_ONCE = 64;
/** Most connections looked at in one round; what is beyond stays due. */
const MOST = 10_000;

/** Renews what is due, round by round. Knows from earlier rounds which connections share an endpoint. */
export class DueRounds {
  readonly #engine: Engine;
  readonly #flights: Flights;
  readonly #endpoints = new Map<string, string>();
  /** As many as an endpoint's budget lets pass in a second: of more, chance would choose, and not the soonest expiry. */
  readonly #atOnce: number;

  /** Has met no connection yet. */
  constructor(engine: Engine, flights: Flights) {
    this.#engine = engine;
    this.#flights = flights;
    this.#atOnce = Math.min(Math.ceil(engine.settings.requestsPerSecond), MOST_AT_ONCE);
  }

  /**
   * Flies once for everything that is due now, the soonest-expiring first, but for connections of an endpoint that has just told another
   * one to wait: many of those must not keep the others from their turn.
   *
   * @param patienceMs - how long a batch is waited for; what hangs longer is left under way.
   * @param except - connections that are left out.
   * @param ends - begins no flight any more, and waits for none.
   */
  async fly(
    patienceMs: number,
    except?: ReadonlySet<string>,
    ends = this.#engine.closing,
  ): Promise<readonly Renewed[]> {
    const { store, clock } = this.#engine;
    const due = await store.due(clock.now(), MOST);
    const waiting = due.filter((id) => except?.has(id) !== true);
    const blocked = new Set<string>();
    const all: Renewed[] = [];
    while (waiting.length > 0 && !ends.aborted) {
      const batch = this.#take(waiting, blocked);
      const deadline = clock.monotonic() + patienceMs;
      const renewed = await Promise.all(batch.map((id) => this.#flyOne(id, deadline, ends)));
      for (const one of renewed) this.#learn(one, blocked);
      all.push(...renewed);
    }
    return all;
  }

  #take(waiting: string[], blocked: ReadonlySet<string>): readonly string[] {
    const batch: string[] = [];
    while (batch.length < this.#atOnce) {
      const id = waiting.shift();
      if (id === undefined) break;
      if (!blocked.has(this.#endpoints.get(id) ?? '')) batch.push(id);
    }
    return batch;
  }

  async #flyOne(connectionId: string, deadline: number, ends: AbortSignal): Promise<Renewed> {
    const { clock } = this.#engine;
    if (this.#flights.isUnderWay(connectionId)) {
      return { connectionId, result: { kind: 'under_way' } };
    }
    try {
      const { landing } = this.#flights.board(connectionId, DUE);
      const waited = await waitUntil(landing, clock, deadline, ends);
      return { connectionId, result: 'value' in waited ? waited.value : { kind: 'under_way' } };
    } catch (error) {
      return { connectionId, result: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  #learn({ connectionId, result }: Renewed, blocked: Set<string>): void {
    if (result instanceof Error || result.kind !== 'deferred') return;
    const { connection, endpoint } = result.view;
    this.#endpoints.set(connectionId, endpoint.endpoint);
    // Else it is the connection that must wait, not its endpoint.
    if (connection.backoff.notBefore <= this.#engine.clock.now()) blocked.add(endpoint.endpoint);
  }
}

/**
 * Flies once for all that is due, as fast as the budget of each endpoint allows. What must wait longer than a moment is left for another
 * time.
 *
 * @param signal - ends the order; what is under way goes on.
 */
export async function renewAllDue(
  engine: Engine,
  flights: Flights,
  signal?: AbortSignal,
): Promise<readonly Renewed[]> {
  const { clock, closing } = engine;
  const ends = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  const rounds = new DueRounds(engine, flights);
  const renewed = new Map<string, Renewed>();
  const done = new Set<string>();
  for (;;) {
    const round = await rounds.fly(PATIENCE_MS, done, ends);
    for (const one of round) renewed.set(one.connectionId, one);
    const waits = round.map((one) => momentUntil(one, clock.now()));
    for (const [i, wait] of waits.entries())
      if (wait === undefined) done.add(round[i]?.connectionId ?? '');
    const moment = Math.min(...waits.filter((wait) => wait !== undefined));
    if (moment > A_MOMENT_MS || !(await sleep(clock, moment, ends))) {
      return [...renewed.values()];
    }
  }
}

/** When a connection may be tried again; undefined when its turn is over. */
function momentUntil({ result }: Renewed, now: number): number | undefined {
  if (result instanceof Error || result.kind !== 'deferred') return undefined;
  return Math.max(0, result.until - now);
}
