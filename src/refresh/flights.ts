import type { View } from '../connection/decision.ts';
import type { Claim } from '../connection/record.ts';
import { ConfigurationError } from '../errors.ts';
import { sleep } from '../system/clock.ts';
import {
  attemptRefresh,
  foresee,
  removedError,
  type AttemptResult,
  type Order,
} from './attempt.ts';
import type { Engine } from './engine.ts';
import { Pilots } from './pilots.ts';

/** A refresh under way in this keeper. */
export interface Flight {
  /** What it was started for. */
  readonly order: Order;
  /** What it comes to. */
  readonly landing: Promise<AttemptResult>;
  /** The claim of another keeper that it is waiting for, while it is. */
  readonly holder: Claim | undefined;
}

interface Airborne extends Flight {
  holder: Claim | undefined;
  waiters: number;
  settled: boolean;
}

/** Told of each landing; `settled` when a verdict was written. */
export type Landed = (connectionId: string, settled: boolean) => Promise<void>;

/** Between looks at a store where another keeper holds the claim: a tenth of the wait so far, so that none is much longer than it must be. */
const FIRST_LOOK_MS = 2;
const LAST_LOOK_MS = 50;
const LOOKS_A_WAIT = 10;
/** Between probes whether that keeper still lives. */
const PROBE_MS = 250;

/**
 * At most one flight a connection in a keeper. A flight serves every waiting caller; none of them can end it, they can only stop waiting.
 * While another keeper holds the claim the flight waits for it, as long as somebody waits for the flight.
 */
export class Flights {
  readonly #engine: Engine;
  readonly #airborne = new Map<string, Airborne>();
  readonly #landed: Landed;
  readonly #pilots: Pilots;

  /** @param landed - awaited after each flight, before its callers go on. */
  constructor(engine: Engine, landed: Landed) {
    this.#engine = engine;
    this.#landed = landed;
    this.#pilots = new Pilots(engine.clock);
  }

  /**
   * The flight of a connection; starts one with this order when there is none.
   *
   * @throws {@link ConfigurationError} `ERR_KEEPER_CLOSED` when the keeper is closing.
   */
  board(connectionId: string, order: Order): Flight {
    const airborne = this.#airborne.get(connectionId);
    if (airborne !== undefined) return airborne;
    if (!this.#engine.closing.aborted) return this.#start(connectionId, order);
    throw new ConfigurationError('ERR_KEEPER_CLOSED', 'this keeper is closed; open another');
  }

  /** Whether a flight of this connection is under way. */
  isUnderWay(connectionId: string): boolean {
    return this.#airborne.has(connectionId);
  }

  /** Waits for a flight as long as `wait` takes. */
  async join<T>(flight: Flight, wait: (landing: Promise<AttemptResult>) => Promise<T>): Promise<T> {
    const airborne = flight as Airborne;
    airborne.waiters++;
    try {
      return await wait(flight.landing);
    } finally {
      airborne.waiters--;
    }
  }

  /** Resolves when no flight is under way. */
  async idle(): Promise<void> {
    while (this.#airborne.size > 0) await this.landed();
  }

  /** Resolves when those that are under way now have landed. */
  async landed(): Promise<void> {
    await Promise.allSettled([...this.#airborne.values()].map((flight) => flight.landing));
  }

  #start(connectionId: string, order: Order): Flight {
    const flight: Airborne = {
      order,
      landing: this.#fly(connectionId, order, () => flight).finally(async () => {
        this.#airborne.delete(connectionId);
        await this.#landed(connectionId, flight.settled);
      }),
      holder: undefined,
      waiters: 0,
      settled: false,
    };
    // Whoever waits sees the failure; nobody may wait.
    flight.landing.catch(() => undefined);
    this.#airborne.set(connectionId, flight);
    return flight;
  }

  async #fly(connectionId: string, order: Order, self: () => Airborne): Promise<AttemptResult> {
    const { clock } = this.#engine;
    let heldSince: number | undefined;
    for (;;) {
      const result = await this.#attempt(connectionId, order, () => {
        self().holder = undefined;
      });
      self().settled = result.kind === 'settled';
      if (isDueAgain(result, clock.now())) continue;
      if (result.kind !== 'held' || order.demand.kind === 'due') return result;
      self().holder = result.claim;
      heldSince ??= clock.monotonic();
      if (!(await this.#untilChanged(self(), result.view, heldSince))) return result;
    }
  }

  async #attempt(
    connectionId: string,
    order: Order,
    onClaimed: () => void,
  ): Promise<AttemptResult> {
    const view = await this.#engine.store.read(connectionId);
    // Those who waited for another keeper find what it stored, and those who must wait hear so, without taking turns at writing.
    if (view === undefined) throw removedError();
    const foreseen = foresee(this.#engine, view, order);
    if (foreseen !== undefined) return foreseen;
    const { clientId, tokenEndpoint } = view.client;
    return this.#pilots.fly(`${clientId} ${tokenEndpoint}`, () =>
      attemptRefresh(this.#engine, view, order, onClaimed),
    );
  }

  /** Waits until a held connection is no longer as it was, or it is time to probe again. @returns false when nobody waits any more. */
  async #untilChanged(flight: Airborne, held: View, since: number): Promise<boolean> {
    const { store, clock, closing } = this.#engine;
    let counter = store.changeCounter();
    const probeAt = clock.monotonic() + PROBE_MS;
    for (let now = clock.monotonic(); now < probeAt; now = clock.monotonic()) {
      const lookMs = Math.min(Math.max((now - since) / LOOKS_A_WAIT, FIRST_LOOK_MS), LAST_LOOK_MS);
      if (flight.waiters === 0 || !(await sleep(clock, lookMs, closing))) return false;
      const before = counter;
      counter = store.changeCounter();
      if (counter !== before && !(await this.#isHeldStill(held))) return true;
    }
    return true;
  }

  /** Whether what was written to the store left a held connection as it was, but for its intent. */
  async #isHeldStill({ connection: before }: View): Promise<boolean> {
    const now = (await this.#engine.store.read(before.id))?.connection;
    return (
      now?.claim?.attemptId === before.claim?.attemptId &&
      now?.generation === before.generation &&
      now.grantId === before.grantId &&
      now.state.kind === before.state.kind
    );
  }
}

const LOSSES: ReadonlySet<string> = new Set(['answer_lost', 'answer_unreadable']);

/** Whether an answer was lost that must be asked for again at once, as long as the server's grace lasts. */
function isDueAgain(result: AttemptResult, now: number): boolean {
  if (result.kind !== 'settled' || result.verdict.kind !== 'failed') return false;
  const { state, backoff, lastError } = result.verdict.connection;
  // An intent alone tells nothing: one of an earlier attempt outlives whatever else the server says.
  const isLost = lastError !== undefined && LOSSES.has(lastError.outcome);
  return state.kind === 'active' && isLost && backoff.notBefore <= now;
}

/** Whether a flight of one order does all that another order asks for. */
export function isCovered(order: Order, by: Order): boolean {
  if (order.byHand !== by.byHand || order.anyway !== by.anyway) return by.byHand && by.anyway;
  const { demand } = order;
  if (demand.kind === 'due' || by.demand.kind === 'due') return demand.kind === by.demand.kind;
  return by.demand.generation >= demand.generation && (by.demand.rejected || !demand.rejected);
}
