import type { AccessToken } from '../access-token.ts';
import type { View } from '../connection/decision.ts';
import type { ConnectionRecord } from '../connection/record.ts';
import { openToken } from '../connection/token-set.ts';
import { NotFoundError } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import type { Engine } from './engine.ts';
import { KeptToken, TokenPool, type Now } from './kept-token.ts';
import { KeptTokens } from './kept-tokens.ts';

/*
 * What a keeper remembers of the connections it serves. Of each it keeps the access token; the rows only of those it read last, since there
 * may be very many connections and hardly any of them is being refreshed.
 *
 * Time is cut into windows. The first call in one looks at both clocks and asks the store whether another process wrote; a token that is found
 * good for longer than the window is then served until the window ends, at the price of one look-up and one reading of the wall clock. That
 * notices a suspended machine, which the monotonic clock does not; a clock that is set back ends the window as well, unless it stays inside, and
 * a token is served so only while it would live through twice that time.
 */

/** A connection as last read. */
export interface Remembered {
  /** Its rows. */
  readonly view: View;
  /** Its access token, opened; undefined when there is none. */
  readonly token: KeptToken | undefined;
}

/** Length of a window. What another process wrote is seen when the next one begins. */
const WINDOW_MS = 250;
/** Rows of so many connections are kept. */
const MOST_VIEWS = 64;

/** The connections that a keeper serves, as last read. */
export class Memory {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #tokens = new KeptTokens();
  readonly #views = new Map<string, Remembered & { readonly readIn: number }>();
  readonly #pool = new TokenPool();
  /** Wall time less monotonic time when the keeper began, so that both count from the same origin. */
  readonly #origin: number;
  #counter: number | undefined;
  /** Windows have even numbers. A token bears that of the one in which it was found good, or the odd one after that in which it was read. */
  #window = 0;
  #windowFrom = -Infinity;
  #windowEnds = -Infinity;
  /** What was last seen before this window may have changed since. */
  #trustedFrom = 0;
  /** Found spent in this window: those who wait for a newer one come by the thousand, and most of their time would go into reading clocks. */
  #spent: KeptToken | undefined;
  #closed = false;

