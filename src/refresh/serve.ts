import { sabotaged } from '#failpoints';
import type { AccessToken } from '../access-token.ts';
import type { View } from '../connection/decision.ts';
import { enoughLifeMs, issuedLifeMs } from '../connection/freshness.ts';
import { Crowds } from './crowds.ts';
import type { Engine } from './engine.ts';
import { changedError, minLifeError } from './failure.ts';
import type { Flights } from './flights.ts';
import { Healing } from './healing.ts';
import type { KeptToken } from './kept-token.ts';
import type { Memory, Remembered } from './memory.ts';
import { NewerTokens, type Served } from './newer-tokens.ts';
import type { Patience } from './wait.ts';

/*
 * Handing out tokens. While an access token lives nothing can withhold it: before its early expiry it is served at once; after that a newer
 * one is waited for.
 */

/** A token that an API refused. */
interface RejectedGeneration {
  readonly generation: number;
  /** Whether it named the token as the reason: only then is it taken for dead, which spends the last try of an uncertain connection. */
  readonly named: boolean;
}

/** Hands out the tokens of a keeper's connections. */
export class Server {
  readonly #memory: Memory;
  readonly #newer: NewerTokens;
  /** By the name of the connection, or by connection and registration. */
  readonly #crowds: Crowds;
  readonly #healing: Healing;

  /** Works over the keeper's memory and flights. */
  constructor(engine: Engine, flights: Flights, memory: Memory) {
    this.#memory = memory;
    this.#newer = new NewerTokens(engine, flights, memory);
    this.#crowds = new Crowds(engine.clock);
    this.#healing = new Healing(engine, flights);
  }

  /**
   * A token, for callers that demand nothing special: those who come together wait together. @throws as `Connection.token` says.
   */
  tokenTogether(name: string, patienceMs: number): Promise<AccessToken> {
    return this.#crowds.join(name, patienceMs, (patience) => this.token(name, undefined, patience));
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
    return this.#crowds.join(crowd, patienceMs, async (patience) => {
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
    return this.#newer.obtain(known, { kind: 'newer', generation, rejected: named }, patience);
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

  /** One refresh now, by a person's order. @returns the rows that came of it. @throws when it brought no newer token set. */
  refreshNow(name: string, anyway: boolean, patience: Patience): Promise<View> {
    return this.#newer.order(name, anyway, patience);
  }

  async #serve(
    known: Remembered,
    minLifeMs: number | undefined,
    patience: Patience,
  ): Promise<Served> {
    this.#healing.heal(known.view);
    const token = this.#atHand(known, minLifeMs);
    if (token !== undefined) return { ...known, token };
    const tooLong = minLifeError(known.view, minLifeMs);
    if (tooLong !== undefined) throw tooLong;
    const { generation } = known.view.connection;
    return this.#newer.obtain(known, { kind: 'newer', generation, rejected: false }, patience);
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
}
