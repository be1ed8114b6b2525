import { failpoint } from '#failpoints';
import type { AccessToken } from '../access-token.ts';
import type { View } from '../connection/decision.ts';
import { isRepeatable } from '../connection/schedule.ts';
import { ConfigurationError, RefreshBlockedError, ServerUnavailableError } from '../errors.ts';
import { sleep } from '../system/clock.ts';
import type { AttemptResult, Order } from './attempt.ts';
import type { Engine } from './engine.ts';
import { failureOf, passingError, stopError } from './failure.ts';
import type { Flight, Flights } from './flights.ts';
import type { Memory, Remembered } from './memory.ts';
import { waitUntil } from './wait.ts';

/*
 * Handing out tokens. While an access token lives nothing can withhold it: before its early expiry it is served at once; between early and
 * true expiry a caller waits a little for a newer one, once per back-off period, and is then served the old one.
 */

/** A caller's patience. */
export interface Patience {
  /** On the monotonic clock. */
  readonly deadline: number;
  /** The caller's own. */
  readonly signal: AbortSignal | undefined;
}

/** Longest wait for a newer token while the old one lives. */
const POLITE_WAIT_MS = 5_000;
const LONGEST_EXCUSE_MS = 300_000;

/** Hands out the tokens of a keeper's connections. */
export class Server {
  readonly #engine: Engine;
  readonly #flights: Flights;
  readonly #memory: Memory;
  /** Connections whose callers need not wait for a newer token before this instant on the monotonic clock. */
  readonly #impatient = new Map<string, number>();
  /** Intents of dead attempts that a flight was started for. */
  readonly #healing = new Set<string>();

  /** Works over the keeper's memory and flights. */
  constructor(engine: Engine, flights: Flights, memory: Memory) {
    this.#engine = engine;
    this.#flights = flights;
    this.#memory = memory;
  }

  /** The token, if it can be served without a second thought. The hot path of a keeper. */
  atHand(name: string, minLifeMs: number | undefined): AccessToken | undefined {
    const known = this.#memory.recall(name);
    if (known?.token === undefined) return undefined;
    const { clock } = this.#engine;
    const margin = minLifeMs ?? 0;
    if (isReached(known.earlyAt, clock.now(), clock.monotonic())) return undefined;
    if (margin > 0 && isReached(known.endsAt, clock.now() + margin, clock.monotonic() + margin)) {
      return undefined;
    }
    return known.token;
  }

  /** A token that need not be refreshed before use. @throws as `Connection.token` says. */
  async token(
    name: string,
    minLifeMs: number | undefined,
    patience: Patience,
  ): Promise<AccessToken> {
    const known = await this.#current(name);
    this.#heal(known);
    const served = this.atHand(name, minLifeMs);
    if (served !== undefined) return served;
    checkMinLife(known, minLifeMs);
    return this.#obtain(name, known.view.connection.generation, false, patience);
  }

  /**
   * A token newer than a generation that the API refused; the same one when no newer can be had. Only where the API `named` the token as
   * the reason is it taken for dead, which spends the last try of an uncertain connection.
   */
  async newerToken(
    name: string,
    rejected: { readonly generation: number; readonly named: boolean },
    patience: Patience,
  ): Promise<AccessToken> {
    await this.#memory.read(name);
    return this.#obtain(name, rejected.generation, rejected.named, patience);
  }

  /** One refresh now, by a person's order. @throws when it brought no newer token set. */
  async refreshNow(name: string, anyway: boolean, patience: Patience): Promise<void> {
    const known = await this.#memory.read(name);
    const { generation } = known.view.connection;
    const order: Order = {
      demand: { kind: 'newer', generation, rejected: false },
      byHand: true,
      anyway,
    };
    for (;;) {
      const step = await this.#wait(known, order, patience);
      const now = await this.#memory.read(name);
      if (now.view.connection.generation > generation) return;
      await this.#orThrow(step, now, patience);
    }
  }

