import { ConfigurationError, EvergrantError, ServerUnavailableError } from '../errors.ts';
import type { View } from '../connection/decision.ts';
import type {
  AddOptions,
  ClientStatus,
  Connection,
  ConnectionStatus,
  ConnectOptions,
  Keeper,
  KeeperEvents,
  ListOptions,
  ReconnectOptions,
  SecretInput,
  WaitOptions,
} from '../keeper-api.ts';
import { runBackground } from '../refresh/background.ts';
import { renewAllDue, type Renewed } from '../refresh/due.ts';
import { failureOf, unusableError, waitingError } from '../refresh/failure.ts';
import { Flights } from '../refresh/flights.ts';
import { Memory } from '../refresh/memory.ts';
import { Deliveries, type NoticeChannel } from '../refresh/notices.ts';
import { pagesOf } from '../refresh/pages.ts';
import { Server } from '../refresh/serve.ts';
import { ClockWatch } from '../refresh/set-back.ts';
import type { Engine } from '../refresh/engine.ts';
import { waitUntil } from '../refresh/wait.ts';
import type { ApiAccess } from '../resource/exchange.ts';
import { newApiMemory, type ApiMemory } from '../resource/memory.ts';
import { checkHandleName, checkLimit, checkMs, secretOf } from '../system/arguments.ts';
import type { Fetch } from '../system/fetch.ts';
import type { Listeners } from '../system/listeners.ts';
import { apiAccess } from './api-access.ts';
import {
  checkName,
  liftRefusal,
  namedScopeOf,
  register,
  replaceSecret,
  storeAgain,
  type Existing,
  storeNew,
  type NewGrant,
  type Registration,
} from './begin.ts';
import { ConnectionHandle } from './connection-handle.ts';
import { checkGiven, checkInstant, checkTokens } from './given.ts';
import type { HandleParts } from './handle-parts.ts';
import { checkAccount, importedTokens, obtain, pinnedOverrides } from './obtain.ts';
import { asBefore } from './reconnect.ts';
import { overridesShown } from './overrides-shown.ts';
import { registrationOf } from './registration.ts';
import { statusOf } from './status.ts';

/** What a local keeper is made of. */
export interface KeeperParts {
  /** Refreshing and what it works with. */
  readonly engine: Engine;
  /** Listeners. */
  readonly events: Listeners<KeeperEvents>;
  /** How notices reach people. */
  readonly channel: NoticeChannel;
  /** The way to APIs. */
  readonly transport: Fetch;
  /** Ends everything that waits. */
  readonly closing: AbortController;
  /** Ends requests whose repetition is harmless. */
  readonly leaving: AbortController;
}

const CLOSE_PATIENCE_MS = 30_000;
const LEAVE_AFTER_MS = 2_000;
/** For messages that wait to be delivered: a command that hangs holds nobody up. */
const DELIVERY_MS = 2_000;

