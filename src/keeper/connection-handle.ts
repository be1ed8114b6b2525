import type { AccessToken } from '../access-token.ts';
import { standing } from '../connection/states.ts';
import { event } from '../connection/telling.ts';
import { NO_BACKOFF } from '../connection/gate.ts';
import { subscriptionKeyContext } from '../connection/secrets.ts';
import type { ConnectionState } from '../connection/record.ts';
import type { Change, View } from '../connection/decision.ts';
import { ConfigurationError, NotFoundError } from '../errors.ts';
import type {
  Connection,
  ConnectionStatus,
  Explanation,
  RefreshOptions,
  TokenOptions,
  WaitOptions,
} from '../keeper-api.ts';
import { keeperName, type Engine } from '../refresh/engine.ts';
import type { KeptToken } from '../refresh/kept-token.ts';
import type { Memory } from '../refresh/memory.ts';
import type { Patience, Server } from '../refresh/serve.ts';
import type { ApiFinding, RejectedToken } from '../resource/call.ts';
import type { ApiMemory } from '../resource/memory.ts';
import { Secret } from '../secret.ts';
import type { Fetch } from '../system/fetch.ts';
import { checkName } from './begin.ts';
import { disconnect } from './disconnect.ts';
import { explain } from './explain.ts';
import { statusOf } from './status.ts';

/** What a handle works with. */
export interface HandleParts {
  /** Refreshing and what it works with. */
  readonly engine: Engine;
  /** The way to the API. */
  readonly transport: Fetch;
  /** What the keeper remembers. */
  readonly memory: Memory;
  /** Hands out tokens. */
  readonly server: Server;
  /** What the API calls of a connection know from each other. */
  apiMemory(name: string): ApiMemory;
  /** Throws when the keeper is closed. */
  assertOpen(): void;
}

const TOKEN_PATIENCE_MS = 30_000;
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
    // Not an async function: that would cost a third more, and ten thousand who wait a promise each.
    const served = memory.serve(known);
    if (served !== undefined) return served;
    this.#token = undefined;
    return tokenLater(this.#parts, this.name);
  }

  async fetch(input: string | URL, init?: RequestInit): Promise<Response> {
    const { engine, transport, server } = this.#parts;
    const [{ callApi }, view] = await Promise.all([import('../resource/call.ts'), this.#view()]);
    const { connection, client } = view;
    const patience = patienceOf(this.#parts, {}, TOKEN_PATIENCE_MS);
    const deps = {
      token: ({ rejected }: { readonly rejected?: RejectedToken }) =>
        rejected === undefined ? this.token() : server.newerToken(this.name, rejected, patience),
      api: engine.profileOf(client).api,
      settings: {
        subscriptionKey: openKey(engine, connection),
        perspioTenantId: connection.perspioTenantId,
      },
      transport,
      clock: engine.clock,
      memory: this.#parts.apiMemory(this.name),
      report: (finding: ApiFinding) => {
        engine.emit('warning', { connection: this.name, message: tell(finding) });
      },
    };
    return callApi(deps, input, init);
  }

  async refresh(options: RefreshOptions = {}): Promise<ConnectionStatus> {
    this.#parts.assertOpen();
    const patience = patienceOf(this.#parts, options, REFRESH_PATIENCE_MS);
    await this.#parts.server.refreshNow(this.name, options.anyway === true, patience);
    return this.status();
  }

  async status(): Promise<ConnectionStatus> {
    const { engine } = this.#parts;
    const view = await this.#view();
    return statusOf(view, engine.profileOf(view.client), engine.clock.now());
  }

  async explain(): Promise<Explanation> {
    const status = await this.status();
    return explain(status, await this.#parts.engine.store.life(status.id, LIFE_LINES));
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

  async disconnect({ signal }: WaitOptions = {}): Promise<{
    readonly revoked: boolean;
    readonly message: string;
  }> {
    const { engine, memory } = this.#parts;
    const { connection } = await this.#view();
    // A wait that was ended leaves a tombstone, which must be seen at once.
    const done = await disconnect(engine, connection.id, signal).finally(() =>
      memory.refreshed(connection.id),
    );
    memory.forget(this.name);
    return done;
  }

  async #view(): Promise<View> {
    this.#parts.assertOpen();
    return (await this.#parts.memory.read(this.name)).view;
  }

  async #change(
    name: string,
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

/* What follows is not of the handle: one that is made for a single call can then do without room on the heap. */

function tokenLater(parts: HandleParts, name: string): Promise<AccessToken> {
  const { engine, memory, server } = parts;
  const known = memory.lastKnown(name);
  const served = known && memory.serve(known);
  if (served !== undefined) return served;
  if (engine.closing.aborted) return tokenWith(parts, name, {});
  return server.tokenTogether(name, TOKEN_PATIENCE_MS);
}

async function tokenWith(
  parts: HandleParts,
  name: string,
  options: TokenOptions,
): Promise<AccessToken> {
  const { memory, server } = parts;
  const known = options.minLifeMs === undefined ? memory.lastKnown(name) : undefined;
  const served = known && memory.serve(known);
  if (served !== undefined) return served;
  parts.assertOpen();
  const minLifeMs = checkMs(options.minLifeMs, 'minLifeMs');
  return server.token(name, minLifeMs, patienceOf(parts, options, TOKEN_PATIENCE_MS));
}

function patienceOf(
  { engine }: HandleParts,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  byDefaultMs: number,
): Patience {
  const timeoutMs = checkMs(options.timeoutMs, 'timeoutMs') ?? byDefaultMs;
  return { deadline: engine.clock.monotonic() + timeoutMs, signal: options.signal };
}

function checkMs(value: number | undefined, option: string): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return value;
  throw new ConfigurationError(
    'ERR_ARGUMENT',
    `${option} is no duration in milliseconds; give a number from 0 on`,
  );
}

function openKey(engine: Engine, connection: View['connection']): Secret | undefined {
  const { subscriptionKey, id } = connection;
  if (subscriptionKey === undefined) return undefined;
  const plain = engine.store.sealer.open(subscriptionKey, subscriptionKeyContext(id));
  return new Secret(Buffer.from(plain).toString('utf8'));
}

function tell(finding: ApiFinding): string {
  switch (finding.kind) {
    case 'token_rejected':
      return 'the API refuses freshly issued tokens; check audience, scopes, subscription key and tenant';
    case 'throttled':
      return 'the API asks to wait before the next call';
    case 'key_rejected':
      return 'the API gateway refuses the subscription key; check it, the token is not the reason';
    case 'sign_in_wanted':
      return 'the API wants a new sign-in of the person who consented';
    case 'scope_insufficient':
      return 'the API wants scopes that were not granted; connect again and ask for them';
  }
}