  /** Waits until the connection is past `generation`, as long as that is wise for a caller, and replies with what lives then. */
  async #obtain(
    name: string,
    generation: number,
    rejected: boolean,
    patience: Patience,
  ): Promise<AccessToken> {
    const order: Order = {
      demand: { kind: 'newer', generation, rejected },
      byHand: false,
      anyway: false,
    };
    for (;;) {
      const before = await this.#current(name);
      if (before.view.connection.generation > generation) return this.#reply(before);
      const deadline = rejected ? patience.deadline : this.#deadline(before, patience);
      if (deadline <= this.#engine.clock.monotonic()) {
        this.#start(before, order);
        return this.#reply(before);
      }
      const step = await this.#waitOrExcuse(before, order, { ...patience, deadline });
      if (step === 'excused') return this.#reply(before);
      const after = await this.#current(name);
      const isNewer = after.view.connection.generation > generation;
      if (!isNewer && this.#isLiving(after)) this.#excuse(after, 'ended' in step);
      if (isNewer || this.#isLiving(after)) return this.#reply(after);
      await this.#orThrow(step, after, patience);
    }
  }

  #reply(known: Remembered): AccessToken {
    failpoint('before-reply');
    if (known.token !== undefined && this.#isLiving(known)) return known.token;
    throw failureOf(known.view);
  }

  /** What is remembered, or read when nothing is. */
  async #current(name: string): Promise<Remembered> {
    return this.#memory.recall(name) ?? (await this.#memory.read(name));
  }

  /** Until when a caller waits for a newer token: not at all where nothing may be sent, and briefly where it could be served now. */
  #deadline(known: Remembered, patience: Patience): number {
    const now = this.#engine.clock.monotonic();
    if (isAtRest(known.view)) return now;
    if (!this.#isLiving(known)) return patience.deadline;
    if (stopError(known.view) !== undefined) return now;
    const impatientUntil = this.#impatient.get(known.view.connection.id) ?? 0;
    return impatientUntil > now ? now : Math.min(patience.deadline, now + POLITE_WAIT_MS);
  }

  /** After a wait that brought nothing newer: nobody else need wait before the back-off ends, or while the request still hangs. */
  #excuse(known: Remembered, isHanging: boolean): void {
    const { clock } = this.#engine;
    const { connection } = known.view;
    const backoffMs = Math.max(connection.backoff.notBefore - clock.now(), 1_000);
    const untilMs = isHanging ? LONGEST_EXCUSE_MS : Math.min(backoffMs, LONGEST_EXCUSE_MS);
    this.#impatient.set(connection.id, clock.monotonic() + untilMs);
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
      this.#excuse(known, false);
      return 'excused';
    }
  }

  #start(known: Remembered, order: Order): void {
    if (stopError(known.view) === undefined) this.#flights.board(known.view.connection.id, order);
  }

  async #wait(known: Remembered, order: Order, patience: Patience): Promise<Step> {
    const flight = this.#flights.board(known.view.connection.id, order);
    const { clock } = this.#engine;
    const waited = await this.#flights.join(flight, (landing) =>
      waitUntil(landing, clock, patience.deadline, patience.signal),
    );
    if ('value' in waited) return waited.value;
    return { ...waited, flight };
  }

  /** Goes on when another round may help before the deadline; else throws why there is no token. */
  async #orThrow(step: Step, known: Remembered, patience: Patience): Promise<void> {
    if ('ended' in step) {
      if (step.ended === 'aborted') throw patience.signal?.reason ?? new Error('aborted');
      throw deadlineError(known, step.flight);
    }
    const { clock } = this.#engine;
    const stopped = stopError(known.view);
    if (step.kind === 'stopped' && stopped !== undefined) throw stopped;
    if (step.kind === 'deferred') {
      const wait = step.until - clock.now();
      if (clock.monotonic() + wait > patience.deadline) {
        throw passingError(known.view, step.because, step.until);
      }
      await sleep(clock, wait, patience.signal);
      return;
    }
    if (step.kind !== 'settled' || step.verdict.kind === 'superseded') return;
    if (stopped !== undefined) throw stopped;
    const { notBefore } = known.view.connection.backoff;
    if (step.verdict.kind === 'failed' && notBefore <= clock.now()) return;
    throw passingError(known.view, undefined, notBefore);
  }

  /**
   * An intent that a dead process left is looked after at once, whatever the token's life: a grace runs out, and its owner must hear of an
   * uncertain connection early.
   */
  #heal({ view: { connection, client } }: Remembered): void {
    const attemptId = connection.intent?.attemptId;
    if (attemptId === undefined || connection.state.kind !== 'active') return;
    if (isRepeatable(this.#engine.profileOf(client).rotation) || this.#healing.has(attemptId))
      return;
    this.#healing.add(attemptId);
    const order: Order = { demand: { kind: 'due' }, byHand: false, anyway: false };
    const again = (): void => void this.#healing.delete(attemptId);
    this.#flights.board(connection.id, order).landing.then((result) => {
      if (result.kind === 'held') again();
    }, again);
  }

  #isLiving(known: Remembered): boolean {
    const { clock } = this.#engine;
    return known.token !== undefined && !isReached(known.endsAt, clock.now(), clock.monotonic());
  }
}

/** Whether nothing may be sent, not even a last try, until somebody acts. */
function isAtRest(view: View): boolean {
  return view.connection.state.kind !== 'uncertain' && stopError(view) !== undefined;
}

/** What a wait for a flight came to. */
type Step = AttemptResult | { readonly ended: 'deadline' | 'aborted'; readonly flight: Flight };

function isReached(
  instant: { readonly wall: number; readonly monotonic: number },
  wall: number,
  monotonic: number,
): boolean {
  return wall >= instant.wall || monotonic >= instant.monotonic;
}

function checkMinLife({ view: { connection } }: Remembered, minLifeMs: number | undefined): void {
  const life = connection.tokens?.accessLifeMs;
  if (minLifeMs === undefined || life === undefined || life <= 0 || minLifeMs <= life) return;
  throw new ConfigurationError(
    'ERR_MIN_LIFE_TOO_LONG',
    `a token of ${connection.name} lives ${String(Math.round(life / 1000))} s when new, so it cannot be demanded to live ${String(Math.round(minLifeMs / 1000))} s more; demand less`,
    { connection: connection.name },
  );
}

function deadlineError({ view: { connection } }: Remembered, flight: Flight): Error {
  const { name } = connection;
  const { holder } = flight;
  if (holder === undefined) {
    return new ServerUnavailableError(
      'ERR_DEADLINE',
      `${name}: the refresh took longer than the caller would wait; it goes on, ask again`,
      { connection: name },
    );
  }
  const who = `process ${String(holder.owner.pid)}`;
  return new RefreshBlockedError(
    `${name}: ${who} holds the refresh and has not finished; if it hangs, end that process`,
    { connection: name, holder: who, since: holder.claimedAt },
  );
}