/** The keeper that runs in this process, over a store. */
export class LocalKeeper implements Keeper {
  readonly #parts: KeeperParts;
  readonly #memory: Memory;
  readonly #flights: Flights;
  readonly #server: Server;
  readonly #watch: ClockWatch;
  readonly #deliveries: Deliveries;
  readonly #handleParts: HandleParts;
  #background: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /** Made by openKeeper. */
  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#memory = new Memory(parts.engine);
    this.#watch = new ClockWatch(parts.engine);
    this.#deliveries = new Deliveries(parts.engine, parts.channel);
    this.#flights = new Flights(parts.engine, (id, settled) => this.#landed(id, settled));
    parts.events.whenSafe = () => this.#flights.landed();
    this.#server = new Server(parts.engine, this.#flights, this.#memory);
    const apiMemories = new Map<string, ApiMemory>();
    this.#handleParts = {
      engine: parts.engine,
      transport: parts.transport,
      memory: this.#memory,
      server: this.#server,
      apiMemory: (key) => {
        const memory = apiMemories.get(key) ?? newApiMemory();
        apiMemories.set(key, memory);
        return memory;
      },
      assertOpen: () => {
        this.#assertOpen();
      },
    };
  }

  async add(name: string, options: AddOptions): Promise<Connection> {
    const now = this.#engine.clock.now();
    checkGiven(options);
    checkTokens(options);
    options.signal?.throwIfAborted();
    const existing = await this.#checkNew(name, options.replace === true);
    const overrides = await pinnedOverrides(this.#engine, options, options.signal);
    options.signal?.throwIfAborted();
    const registration = await register(this.#engine, options, overrides);
    const namedScope = namedScopeOf(options);
    const scope = namedScope ?? registration.profile.scopes.refresh ?? [];
    const obtained = importedTokens(options, scope, now);
    const grant = { options, registration, beginning: 'import', obtained, namedScope } as const;
    await this.#store(name, existing, grant);
    return this.connection(name);
  }

  async connect(name: string, options: ConnectOptions): Promise<Connection> {
    checkGiven(options);
    options.signal?.throwIfAborted();
    const existing = await this.#checkNew(name, options.reconnect === true);
    const overrides = await pinnedOverrides(this.#engine, options, options.signal);
    options.signal?.throwIfAborted();
    const registration = await register(this.#engine, options, overrides);
    return this.#consent(name, existing, options, registration);
  }

  async reconnect(name: string, again: ReconnectOptions = {}): Promise<Connection> {
    this.#assertOpen();
    again.signal?.throwIfAborted();
    const { view } = await this.#memory.read(name);
    const { options, registration } = asBefore(this.#engine, view, again);
    // As a new connection does: what cannot be stored is known before the person is sent to sign in.
    await this.#engine.store.tryClient(registration.client);
    return this.#consent(name, view.connection, options, registration);
  }

  async #consent(
    name: string,
    existing: Existing | undefined,
    options: ConnectOptions,
    registration: Registration,
  ): Promise<Connection> {
    const namedScope = namedScopeOf(options);
    const { beginning, obtained } = await obtain(this.#engine, options, registration, namedScope);
    await checkAccount(this.#engine, existing?.id, obtained, options);
    for (const message of obtained.warnings) {
      this.#engine.emit('warning', { connection: name, message });
    }
    await this.#store(name, existing, { options, registration, beginning, obtained, namedScope });
    return this.connection(name);
  }

  connection(name: string): Connection {
    checkHandleName(name);
    return new ConnectionHandle(name, this.#handleParts);
  }

  /** What calling the API of a connection takes. @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN` */
  api(name: string): Promise<ApiAccess> {
    return apiAccess(name, this.#handleParts);
  }

  async list(options?: ListOptions): Promise<readonly ConnectionStatus[]> {
    this.#assertOpen();
    const { store, clock, profileOf } = this.#engine;
    const now = clock.now();
    checkLimit(options?.limit);
    const rows = await store.list(options);
    return rows.map((row) => statusOf(row, profileOf, now));
  }

  async clients(): Promise<readonly ClientStatus[]> {
    this.#assertOpen();
    const { store } = this.#engine;
    const clients = await store.clients();
    const connections = new Map<string, number>();
    for await (const page of pagesOf(store)) {
      for (const { client } of page) {
        connections.set(client.id, (connections.get(client.id) ?? 0) + 1);
      }
    }
    return clients.map((client) => ({
      id: client.id,
      provider: client.provider,
      clientId: client.clientId,
      tokenEndpoint: client.tokenEndpoint,
      authentication: client.authentication,
      overrides: overridesShown(client.overrides),
      hasSecret: client.secret !== undefined,
      secretExpiresAt: client.secretExpiresAt,
      refusedAt: client.refusedAt,
      refusal: client.refusal,
      connections: connections.get(client.id) ?? 0,
    }));
  }

  async setClientSecret(
    clientId: string,
    secret: SecretInput,
    options: { readonly tokenEndpoint?: string; readonly expiresAt?: number } = {},
  ): Promise<number> {
    this.#assertOpen();
    const value = secretOf(secret, 'secret');
    checkInstant(options.expiresAt, 'expiresAt');
    const registration = await registrationOf(this.#engine, clientId, options.tokenEndpoint);
    const count = await replaceSecret(this.#engine, registration, value, options.expiresAt);
    this.#memory.forgetAll();
    return count;
  }

  async removeClient(
    clientId: string,
    options: { readonly tokenEndpoint?: string } = {},
  ): Promise<void> {
    this.#assertOpen();
    const registration = await registrationOf(this.#engine, clientId, options.tokenEndpoint);
    if ((await this.#engine.store.removeUnusedClients(registration)) > 0) return;
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      `client ${clientId} is used by connections; disconnect them first, evergrant list shows all`,
    );
  }

  start(): void {
    this.#assertOpen();
    this.#background ??= runBackground(this.#engine, this.#flights, {
      ...{ deliveries: this.#deliveries, watch: this.#watch },
      refreshed: (connectionId) => this.#memory.refreshed(connectionId),
    });
  }

  async refreshDue({ signal }: WaitOptions = {}): Promise<
    readonly { readonly connection: string; readonly error: Error | undefined }[]
  > {
    this.#assertOpen();
    signal?.throwIfAborted();
    const renewed = await renewAllDue(this.#engine, this.#flights, signal);
    signal?.throwIfAborted();
    const { clock } = this.#engine;
    const until = clock.monotonic() + DELIVERY_MS;
    await waitUntil(this.#deliveries.deliver(), clock, until, signal);
    const rows = await Promise.all(
      renewed.map(async ({ connectionId, result }) => {
        const view = await this.#engine.store.read(connectionId);
        const connection = view?.connection.name ?? connectionId;
        return { connection, error: view === undefined ? undefined : errorOf(result, view) };
      }),
    );
    return rows;
  }

  on<E extends keyof KeeperEvents>(
    event: E,
    listener: (event: KeeperEvents[E]) => void,
  ): () => void {
    return this.#parts.events.on(event, listener);
  }

  async close(options: Parameters<Keeper['close']>[0] = {}): Promise<void> {
    const patienceMs = checkMs(options.patienceMs, 'patienceMs') ?? CLOSE_PATIENCE_MS;
    this.#closed ??= this.#close(patienceMs);
    await this.#closed;
  }

  /** Closes, as {@link LocalKeeper.close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Callers of a flight see what it left in the store; whoever must act hears of it now. */
  async #landed(connectionId: string, settled: boolean): Promise<void> {
    await this.#memory.refreshed(connectionId);
    if (settled) void this.#deliveries.deliver();
  }

  get #engine(): Engine {
    return this.#parts.engine;
  }

  async #close(patienceMs: number): Promise<void> {
    const { engine, closing, leaving } = this.#parts;
    const { clock } = engine;
    closing.abort();
    this.#memory.close();
    const politeness = clock.timer(LEAVE_AFTER_MS, () => {
      leaving.abort();
    });
    const deadline = clock.monotonic() + patienceMs;
    const settled = Promise.all([this.#background, this.#flights.idle()]);
    const waited = await waitUntil(settled, clock, deadline);
    politeness.cancel();
    if ('ended' in waited) {
      this.#closed = undefined;
      throw new EvergrantError(
        'ERR_DEADLINE',
        'an answer is still under way and may hold the only copy of a token; close again to go on waiting',
      );
    }
    // What is not delivered is kept, so that a command which hangs is no reason to stay.
    await waitUntil(
      this.#deliveries.deliver(),
      clock,
      Math.max(deadline, clock.monotonic() + DELIVERY_MS),
    );
    this.#deliveries.end();
    engine.http.close();
    await engine.store.close();
  }

  #assertOpen(): void {
    if (!this.#parts.closing.signal.aborted) return;
    throw new ConfigurationError('ERR_KEEPER_CLOSED', 'this keeper is closed; open another');
  }

  async #checkNew(name: string, mayExist: boolean): Promise<Existing | undefined> {
    this.#assertOpen();
    checkName(name);
    const existing = (await this.#engine.store.find(name))?.connection;
    if (existing === undefined || mayExist) return existing;
    throw new ConfigurationError(
      'ERR_CONNECTION_EXISTS',
      `a connection named ${name} exists already; choose another name, or reconnect it`,
      { connection: name },
    );
  }

  async #store(name: string, existing: Existing | undefined, obtained: NewGrant): Promise<void> {
    const { registration } = obtained;
    // One that is new is stored now; one that was not may have been removed while a person took long to consent.
    const client = await this.#engine.store.putClient(registration.client);
    const grant = { ...obtained, registration: { ...registration, client } };
    // So may the connection have been: what a person consented to is a new one then.
    const isAgain = existing !== undefined && (await storeAgain(this.#engine, existing, grant));
    const id = isAgain ? existing.id : await storeNew(this.#engine, name, grant);
    if (client.refusedAt !== undefined) {
      // The grant is stored: that this could not be noted is no failure of the consent.
      await liftRefusal(this.#engine, id, obtained).catch(() => undefined);
      this.#memory.forgetAll();
    }
    if (isAgain) await this.#memory.refreshed(id);
  }
}

/** Why a connection that was due was not renewed; undefined when it was, or needed no more. */
function errorOf(result: Renewed['result'], view: View): Error | undefined {
  if (result instanceof Error) return result;
  switch (result.kind) {
    case 'satisfied':
      return undefined;
    case 'settled':
      return result.verdict.kind === 'failed' ? failureOf(view) : unusableError(view);
    case 'deferred':
      return waitingError(view, result);
    case 'stopped':
      return failureOf(view);
    case 'held':
    case 'under_way':
      return new ServerUnavailableError(
        'ERR_DEADLINE',
        `${view.connection.name}: its refresh is still under way; ask again`,
        { connection: view.connection.name },
      );
  }
}
