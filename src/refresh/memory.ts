import { AccessToken } from '../access-token.ts';
import { earlyExpiryMs, isClockSetBack, remainingLifeMs } from '../connection/freshness.ts';
import type { View } from '../connection/decision.ts';
import { NotFoundError } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import type { Engine } from './engine.ts';
import { openToken } from '../connection/token-set.ts';

/** What a keeper remembers of a connection it serves. */
export interface Remembered {
  /** Its rows when last read. */
  readonly view: View;
  /** Its access token, opened; undefined when there is none. */
  readonly token: AccessToken | undefined;
  /** Until here the token is served without a second thought, on both clocks. */
  readonly earlyAt: Instant;
  /** Until here the token lives, on both clocks. */
  readonly endsAt: Instant;
}

/** An instant on both clocks; it has come when either says so. */
export interface Instant {
  /** Epoch milliseconds. */
  readonly wall: number;
  /** On the monotonic clock, which nobody can set. */
  readonly monotonic: number;
}

/** What another process wrote is seen within this time. */
const LOOK_EVERY_MS = 1_000;

/**
 * The connections that a keeper serves, as last read. A hit costs a look-up and two clock readings; the store is asked at most once a second
 * whether another process wrote, and what was remembered before such a write is read again.
 */
export class Memory {
  readonly #engine: Engine;
  readonly #byName = new Map<string, Remembered>();
  /** Names of those that nobody can have changed since. The rest is kept for when the store cannot be read, and for its clocks. */
  readonly #trusted = new Set<string>();
  #counter: number | undefined;
  #lookAt = 0;

  /** Remembers nothing yet. */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.#counter = this.#count();
  }

  /** What is remembered of a connection, if nothing can have changed since. */
  recall(name: string): Remembered | undefined {
    const now = this.#engine.clock.monotonic();
    if (now >= this.#lookAt) this.#look(now);
    return this.#trusted.has(name) ? this.#byName.get(name) : undefined;
  }

  /** As {@link Memory.recall}, or read, for a connection that was known before, whatever its name has become. */
  async recallAgain(before: Remembered): Promise<Remembered> {
    const { id, name } = before.view.connection;
    const known = this.recall(name);
    return known?.view.connection.id === id ? known : this.readAgain(before);
  }

  /**
   * Reads a connection from the store. When the store cannot be read, what is remembered is served on.
   *
   * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN`
   */
  async read(name: string): Promise<Remembered> {
    const stale = this.#byName.get(name);
    try {
      const { store } = this.#engine;
      const id = await store.resolve(name);
      const view = id === undefined ? undefined : await store.read(id);
      if (view === undefined) throw unknown(name);
      return this.#keep(view);
    } catch (error) {
      if (error instanceof NotFoundError) this.forget(name);
      else if (stale !== undefined) return stale;
      throw error;
    }
  }

  /**
   * Reads a connection that was known before, whatever its name has become.
   *
   * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN`
   */
  async readAgain(before: Remembered): Promise<Remembered> {
    const { id, name } = before.view.connection;
    let view: View | undefined;
    try {
      view = await this.#engine.store.read(id);
    } catch {
      return before;
    }
    if (view === undefined) throw unknown(name);
    return this.#keep(view);
  }

  /** Reads a connection again by its id, after this keeper changed it. */
  async refreshed(connectionId: string): Promise<void> {
    const view = await this.#engine.store.read(connectionId).catch(() => undefined);
    if (view !== undefined) this.#keep(view);
  }

  /** Forgets a name, after a rename or a disconnect. */
  forget(name: string): void {
    this.#byName.delete(name);
    this.#trusted.delete(name);
  }

  /** Reads everything anew when it is asked for, after a change that concerns many connections. */
  forgetAll(): void {
    this.#trusted.clear();
  }

  #look(now: number): void {
    this.#lookAt = now + LOOK_EVERY_MS;
    const counter = this.#count();
    if (counter === undefined || counter === this.#counter) return;
    this.#counter = counter;
    this.#trusted.clear();
  }

  /** A store that cannot be asked must not withhold tokens that live. */
  #count(): number | undefined {
    try {
      return this.#engine.store.changeCounter();
    } catch {
      return undefined;
    }
  }

  #keep(view: View): Remembered {
    const remembered = this.#open(view);
    this.#byName.set(view.connection.name, remembered);
    this.#trusted.add(view.connection.name);
    return remembered;
  }

  #open(view: View): Remembered {
    const { clock, store } = this.#engine;
    const { connection } = view;
    const { tokens } = connection;
    const known = this.#byName.get(connection.name);
    const same =
      known?.view.connection.id === connection.id &&
      known.view.connection.generation === connection.generation &&
      known.view.connection.grantId === connection.grantId;
    if (same) return { ...known, view };
    const value =
      tokens === undefined ? undefined : openToken(store.sealer, connection, 'accessToken');
    if (tokens === undefined || value === undefined || connection.state.kind === 'disconnected') {
      const never = { wall: 0, monotonic: 0 };
      return { view, token: undefined, earlyAt: never, endsAt: never };
    }
    const wall = clock.now();
    const monotonic = clock.monotonic();
    const remaining = remainingLifeMs(tokens, wall);
    const early = isClockSetBack(tokens, wall) ? 0 : remaining - earlyExpiryMs(tokens.accessLifeMs);
    return {
      view,
      token: new AccessToken(value.reveal(), {
        type: schemeOf(tokens.tokenType),
        scope: tokens.scope,
        expiresAt: tokens.accessExpiresAt,
        generation: connection.generation,
      }),
      earlyAt: { wall: wall + early, monotonic: monotonic + early },
      endsAt: { wall: wall + remaining, monotonic: monotonic + remaining },
    };
  }
}

/** Milliseconds until an instant on both clocks, by the one that is further; negative once it has passed. */
export function timeUntil(instant: Instant, clock: Clock): number {
  return Math.min(instant.wall - clock.now(), instant.monotonic - clock.monotonic());
}

/** Servers write the scheme in any case; resource servers are not all as tolerant. @see RFC 6749 section 5.1 */
function schemeOf(tokenType: string): string {
  return tokenType.toLowerCase() === 'bearer' ? 'Bearer' : tokenType;
}

function unknown(name: string): NotFoundError {
  return new NotFoundError(
    'ERR_CONNECTION_UNKNOWN',
    `there is no connection named ${name}; evergrant list shows those there are`,
    { connection: name },
  );
}
