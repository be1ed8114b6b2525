import { failpoint } from '#failpoints';
import type { Demand } from '../connection/claiming.ts';
import type { View } from '../connection/decision.ts';
import { OutcomeUncertainError } from '../errors.ts';
import { sleep } from '../system/clock.ts';
import type { AttemptResult, Order } from './attempt.ts';
import type { Engine } from './engine.ts';
import { Excuses } from './excuses.ts';
import {
  deadlineError,
  failureOf,
  passingError,
  stopError,
  unusableError,
  waitingError,
} from './failure.ts';
import { isCovered, type Flight, type Flights } from './flights.ts';
import type { KeptToken } from './kept-token.ts';
import type { Memory, Remembered } from './memory.ts';
import { recoverAwaited } from './recover.ts';
import { waitUntil, type Patience } from './wait.ts';

/*
 * Waiting for a newer token. Where the old one lives a caller waits a little, once per back-off period, and is then served that; else as long
 * as its patience lasts and a request may still bring one.
 */

/** A token, with the rows that it was read with: they tell whose it is. */
export type Served = Remembered & { readonly token: KeptToken };

/** A token newer than a generation. */
export type Newer = Demand & { readonly kind: 'newer' };

/** What a wait for a flight came to. */
type Step = AttemptResult | { readonly ended: 'deadline' | 'aborted'; readonly flight: Flight };

/** Longest wait for a newer token while the old one lives. */
const POLITE_WAIT_MS = 5_000;
const CAME_TOO_LATE = 'the server answers so late that the access token has ended by then';

/** Gets newer tokens for those who wait for them. */
export class NewerTokens {
  readonly #engine: Engine;
  readonly #flights: Flights;
  readonly #memory: Memory;
  readonly #excuses: Excuses;

  /** Works over the keeper's memory and flights. */
  constructor(engine: Engine, flights: Flights, memory: Memory) {
    this.#engine = engine;
    this.#flights = flights;
    this.#memory = memory;
    this.#excuses = new Excuses(engine.clock);
  }

