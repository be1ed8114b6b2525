import { failpoint, sabotaged } from '#failpoints';
import type { AccessToken } from '../access-token.ts';
import type { Demand } from '../connection/claiming.ts';
import { enoughLifeMs, issuedLifeMs } from '../connection/freshness.ts';
import { isRepeatable } from '../connection/schedule.ts';
import { OutcomeUncertainError } from '../errors.ts';
import { sleep } from '../system/clock.ts';
import type { AttemptResult, Order } from './attempt.ts';
import type { Engine } from './engine.ts';
import {
  changedError,
  deadlineError,
  failureOf,
  minLifeError,
  passingError,
  stopError,
  unusableError,
} from './failure.ts';
import { isCovered, type Flight, type Flights } from './flights.ts';
import type { KeptToken } from './kept-token.ts';
import type { Memory, Remembered } from './memory.ts';
import { recoverAwaited } from './recover.ts';
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

/** A token that an API refused. */
interface RejectedGeneration {
  readonly generation: number;
  /** Whether it named the token as the reason: only then is it taken for dead, which spends the last try of an uncertain connection. */
  readonly named: boolean;
}

/** A token, with the rows that it was read with: they tell whose it is. */
type Served = Remembered & { readonly token: KeptToken };

type Newer = Demand & { readonly kind: 'newer' };

/** What a wait for a flight came to. */
type Step = AttemptResult | { readonly ended: 'deadline' | 'aborted'; readonly flight: Flight };

interface Crowd {
  /** When the first came, on the monotonic clock. */
  readonly since: number;
  readonly token: Promise<AccessToken>;
}

/** Who comes so much later than the first of a crowd is as patient as that one. */
const TOGETHER_MS = 10;
/** Longest wait for a newer token while the old one lives. */
const POLITE_WAIT_MS = 5_000;
const LONGEST_EXCUSE_MS = 300_000;
const HEAL_AGAIN_MS = 1_000;

/** Hands out the tokens of a keeper's connections. */
export class Server {
  readonly #engine: Engine;
  readonly #flights: Flights;
  readonly #memory: Memory;
  /** Until when, on the monotonic clock, callers of a connection need not wait for a token newer than this generation. */
  readonly #excuses = new Map<string, { readonly generation: number; readonly until: number }>();
  /** Callers that wait together, by the name of the connection, or by connection and registration. */
  readonly #crowds = new Map<string, Crowd>();
  /** Intents of dead attempts that a flight was started for. */
  readonly #healing = new Set<string>();

  /** Works over the keeper's memory and flights. */
  constructor(engine: Engine, flights: Flights, memory: Memory) {
    this.#engine = engine;
    this.#flights = flights;
    this.#memory = memory;
  }

  /**
   * A token, for callers that demand nothing special: those who come together wait together, since ten thousand waits take longer than the
   * refresh. @throws as `Connection.token` says.
   */
  tokenTogether(name: string, patienceMs: number): Promise<AccessToken> {
    return this.#together(name, patienceMs, (patience) => this.token(name, undefined, patience));
  }

