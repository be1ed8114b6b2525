import type { Home } from '../../../src/cli/session.ts';
import { homePaths } from '../../../src/system/home.ts';
import { AccessToken } from '../../../src/access-token.ts';
import { NotFoundError } from '../../../src/errors.ts';
import type {
  AddOptions,
  ClientStatus,
  ConnectOptions,
  Connection,
  ConnectionStatus,
  Keeper,
  SecretInput,
} from '../../../src/keeper-api.ts';

/** The instant at which all tests of the command line take place. */
export const NOW = Date.UTC(2026, 5, 1);

/** A connection in good order; `changes` replace members. */
export function status(changes: Partial<ConnectionStatus> = {}): ConnectionStatus {
  return {
    id: 'id-1',
    name: 'perspio',
    provider: 'perspio',
    clientId: 'client-1',
    tokenEndpoint: 'https://login.example/token',
    rotation: 'reusable',
    beginning: 'authorization_code',
    account: 'demo@perspio.io',
    accountId: 'oid-1',
    state: 'active',
    freshness: 'fresh',
    since: undefined,
    actor: undefined,
    reason: undefined,
    remedy: undefined,
    grantId: 'grant-1',
    generation: 4,
    hasRefreshToken: true,
    requestedScopes: ['a', 'offline_access'],
    grantedScopes: ['a', 'offline_access'],
    tokenScopes: ['a'],
    receivedAt: NOW - 600_000,
    accessExpiresAt: NOW + 3_000_000,
    refreshExpiresAt: undefined,
    nextRefreshAt: NOW + 1_800_000,
    lastError: undefined,
    refreshingBy: undefined,
    createdAt: NOW - 86_400_000 * 3,
    ...changes,
  };
}

/** A registration in good order. */
export function clientStatus(changes: Partial<ClientStatus> = {}): ClientStatus {
  return {
    id: 'registration-1',
    provider: 'perspio',
    clientId: 'client-1',
    tokenEndpoint: 'https://login.example/token',
    authentication: 'client_secret_post',
    overrides: {},
    hasSecret: true,
    secretExpiresAt: undefined,
    refusedAt: undefined,
    refusal: undefined,
    connections: 1,
    ...changes,
  };
}

/** What a test may set of {@link fakeKeeper}, and read afterwards. */
export interface FakeKeeper extends Keeper {
  /** Calls in order: method, then arguments. */
  readonly calls: (readonly unknown[])[];
  /** Emits an event to whoever listens. */
  emit(event: string, value: unknown): void;
}