  /** One refresh now, by a person's order. @returns the rows that came of it. @throws when it brought no newer token set. */
  async order(name: string, anyway: boolean, patience: Patience): Promise<View> {
    // What it holds now is not what is wanted.
    let known: Remembered = { view: await this.#memory.rows(name), token: undefined };
    const { generation } = known.view.connection;
    const demand = { kind: 'newer', generation, rejected: false } as const;
    for (;;) {
      patience.signal?.throwIfAborted();
      const step = await this.#wait(known, { demand, byHand: true, anyway }, patience);
      known = await this.#memory.recallAgain(known);
      if (known.view.connection.generation > generation) {
        const unusable = unusableError(known.view);
        if (unusable === undefined) return known.view;
        throw unusable;
      }
      await this.#orThrow(step, known, patience);
    }
  }

  /** Waits until the connection is past a generation, as long as that is wise for a caller, and replies with what lives then. @throws as `Connection.token` says. */
  async obtain(first: Remembered, demand: Newer, patience: Patience): Promise<Served> {
    const { clock } = this.#engine;
    let wanted = demand;
    let brought = 0;
    for (let known = first; ; known = await this.#memory.recallAgain(known)) {
      if (known.view.connection.generation > wanted.generation) {
        if (!this.#isOfNoUse(known)) return this.#reply(known);
        // Once is chance, and the clock of another process may be wrong; at a server that is slower than its tokens live no request helps.
        if (brought >= 2) throw passingError(known.view, CAME_TOO_LATE, undefined);
        wanted = { ...demand, generation: known.view.connection.generation, rejected: false };
      }
      const order: Order = { demand: wanted, byHand: false, anyway: false };
      if (!this.#maySend(known, wanted)) {
        if (!(await this.#recovers(known))) return this.#reply(known);
        await this.#memory.readAgain(known);
        continue;
      }
      patience.signal?.throwIfAborted();
      const deadline = this.#deadline(known, wanted, patience);
      if (deadline <= clock.monotonic()) return this.#replyMeanwhile(known, order);
      const step = await this.#waitOrExcuse(known, order, { ...patience, deadline });
      if (step === 'excused') return this.#reply(known);
      if ('ended' in step && step.ended === 'aborted') throw abortReason(patience);
      if (hasBrought(step)) brought++;
      const after = await this.#memory.recallAgain(known);
      if (after.view.connection.generation > wanted.generation) continue;
      if (this.#isLiving(after) && !(wanted.rejected && this.#comesSoon(step, patience))) {
        // A caller in a hurry says nothing about the server.
        const isHanging = 'ended' in step;
        if (!isHanging || deadline < patience.deadline)
          this.#excuses.add(after.view.connection, isHanging);
        return this.#reply(after);
      }
      // The old token expired during the polite wait for a newer one: what is left of the caller's own patience counts now.
      if ('ended' in step && deadline < patience.deadline) continue;
      await this.#orThrow(step, after, patience);
    }
  }

  /** Whether the answer that a connection waits for lay in a file, and is in the store now. */
  async #recovers(known: Remembered): Promise<boolean> {
    try {
      return await recoverAwaited(this.#engine, known.view);
    } catch (error) {
      if (this.#isLiving(known)) return false;
      throw error;
    }
  }

  /**
   * Whether a newer set is of no use, though nothing failed: an answer recorded long after it was asked for, by a process that had been stopped,
   * may have outlived its own token; and a refresh token may have been imported alone.
   */
  #isOfNoUse(known: Remembered): boolean {
    return known.view.connection.lastError === undefined && !this.#isLiving(known);
  }

  #reply(known: Remembered): Served {
    failpoint('before-reply');
    const { token } = known;
    if (token !== undefined && this.#isLiving(known)) return { ...known, token };
    throw failureOf(known.view);
  }

  /** For a caller that will not wait: the refresh is begun for those who come later. */
  #replyMeanwhile(known: Remembered, order: Order): Served {
    const flight = this.#flights.board(known.view.connection.id, order);
    if (this.#isLiving(known)) return this.#reply(known);
    throw deadlineError(known.view, flight.holder);
  }

  /** Whether a request could come of a flight at all: an uncertain connection has one try left, when its token is of no use any more. */
  #maySend(known: Remembered, { rejected }: Pick<Newer, 'rejected'>): boolean {
    const { state } = known.view.connection;
    const stopped = stopError(known.view);
    if (stopped === undefined) return true;
    if (!(stopped instanceof OutcomeUncertainError) || state.kind !== 'uncertain') return false;
    return state.lastTry && (rejected || !this.#isLiving(known));
  }

  /** Until when a caller waits for a newer token: briefly, or not at all, where the old one could be served now. */
  #deadline(known: Remembered, { rejected }: Newer, patience: Patience): number {
    if (rejected || !this.#isLiving(known)) return patience.deadline;
    const now = this.#engine.clock.monotonic();
    const waitMs = this.#excuses.has(known.view.connection) ? 0 : POLITE_WAIT_MS;
    return Math.min(patience.deadline, now + waitMs);
  }

  /** A failing store is no reason to withhold a token that lives. */
  async #waitOrExcuse(
    known: Remembered,
    order: Order,
    patience: Patience,
  ): Promise<Step | 'excused'> {
    try {
      return await this.#wait(known, order, patience);
    } catch (error) {
      if (!this.#isLiving(known)) throw error;
      const { name } = known.view.connection;
      const why = error instanceof Error ? error.message : 'unknown';
      this.#engine.emit('warning', { connection: name, message: `the refresh failed: ${why}` });
      this.#excuses.add(known.view.connection, false);
      return 'excused';
    }
  }

  /**
   * Waits for a flight; for another one when that which was under way had a weaker order and made no request, or none that a person who insists
   * has ordered.
   */
  async #wait(known: Remembered, order: Order, patience: Patience): Promise<Step> {
    for (;;) {
      const flight = this.#flights.board(known.view.connection.id, order);
      const waited = await this.#flights.join(flight, (landing) =>
        waitUntil(landing, this.#engine.clock, patience.deadline, patience.signal),
      );
      if (!('value' in waited)) return { ...waited, flight };
      const result = waited.value;
      if (isCovered(order, flight.order)) return result;
      if (result.kind === 'settled' && !order.anyway) return result;
    }
  }

  /** Goes on when another round may help before the deadline; else throws why there is no token. */
  async #orThrow(step: Step, known: Remembered, patience: Patience): Promise<void> {
    if ('ended' in step) {
      if (step.ended === 'aborted') throw abortReason(patience);
      throw deadlineError(known.view, step.flight.holder);
    }
    const { clock, closing } = this.#engine;
    const stopped = stopError(known.view);
    if (step.kind === 'stopped' && stopped !== undefined) throw stopped;
    if (step.kind === 'deferred') {
      if (!this.#comesSoon(step, patience)) {
        throw waitingError(known.view, step);
      }
      const { signal } = patience;
      const ends = signal === undefined ? closing : AbortSignal.any([signal, closing]);
      await sleep(clock, step.until - clock.now(), ends);
      return;
    }
    // Where somebody stored a newer set, which could not be read just now, another look finds it.
    if (step.kind !== 'settled' || step.verdict.kind !== 'failed') return;
    const { notBefore } = known.view.connection.backoff;
    const isLastTryNow = notBefore <= clock.now() && this.#maySend(known, { rejected: false });
    if (stopped !== undefined && !isLastTryNow) throw stopped;
    if (notBefore <= clock.now()) return;
    throw passingError(known.view, undefined, notBefore);
  }

  /** Whether a request that must wait may still be made while the caller waits. */
  #comesSoon(step: Step, patience: Patience): boolean {
    const { clock } = this.#engine;
    if ('ended' in step || step.kind !== 'deferred') return false;
    return clock.monotonic() + step.until - clock.now() <= patience.deadline;
  }

  #isLiving(known: Remembered): boolean {
    return known.token !== undefined && known.token.leftMs(this.#memory.now()) > 0;
  }
}

/** Whether a flight of this keeper made a request that brought a token set. */
function hasBrought(step: Step): boolean {
  return !('ended' in step) && step.kind === 'settled' && step.verdict.kind === 'recorded';
}

function abortReason({ signal }: Patience): unknown {
  return signal?.reason ?? new Error('the caller gave up');
}
