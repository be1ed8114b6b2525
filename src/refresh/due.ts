import { sabotaged } from '#failpoints';
import { NotFoundError, type ErrorCode } from '../errors.ts';
import { sleep } from '../system/clock.ts';
import type { AttemptResult, Order } from './attempt.ts';
import type { Engine } from './engine.ts';
import type { Due } from '../store/store.ts';
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

const REMOVED: ErrorCode = 'ERR_CONNECTION_UNKNOWN';
const UNDER_WAY = { kind: 'under_way' } as const;
const DUE: Order = { demand: { kind: 'due' }, byHand: false, anyway: false };
/** Most flights begun together. */
const MOST_AT_ONCE = 64;
/** Most connections of an endpoint that are known of at a time; what is beyond stays due. */
const MOST = 10_000;
/** What was found due is gone through for so long before the store is asked again. */
const LOOK_AGAIN_MS = 1_000;
/** So much longer than the look itself took, lest looking take all the time where very much is due. */
const LOOK_RATIO = 20;
/** However long the look took: it may be that the process stood still. */
const LONGEST_FRESH_MS = 30_000;

/** What became of a round. */
interface Round {
  /** Connections that wait, most of them for their endpoints, the soonest-expiring first. */
  readonly waiting: Due[];
  /** These endpoints, with what became of the connection that was told to wait, or hangs. */
  readonly blocked: Map<string, Renewed['result']>;
}

/** Renews what is due, round by round. What an endpoint leaves waiting is remembered from one round to the next, for a while. */
export class DueRounds {
  readonly #engine: Engine;
  readonly #flights: Flights;
  /** As many as an endpoint's budget lets pass in a second: of more, chance would choose, and not the soonest expiry. */
  readonly #atOnce: number;
  readonly #isInBackground: boolean;
  #last: Round = { waiting: [], blocked: new Map() };
  #lookedAt = -Infinity;
  #isFreshUntil = -Infinity;

  /**
   * Has looked for nothing yet.
   *
   * @param isInBackground - what hangs is not waited for again.
   */
  constructor(engine: Engine, flights: Flights, isInBackground: boolean) {
    this.#engine = engine;
    this.#flights = flights;
    this.#isInBackground = isInBackground;
    this.#atOnce = Math.min(Math.ceil(engine.settings.requestsPerSecond), MOST_AT_ONCE);
  }

  /** When the store was last asked for what is due: what came due since is not known yet. */
  get lookedAt(): number {
    return this.#lookedAt;
  }

