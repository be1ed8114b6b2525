import type { AccessToken } from '../access-token.ts';
import { standing } from '../connection/states.ts';
import { event } from '../connection/telling.ts';
import { NO_BACKOFF } from '../connection/gate.ts';
import type { ConnectionState } from '../connection/record.ts';
import type { Change, View } from '../connection/decision.ts';
import { NotFoundError } from '../errors.ts';
import type {
  Connection,
  ConnectionStatus,
  Disconnected,
  DisconnectOptions,
  Explanation,
  RefreshOptions,
  TokenOptions,
} from '../keeper-api.ts';
import { keeperName } from '../refresh/engine.ts';
import type { KeptToken } from '../refresh/kept-token.ts';
import { apiAccess } from './api-access.ts';
import { checkName } from './begin.ts';
import { disconnect } from './disconnect.ts';
import { explain, leftAlone } from './explain.ts';
import type { HandleParts } from './handle-parts.ts';
import { statusOf } from './status.ts';
import { patienceOf, tokenLater, tokenWith } from './token.ts';

const REFRESH_PATIENCE_MS = 60_000;
const LIFE_LINES = 50;

/** A handle on one connection of a local keeper. */
export class ConnectionHandle implements Connection {
  readonly name: string;
  readonly #parts: HandleParts;
  /** The token last served, so that it need not be looked up; the memory tells whether it may be served again. */
  #token: KeptToken | undefined = undefined;

  /** Made by the keeper; no I/O. */
  constructor(name: string, parts: HandleParts) {
    this.name = name;
    this.#parts = parts;
  }

  token(options?: TokenOptions): Promise<AccessToken> {
    if (options !== undefined) return tokenWith(this.#parts, this.name, options);
    const { memory } = this.#parts;
    const known = this.#token ?? (this.#token = memory.lastKnown(this.name));
    if (known === undefined) return tokenLater(this.#parts, this.name);
    // Not an async function: that would cost a third more.
    const served = memory.serve(known);
    if (served !== undefined) return served;
    this.#token = undefined;
    return tokenLater(this.#parts, this.name, known);
  }

  async fetch(input: string | URL, init?: RequestInit): Promise<Response> {
    const { transport } = this.#parts;
    const [{ callApi }, access] = await Promise.all([
      import('../resource/call.ts'),
      apiAccess(this.name, this.#parts),
    ]);
    return callApi({ ...access, transport }, input, init);
  }

  async refresh(options: RefreshOptions = {}): Promise<ConnectionStatus> {
    this.#parts.assertOpen();
    const patience = patienceOf(this.#parts, options, REFRESH_PATIENCE_MS);
    const { server } = this.#parts;
    return this.#statusOf(await server.refreshNow(this.name, options.anyway === true, patience));
  }

  async status(): Promise<ConnectionStatus> {
    return this.#statusOf(await this.#view());
  }

  async explain(): Promise<Explanation> {
    const { store, clock } = this.#parts.engine;
    const status = { ...(await this.status()), ...(await this.#refreshing()) };
    const life = await store.life(status.id, LIFE_LINES);
    const endpoints = await store.endpoints();
    const endpoint = endpoints.find((one) => one.endpoint === status.tokenEndpoint);
    return explain(status, life, leftAlone(endpoint, clock.now()));
  }

  async pause(): Promise<void> {
    await this.#change('paused', (state, since) => {
      if (state.kind === 'paused' || state.kind === 'disconnected') return state;
      return { kind: 'paused', since, before: state };
    });
  }

  async resume(): Promise<void> {
    await this.#change('resumed', (state) => {
      const before = standing(state);
      return before.kind === 'attention' || before.kind === 'active' ? { kind: 'active' } : before;
    });
  }

  async rename(name: string): Promise<void> {
    checkName(name);
    const { engine, memory } = this.#parts;
    const { connection } = await this.#view();
    // Nothing happens, so nothing is told of it.
    if (name === connection.name) return;
    await engine.store.rename(connection.id, name);
    memory.forget(this.name);
    const facts = { now: engine.clock.now(), by: keeperName(engine) };
    await engine.store.transition(
      connection.id,
      (now) => ({
        result: true,
        life: [event(now.connection, facts, 'renamed', `${this.name} became ${name}`)],
      }),
      { durable: true },
    );
  }

  async disconnect(options: DisconnectOptions = {}): Promise<Disconnected> {
    const { engine, memory } = this.#parts;
    const { connection } = await this.#view();
    const refreshed = (id: string): Promise<void> => memory.refreshed(id);
    const done = await disconnect(engine, connection.id, refreshed, options);
    memory.forget(this.name);
    return done;
  }

  #statusOf(view: View): ConnectionStatus {
    const { profileOf, clock } = this.#parts.engine;
    return statusOf(view, profileOf, clock.now());
  }

  async #view(): Promise<View> {
    this.#parts.assertOpen();
    return (await this.#parts.memory.read(this.name)).view;
  }

  /** That nobody refreshes it: a claim may have been left by a process that ended. */
  async #refreshing(): Promise<Partial<Pick<ConnectionStatus, 'refreshingBy'>>> {
    const { claims } = this.#parts.engine.store;
    const { claim } = (await this.#view()).connection;
    const isLeft = claim !== undefined && (await claims.judge(claim.owner)) === 'dead';
    return isLeft ? { refreshingBy: undefined } : {};
  }

  async #change(
    name: 'paused' | 'resumed',
    move: (state: ConnectionState, now: number) => ConnectionState,
  ): Promise<void> {
    const { engine, memory } = this.#parts;
    const { connection } = await this.#view();
    const now = engine.clock.now();
    const facts = { now, by: keeperName(engine) };
    const decide = (view: View): Change<ConnectionState> => {
      const before = view.connection.state;
      const state = move(before, now);
      if (before.kind === 'disconnected') return { result: before };
      if (state.kind === before.kind) return { result: state };
      const change = { state, backoff: NO_BACKOFF };
      const after = { ...view.connection, ...change };
      return { result: state, connection: change, life: [event(after, facts, name, undefined)] };
    };
    const state = await engine.store.transition(connection.id, decide, { durable: true });
    await memory.refreshed(connection.id);
    if (state?.kind !== 'disconnected') return;
    throw new NotFoundError(
      'ERR_CONNECTION_UNKNOWN',
      `${this.name} is disconnected; connect it again`,
      {
        connection: this.name,
      },
    );
  }
}