  /**
   * A token for a call that was made ready for a connection as it was known then: one of that connection, whatever its name has become, and of
   * the registration that it had, for the call goes to the API of that one. Callers that come together wait together.
   *
   * @param rejected - where the API refused one, a newer is meant, see {@link RejectedGeneration}; the same one is served when no newer can be had.
   * @throws {@link ServerUnavailableError} `ERR_CONNECTION_CHANGED` when the connection belongs to another registration by then; else as
   *   `Connection.token` says.
   */
  callToken(
    ready: Remembered,
    rejected: RejectedGeneration | undefined,
    patienceMs: number,
  ): Promise<AccessToken> {
    const { connection, client } = ready.view;
    const { generation, named } = rejected ?? { generation: -1, named: false };
    // No name holds a space.
    const crowd = [connection.id, client.id, generation, named].join(' ');
    return this.#together(crowd, patienceMs, async (patience) => {
      const served = await this.#callToken(ready, rejected, patience);
      const isSame = served.view.client.id === client.id || sabotaged('call-registration');
      if (isSame) return served.token;
      throw changedError(connection.name);
    });
  }

  async #callToken(
    ready: Remembered,
    rejected: RejectedGeneration | undefined,
    patience: Patience,
  ): Promise<Served> {
    if (rejected === undefined) {
      return this.#serve(await this.#memory.recallAgain(ready), undefined, patience);
    }
    const { generation, named } = rejected;
    const known = await this.#memory.readAgain(ready);
    return this.#obtain(known, { kind: 'newer', generation, rejected: named }, patience);
  }

  #together(
    key: string,
    patienceMs: number,
    ask: (patience: Patience) => Promise<AccessToken>,
  ): Promise<AccessToken> {
    const now = this.#engine.clock.monotonic();
    const before = this.#crowds.get(key);
    if (before !== undefined && now - before.since <= TOGETHER_MS) return before.token;
    const token = ask({ deadline: now + patienceMs, signal: undefined });
    const crowd = { since: now, token };
    this.#crowds.set(key, crowd);
    const disperse = (): void => {
      if (this.#crowds.get(key) === crowd) this.#crowds.delete(key);
    };
    token.then(disperse, disperse);
    return token;
  }

  /** A token that need not be refreshed before use. @throws as `Connection.token` says. */
  async token(
    name: string,
    minLifeMs: number | undefined,
    patience: Patience,
  ): Promise<AccessToken> {
    let known: Remembered;
    try {
      known = this.#memory.recall(name) ?? (await this.#memory.read(name));
    } catch (error) {
      const last = this.#memory.lastKnown(name);
      if (last !== undefined && last.leftMs(this.#memory.now()) > (minLifeMs ?? 0)) return last;
      throw error;
    }
    return (await this.#serve(known, minLifeMs, patience)).token;
  }

  /** One refresh now, by a person's order. @throws when it brought no newer token set. */
  async refreshNow(name: string, anyway: boolean, patience: Patience): Promise<void> {
    let known = await this.#memory.read(name);
    const { generation } = known.view.connection;
    const demand = { kind: 'newer', generation, rejected: false } as const;
    for (;;) {
      const step = await this.#wait(known, { demand, byHand: true, anyway }, patience);
      known = await this.#memory.readAgain(known);
      if (known.view.connection.generation > generation) {
        const unusable = unusableError(known.view);
        if (unusable === undefined) return;
        throw unusable;
      }
      await this.#orThrow(step, known, patience);
    }
  }

  async #serve(
    known: Remembered,
    minLifeMs: number | undefined,
    patience: Patience,
  ): Promise<Served> {
    this.#heal(known);
    const token = this.#atHand(known, minLifeMs);
    if (token !== undefined) return { ...known, token };
    const tooLong = minLifeError(known.view, minLifeMs);
    if (tooLong !== undefined) throw tooLong;
    const { generation } = known.view.connection;
    return this.#obtain(known, { kind: 'newer', generation, rejected: false }, patience);
  }

  /** The token, if it can be served before its early expiry. */
  #atHand({ token, view }: Remembered, minLifeMs: number | undefined): KeptToken | undefined {
    const now = this.#memory.now();
    if (token === undefined || token.leftUntilEarlyMs(now) <= 0) return undefined;
    if (minLifeMs === undefined) return token;
    const { tokens } = view.connection;
    const enoughMs = enoughLifeMs(minLifeMs, tokens && issuedLifeMs(tokens));
    return token.leftMs(now) >= enoughMs ? token : undefined;
  }

  /** Waits until the connection is past a generation, as long as that is wise for a caller, and replies with what lives then. */
  async #obtain(first: Remembered, demand: Newer, patience: Patience): Promise<Served> {
    const { clock } = this.#engine;
    let wanted = demand;
    for (let known = first; ; known = await this.#memory.recallAgain(known)) {
      if (known.view.connection.generation > wanted.generation) {
        if (!this.#cameTooLate(known)) return this.#reply(known);
        wanted = { ...demand, generation: known.view.connection.generation, rejected: false };
      }
      const order: Order = { demand: wanted, byHand: false, anyway: false };
      if (!this.#maySend(known, wanted)) {
        if (!(await this.#recovers(known))) return this.#reply(known);
        await this.#memory.readAgain(known);
        continue;
      }
      const deadline = this.#deadline(known, wanted, patience);
      if (deadline <= clock.monotonic()) return this.#replyMeanwhile(known, order);
      const step = await this.#waitOrExcuse(known, order, { ...patience, deadline });
      if (step === 'excused') return this.#reply(known);
      if ('ended' in step && step.ended === 'aborted') throw abortReason(patience);
      const after = await this.#memory.recallAgain(known);
      if (after.view.connection.generation > wanted.generation) continue;
      if (this.#isLiving(after) && !(wanted.rejected && this.#comesSoon(step, patience))) {
        // A caller in a hurry says nothing about the server.
        if (!('ended' in step) || deadline < patience.deadline) this.#excuse(after, step);
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

  /** An answer recorded long after it was asked for, by a process that had been stopped, may have outlived its own token. */
  #cameTooLate(known: Remembered): boolean {
    const { tokens, lastError } = known.view.connection;
    const wasOfUse = tokens?.accessToken !== undefined && lastError === undefined;
    return wasOfUse && !this.#isLiving(known);
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
    const { id, generation } = known.view.connection;
    const excuse = this.#excuses.get(id);
    const isExcused = excuse?.generation === generation && excuse.until > now;
    return isExcused ? now : Math.min(patience.deadline, now + POLITE_WAIT_MS);
  }

  /** After a wait that brought nothing newer: nobody else need wait before the back-off ends, or while the request still hangs. */
  #excuse(known: Remembered, step: Step | 'excused'): void {
    const { clock } = this.#engine;
    const { id, generation, backoff } = known.view.connection;
    const isHanging = step !== 'excused' && 'ended' in step;
    const backoffMs = Math.max(backoff.notBefore - clock.now(), 1_000);
    const untilMs = isHanging ? LONGEST_EXCUSE_MS : Math.min(backoffMs, LONGEST_EXCUSE_MS);
    this.#excuses.set(id, { generation, until: clock.monotonic() + untilMs });
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
      this.#excuse(known, 'excused');
      return 'excused';
    }
  }

  /** Waits for a flight; for another one when that which was under way had a weaker order and made no request. */
  async #wait(known: Remembered, order: Order, patience: Patience): Promise<Step> {
    for (;;) {
      const flight = this.#flights.board(known.view.connection.id, order);
      const waited = await this.#flights.join(flight, (landing) =>
        waitUntil(landing, this.#engine.clock, patience.deadline, patience.signal),
      );
      if (!('value' in waited)) return { ...waited, flight };
      const result = waited.value;
      if (result.kind === 'settled' || isCovered(order, flight.order)) return result;
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
        throw passingError(known.view, step.because, step.until);
      }
      const { signal } = patience;
      const ends = signal === undefined ? closing : AbortSignal.any([signal, closing]);
      await sleep(clock, step.until - clock.now(), ends);
      return;
    }
    if (step.kind !== 'settled' || step.verdict.kind === 'superseded') return;
    const { notBefore } = known.view.connection.backoff;
    const isLastTryNow = notBefore <= clock.now() && this.#maySend(known, { rejected: false });
    if (stopped !== undefined && !isLastTryNow) throw stopped;
    if (step.verdict.kind === 'failed' && notBefore <= clock.now()) return;
    throw passingError(known.view, undefined, notBefore);
  }

  /** Whether a request that must wait may still be made while the caller waits. */
  #comesSoon(step: Step, patience: Patience): boolean {
    const { clock } = this.#engine;
    if ('ended' in step || step.kind !== 'deferred') return false;
    return clock.monotonic() + step.until - clock.now() <= patience.deadline;
  }

  /**
   * An intent that a dead process left is looked after at once, whatever the token's life: a grace runs out, and its owner must hear of an
   * uncertain connection early.
   */
  #heal({ view: { connection, client } }: Remembered): void {
    const { closing, clock } = this.#engine;
    const attemptId = connection.intent?.attemptId;
    if (attemptId === undefined || connection.state.kind !== 'active') return;
    if (isRepeatable(this.#engine.profileOf(client).rotation)) return;
    if (this.#healing.has(attemptId) || closing.aborted) return;
    this.#healing.add(attemptId);
    const again = (): void => {
      const forget = (): void => void this.#healing.delete(attemptId);
      clock.timer(HEAL_AGAIN_MS, forget, { background: true });
    };
    const order: Order = { demand: { kind: 'due' }, byHand: false, anyway: false };
    this.#flights.board(connection.id, order).landing.then((result) => {
      if (result.kind === 'held' || result.kind === 'deferred') again();
    }, again);
  }

  #isLiving(known: Remembered): boolean {
    return known.token !== undefined && known.token.leftMs(this.#memory.now()) > 0;
  }
}

function abortReason({ signal }: Patience): unknown {
  return signal?.reason ?? new Error('the caller gave up');
}