  /** In how many milliseconds a round asks the store again. */
  get looksInMs(): number {
    if (this.#last.waiting.length === 0) return 0;
    return Math.max(0, this.#isFreshUntil - this.#engine.clock.monotonic());
  }

  /** Whether the last round left connections to the next one only because others of their endpoint hang: it had better begin at once. */
  get isCutShort(): boolean {
    const { waiting, blocked } = this.#last;
    return waiting.some(({ endpoint }) => blocked.get(endpoint) === UNDER_WAY);
  }

  /**
   * Flies once for everything that is due now, the soonest-expiring first, but for connections of an endpoint that has just told another
   * one to wait, or let it hang: many of those must not keep the others from their turn.
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
    if (this.looksInMs === 0) await this.#look();
    const { clock } = this.#engine;
    const turns = this.#last.waiting
      .filter(({ connectionId }) => except?.has(connectionId) !== true)
      .values();
    const round: Round = { waiting: [], blocked: new Map() };
    const all: Renewed[] = [];
    for (;;) {
      const batch = ends.aborted ? [] : this.#takeBatch(turns, round);
      if (batch.length === 0) break;
      const deadline = clock.monotonic() + patienceMs;
      const flown = batch.map((due) => this.#flyOne(due, deadline, ends, round));
      for (const one of await Promise.all(flown)) {
        if (one === undefined) continue;
        all.push(one);
        this.#keepBack(round, one);
      }
    }
    this.#last = round;
    return all;
  }

  /** What the last round left waiting for an endpoint that told it to, tried or not, and why. */
  left(): readonly Renewed[] {
    const { waiting, blocked } = this.#last;
    return waiting.flatMap(({ connectionId, endpoint }) => {
      const result = blocked.get(endpoint);
      return result === undefined || result === UNDER_WAY ? [] : [{ connectionId, result }];
    });
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#engine;
    const [now, began] = [clock.now(), clock.monotonic()];
    this.#last = { waiting: [...(await store.due(now, MOST))], blocked: new Map() };
    this.#lookedAt = now;
    const ended = clock.monotonic();
    const freshMs = Math.max(LOOK_AGAIN_MS, LOOK_RATIO * (ended - began));
    this.#isFreshUntil = ended + Math.min(freshMs, LONGEST_FRESH_MS);
  }

  #takeBatch(turns: Iterator<Due, undefined>, { waiting, blocked }: Round): readonly Due[] {
    const batch: Due[] = [];
    while (batch.length < this.#atOnce) {
      const next = turns.next().value;
      if (next === undefined) break;
      (blocked.has(next.endpoint) ? waiting : batch).push(next);
    }
    return batch;
  }

  /** Undefined of a connection that was removed since it was found due: nobody need hear of it. */
  async #flyOne(
    { connectionId, endpoint }: Due,
    deadline: number,
    ends: AbortSignal,
    round: Round,
  ): Promise<Renewed | undefined> {
    const { clock } = this.#engine;
    if (this.#isInBackground && this.#flights.isUnderWay(connectionId)) {
      return { connectionId, result: UNDER_WAY };
    }
    try {
      const { landing } = this.#flights.board(connectionId, DUE);
      const waited = await waitUntil(landing, clock, deadline, ends);
      if ('value' in waited) return { connectionId, result: waited.value };
      if (!sabotaged('hung-endpoint')) round.blocked.set(endpoint, UNDER_WAY);
      return { connectionId, result: UNDER_WAY };
    } catch (error) {
      if (error instanceof NotFoundError && error.code === REMOVED) return undefined;
      return { connectionId, result: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** By the endpoint that it has now: it may have been given another since it was found due. One that waits for itself keeps back no other. */
  #keepBack({ waiting, blocked }: Round, { connectionId, result }: Renewed): void {
    if (result instanceof Error || result.kind !== 'deferred') return;
    const { connection, endpoint: state } = result.view;
    const { endpoint } = state;
    if (connection.backoff.notBefore <= this.#engine.clock.now()) blocked.set(endpoint, result);
    waiting.push({ connectionId, endpoint });
  }
}

/**
 * Flies once for all that is due, as fast as the budget of each endpoint allows. What must wait longer than a moment, or shares an endpoint with it, is
 * left for another time.
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
  const rounds = new DueRounds(engine, flights, false);
  const renewed = new Map<string, Renewed>();
  const done = new Set<string>();
  for (;;) {
    const round = await rounds.fly(PATIENCE_MS, done, ends);
    for (const one of round) renewed.set(one.connectionId, one);
    const waits = round.map((one) => momentUntil(one, clock.now()));
    for (const [i, wait] of waits.entries())
      if (wait === undefined) done.add(round[i]?.connectionId ?? '');
    const longest = rounds.isCutShort ? 0 : Infinity;
    const moment = Math.min(longest, ...waits.filter((wait) => wait !== undefined));
    if (moment > A_MOMENT_MS || !(await sleep(clock, moment, ends))) {
      const left = rounds.left().filter(({ connectionId }) => !renewed.has(connectionId));
      return [...renewed.values(), ...left];
    }
  }
}

/** When a connection may be tried again; undefined when its turn is over. */
function momentUntil({ result }: Renewed, now: number): number | undefined {
  if (result instanceof Error || result.kind !== 'deferred') return undefined;
  return Math.max(0, result.until - now);
}