  /** Remembers nothing yet. */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.#clock = engine.clock;
    this.#origin = Math.round(engine.clock.now() - engine.clock.monotonic());
    this.#counter = this.#count();
  }

  /**
   * The access token, if it can be served without a second thought. The hot path of a keeper: what tells whether a token may be
   * served is held by the token alone, and each caller gets a promise of its own, which is made sooner than one kept for all is fetched from memory.
   */
  serve(token: KeptToken): Promise<AccessToken> | undefined {
    const sinceMs = this.#clock.now() - this.#windowFrom;
    const isOpen = sinceMs >= 0 && sinceMs < WINDOW_MS;
    if (isOpen && token.seen === this.#window) return Promise.resolve(token);
    return isOpen && token === this.#spent ? undefined : this.#judge(token);
  }

  /** What is remembered of a connection, if nothing can have changed since. */
  recall(name: string): Remembered | undefined {
    this.#enter(this.now());
    const known = this.#views.get(name);
    return known !== undefined && known.readIn >= this.#trustedFrom ? known : undefined;
  }

  /** As {@link Memory.recall}, or read, for a connection that was known before, whatever its name has become. */
  async recallAgain(before: Remembered): Promise<Remembered> {
    const { id, name } = before.view.connection;
    const known = this.recall(name);
    return known?.view.connection.id === id ? known : this.readAgain(before);
  }

  /** The token as last known, whatever may have changed since. */
  lastKnown(name: string): KeptToken | undefined {
    return this.#tokens.get(name);
  }

  /**
   * Reads a connection from the store. When the store cannot be read, what is remembered is served on.
   *
   * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN`
   */
  async read(name: string): Promise<Remembered> {
    const readIn = this.#window;
    try {
      return this.#keep(await this.rows(name), readIn);
    } catch (error) {
      const stale = this.#views.get(name);
      if (stale !== undefined) return stale;
      throw error;
    }
  }

  /**
   * The rows of a connection as the store has them now, its token left sealed.
   *
   * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN`; {@link StoreError} when the store cannot be read.
   */
  async rows(name: string): Promise<View> {
    const view = await this.#engine.store.find(name);
    if (view !== undefined) return view;
    this.forget(name);
    throw unknown(name);
  }

  /**
   * Reads a connection that was known before, whatever its name has become.
   *
   * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN`
   */
  async readAgain(before: Remembered): Promise<Remembered> {
    const { id, name } = before.view.connection;
    const readIn = this.#window;
    let view: View | undefined;
    try {
      view = await this.#engine.store.read(id);
    } catch {
      return before;
    }
    if (view === undefined) throw unknown(name);
    return this.#keep(view, readIn);
  }

  /** Reads a connection again by its id, after this keeper changed it. */
  async refreshed(connectionId: string): Promise<void> {
    const readIn = this.#window;
    try {
      const view = await this.#engine.store.read(connectionId);
      if (view === undefined) return;
      // Another keeper may have renamed it: what stands under the former name would be taken for what the store holds.
      for (const { view: known } of this.#views.values()) {
        const { id, name } = known.connection;
        if (id === connectionId && name !== view.connection.name) this.forget(name);
      }
      this.#keep(view, readIn);
    } catch {
      // The store tells a keeper of what others write alone.
      this.forgetAll();
    }
  }

  /** Forgets a name, after a rename or a disconnect. */
  forget(name: string): void {
    this.#tokens.put(name, undefined);
    this.#views.delete(name);
  }

  /** Reads everything anew when it is asked for, after a change that concerns many connections, or one that could not be read. */
  forgetAll(): void {
    this.#window += 2;
    this.#trustedFrom = this.#window;
  }

  /** Serves nothing without a second thought any more. */
  close(): void {
    this.#closed = true;
    this.#tokens.clear();
  }

  /** This moment, by both clocks. */
  now(): Now {
    return { wall: this.#clock.now(), steady: this.#clock.monotonic() + this.#origin };
  }

  #judge(token: KeptToken): Promise<AccessToken> | undefined {
    if (this.#closed) return undefined;
    const now = this.now();
    this.#enter(now);
    if (token.seen < this.#trustedFrom) return undefined;
    const leftMs = token.leftUntilEarlyMs(now);
    if (leftMs > 2 * WINDOW_MS) token.see(this.#window);
    if (leftMs > 0) return Promise.resolve(token);
    this.#spent = token;
    return undefined;
  }

  /** Begins a window where none is open, and asks the store whether another process wrote. */
  #enter({ wall, steady }: Now): void {
    const sinceMs = wall - this.#windowFrom;
    if (sinceMs >= 0 && sinceMs < WINDOW_MS && steady < this.#windowEnds) return;
    this.#window += 2;
    this.#spent = undefined;
    this.#windowFrom = wall;
    this.#windowEnds = steady + WINDOW_MS;
    const counter = this.#count();
    if (counter === undefined || counter === this.#counter) return;
    this.#counter = counter;
    this.#trustedFrom = this.#window;
  }

  /** A store that cannot be asked must not withhold tokens that live. */
  #count(): number | undefined {
    try {
      return this.#engine.store.changeCounter();
    } catch {
      return undefined;
    }
  }

  /** @param readIn - the window before it was read: what was written in a later one may be missing. */
  #keep(view: View, readIn: number): Remembered {
    const { name } = view.connection;
    const token = this.#open(view, readIn);
    const known = { view, token, readIn };
    if (!this.#closed) this.#tokens.put(name, token);
    this.#views.delete(name);
    this.#views.set(name, known);
    if (this.#views.size > MOST_VIEWS) {
      const [oldest] = this.#views.keys();
      if (oldest !== undefined) this.#views.delete(oldest);
    }
    return known;
  }

  #open({ connection }: View, readIn: number): KeptToken | undefined {
    const { name, tokens, generation, state } = connection;
    if (tokens?.accessToken === undefined || state.kind === 'disconnected') return undefined;
    const known = this.#views.get(name);
    if (known?.token !== undefined && isSameSet(known.view, connection)) {
      known.token.see(readIn + 1);
      return known.token;
    }
    const value = openToken(this.#engine.store.sealer, connection, 'accessToken')?.reveal() ?? '';
    const before = this.#tokens.get(name);
    // What is known of its end by the monotonic clock counts from when it was first read.
    if (before?.generation === generation && before.value === value) {
      before.see(readIn + 1);
      return before;
    }
    const parts = { tokens, generation, pool: this.#pool };
    return new KeptToken(value, parts, this.now(), readIn + 1);
  }
}

function isSameSet({ connection }: View, other: ConnectionRecord): boolean {
  const { id, generation, grantId } = connection;
  return other.id === id && other.generation === generation && other.grantId === grantId;
}

function unknown(name: string): NotFoundError {
  return new NotFoundError(
    'ERR_CONNECTION_UNKNOWN',
    `there is no connection ${name === '' ? 'whose name is empty' : `named ${name}`}; evergrant list shows those there are`,
    { connection: name },
  );
}
