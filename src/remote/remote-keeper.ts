import { ConfigurationError, NotFoundError } from '../errors.ts';
import type {
  AddOptions,
  BeginOptions,
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
import { checkHandleName, checkLimit, checkObject, secretOf } from '../system/arguments.ts';
import type { Clock } from '../system/clock.ts';
import { Listeners } from '../system/listeners.ts';
import { segmentOf } from './connection-path.ts';
import { errorOfProblem } from './problem.ts';
import { RemoteConnection } from './remote-connection.ts';
import type { Tell } from './remote-event.ts';
import { followEvents } from './remote-events.ts';
import type { Transport } from './transport.ts';

/** Thousands may be due, and some of their servers hang. */
const ALL_DUE_MS = 86_400_000;
/** Room for what is told of each of hundreds of thousands. */
const ALL_DUE_MIB = 256;

const PAGE = 1_000;

interface Page {
  readonly connections: readonly ConnectionStatus[];
  readonly next?: string;
}

/** A daemon's keeper: its store, its refreshes and its background are the daemon's; closing this ends none of them. */
export class RemoteKeeper implements Keeper {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #listeners = new Listeners<KeeperEvents>();
  #following: Promise<void> | undefined;

  /** Opens nothing yet. */
  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  async add(name: string, options: AddOptions): Promise<Connection> {
    const begun = begin(name, options);
    const { signal, replace, tokens } = options;
    checkObject(tokens, 'tokens');
    const body = {
      ...begun,
      tokens: {
        refreshToken: secretOf(tokens.refreshToken, 'refreshToken').reveal(),
        accessToken: revealed(tokens.accessToken, 'accessToken'),
        accessExpiresAt: tokens.accessExpiresAt,
      },
      replace,
    };
    await this.#ask('POST', '/v1/connections', body, signal);
    return this.connection(name);
  }

  async connect(name: string, options: ConnectOptions): Promise<Connection> {
    const begun = begin(name, options);
    if (options.grant !== 'client-credentials') throw needsPerson();
    const { signal, reconnect, grant } = options;
    const body = { ...begun, grant, reconnect };
    await this.#ask('POST', '/v1/connections', body, signal);
    return this.connection(name);
  }

  async reconnect(name: string, again: ReconnectOptions = {}): Promise<Connection> {
    const { grant, scope, signal } = again;
    if (grant !== undefined && grant !== 'client-credentials') throw needsPerson();
    const target = `/v1/connections/${segmentOf(name)}/reconnect`;
    await this.#ask('POST', target, { scope }, signal);
    return this.connection(name);
  }

  connection(name: string): Connection {
    checkHandleName(name);
    return new RemoteConnection(name, this.#transport);
  }

  async list(options: ListOptions = {}): Promise<readonly ConnectionStatus[]> {
    checkLimit(options.limit);
    const { afterName, limit = Infinity } = options;
    const found: ConnectionStatus[] = [];
    let cursor = afterName === undefined ? undefined : Buffer.from(afterName).toString('base64url');
    while (found.length < limit) {
      const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit - found.length)) });
      if (cursor !== undefined) query.set('cursor', cursor);
      const page = (await this.#ask('GET', `/v1/connections?${query.toString()}`)) as Page;
      found.push(...page.connections);
      cursor = page.next;
      if (cursor === undefined) break;
    }
    return found;
  }

  async clients(): Promise<readonly ClientStatus[]> {
    const answer = await this.#ask('GET', '/v1/clients');
    return (answer as { readonly clients: readonly ClientStatus[] }).clients;
  }

  async setClientSecret(
    clientId: string,
    secret: SecretInput,
    options: { readonly tokenEndpoint?: string; readonly expiresAt?: number } = {},
  ): Promise<number> {
    const value = secretOf(secret, 'secret').reveal();
    const target = `/v1/clients/${encodeURIComponent(clientId)}/secret`;
    const answer = await this.#ask('PUT', target, { secret: value, ...options });
    return (answer as { readonly connections: number }).connections;
  }

  async removeClient(
    clientId: string,
    { tokenEndpoint }: { readonly tokenEndpoint?: string } = {},
  ): Promise<void> {
    const query =
      tokenEndpoint === undefined ? '' : `?${new URLSearchParams({ tokenEndpoint }).toString()}`;
    await this.#ask('DELETE', `/v1/clients/${encodeURIComponent(clientId)}${query}`);
  }

  /** The daemon renews in the background already. */
  start(): void {
    this.#transport.assertOpen();
  }

  async refreshDue({ signal }: WaitOptions = {}): Promise<
    readonly { readonly connection: string; readonly error: Error | undefined }[]
  > {
    const sent = { method: 'POST', target: '/v1/refresh-due', body: {}, signal } as const;
    const answer = (await this.#transport.json({
      ...sent,
      patienceMs: ALL_DUE_MS,
      mostMib: ALL_DUE_MIB,
    })) as {
      readonly renewed: readonly {
        readonly connection: string;
        readonly problem?: { readonly status: number };
      }[];
    };
    return answer.renewed.map(({ connection, problem }) => ({
      connection,
      error: problem === undefined ? undefined : errorOfProblem(problem.status, problem),
    }));
  }

  on<E extends keyof KeeperEvents>(
    event: E,
    listener: (event: KeeperEvents[E]) => void,
  ): () => void {
    this.#transport.assertOpen();
    const off = this.#listeners.on(event, listener);
    this.#following ??= this.#follow();
    return off;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#transport.close();
    await this.#following;
  }

  /** As {@link RemoteKeeper.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #follow(): Promise<void> {
    const tell: Tell = (event, detail) => {
      this.#listeners.emit(event, detail);
    };
    const statusOf = (name: string): Promise<ConnectionStatus | undefined> =>
      this.connection(name)
        .status()
        .catch((error: unknown) => {
          if (error instanceof NotFoundError) return undefined;
          throw error;
        });
    const parts = { transport: this.#transport, clock: this.#clock, statusOf, tell };
    return followEvents(parts, this.#closing.signal);
  }

  #ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    target: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<unknown> {
    return this.#transport.json({ method, target, body, signal });
  }
}

function begin(name: string, options: BeginOptions): object {
  checkObject(options, 'options');
  checkObject(options.client, 'client');
  const { provider, client, overrides, scope, subscriptionKey, perspioTenantId } = options;
  return {
    ...{ name, provider, overrides, scope, perspioTenantId },
    client: { ...client, clientSecret: revealed(client.clientSecret, 'clientSecret') },
    subscriptionKey: revealed(subscriptionKey, 'subscriptionKey'),
  };
}

function revealed(secret: SecretInput | undefined, option: string): string | undefined {
  return secret === undefined ? undefined : secretOf(secret, option).reveal();
}

function needsPerson(): ConfigurationError {
  return new ConfigurationError(
    'ERR_ARGUMENT',
    'a person must consent; evergrant link makes a link for them, or use evergrant connect where the home is',
  );
}