/** A keeper of the given connections that does nothing but note what it was asked. */
export function fakeKeeper(
  connections: readonly ConnectionStatus[] = [status()],
  replies: Partial<Omit<Connection, 'name'>> & { readonly clients?: readonly ClientStatus[] } = {},
): FakeKeeper {
  const calls: (readonly unknown[])[] = [];
  const listeners = new Map<string, ((value: never) => void)[]>();
  const find = (name: string): ConnectionStatus => {
    const found = connections.find((connection) => connection.name === name);
    if (found !== undefined) return found;
    throw new NotFoundError('ERR_CONNECTION_UNKNOWN', `there is no connection ${name}`, {
      connection: name,
    });
  };
  const noted =
    <A extends unknown[], R>(
      method: string,
      name: string,
      given: ((...args: A) => Promise<R>) | undefined,
      otherwise: () => R,
    ) =>
    async (...args: A): Promise<R> => {
      calls.push([method, name, ...args]);
      find(name);
      return given === undefined ? otherwise() : given(...args);
    };
  const nothing = (): void => undefined;
  const handle = (name: string): Connection => ({
    name,
    token: noted('token', name, replies.token, () => token('the-token')),
    fetch: noted(
      'fetch',
      name,
      replies.fetch,
      () => new Response('{"ok":true}', { headers: { 'x-one': '1' } }),
    ),
    refresh: noted('refresh', name, replies.refresh, () => ({ ...find(name), generation: 5 })),
    status: noted('status', name, replies.status, () => find(name)),
    explain: noted('explain', name, replies.explain, () => ({
      status: find(name),
      cause: 'all is well',
      confidence: 'certain',
      fix: 'nothing to do',
      life: [],
    })),
    pause: noted('pause', name, replies.pause, nothing),
    resume: noted('resume', name, replies.resume, nothing),
    rename: noted('rename', name, replies.rename, nothing),
    disconnect: noted('disconnect', name, replies.disconnect, () => ({
      revoked: true,
      removed: true,
      message: 'revoked and forgotten',
    })),
  });
  const begin = async (
    method: string,
    name: string,
    options: AddOptions | ConnectOptions,
  ): Promise<Connection> => {
    calls.push([method, name, options]);
    return { ...handle(name), status: async () => status({ name, provider: options.provider }) };
  };
  return {
    calls,
    emit: (event, value) => {
      for (const listener of listeners.get(event) ?? []) listener(value as never);
    },
    add: (name, options) => begin('add', name, options),
    connect: (name, options) => begin('connect', name, options),
    reconnect: async (name, options) => {
      calls.push(['reconnect', name, options]);
      find(name);
      return handle(name);
    },
    connection: handle,
    list: async () => connections,
    clients: async () => replies.clients ?? [clientStatus()],
    setClientSecret: async (clientId: string, secret: SecretInput, options) => {
      calls.push(['setClientSecret', clientId, secret, options]);
      if (clientId !== 'client-1')
        throw new NotFoundError('ERR_CLIENT_UNKNOWN', `there is no client ${clientId}`);
      return 2;
    },
    removeClient: async (clientId: string, options) => {
      calls.push(['removeClient', clientId, options]);
      if (clientId !== 'client-1')
        throw new NotFoundError('ERR_CLIENT_UNKNOWN', `there is no client ${clientId}`);
    },
    start: () => undefined,
    refreshDue: async () => [],
    on: (event, listener) => {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
      return () => void listeners.delete(event);
    },
    close: async () => {
      calls.push(['close']);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** An access token with the given value. */
export function token(value: string): AccessToken {
  return new AccessToken(value, {
    type: 'Bearer',
    scope: ['a', 'b'],
    expiresAt: NOW + 3_600_000,
    generation: 4,
  });
}

/** Neither keys nor draws nor events. */
const noAccess: Home['store']['access'] = {
  addKey: async () => undefined,
  key: () => undefined,
  keys: async () => [],
  revokeKeys: async () => 0,
  addDraws: async () => undefined,
  draws: async () => [],
  events: () => [],
  eventRange: () => ({ first: 0, last: 0 }),
};

/** Nobody is told anything. */
const noWebhooks: Home['store']['webhooks'] = {
  setReceivers: async () => undefined,
  work: () => ({ isNew: false, isDue: false }),
  collect: async () => ({ isMore: false, missed: 0 }),
  claim: async () => [],
  delivered: async () => undefined,
  failed: async () => undefined,
  gaveUp: async () => undefined,
  hold: async () => undefined,
  deadLetters: async () => [],
  revive: async () => false,
  receivers: () => [],
  counts: () => ({ waiting: 0, dead: 0 }),
};

/** A home of the given keeper, with a store that holds one key and nothing undelivered. */
export function fakeHome(keeper: Keeper, store: Partial<Home['store']> = {}): Home {
  return {
    keeper,
    api: () => Promise.reject(new Error('no API is called here')),
    paths: homePaths('/home/of/tests', {}),
    store: {
      checkWritable: async () => undefined,
      keyStatus: async () => ({
        masterKey: 'file',
        dataKeys: [{ id: '0123456789abcdef', createdAt: NOW - 172_800_000, retiredAt: undefined }],
      }),
      rotateDataKey: async () => 3,
      backup: async () => undefined,
      pendingNotices: async () => [],
      copyStatus: async () => ({ epoch: 1, unconfirmed: undefined }),
      acceptCopy: async () => 0,
      findDamage: async () => [],
      access: noAccess,
      webhooks: noWebhooks,
      life: async () => [],
      endpoints: async () => [],
      ...store,
    },
  };
}
