import type { Attempt, ClaimRequest } from '../../src/connection/claiming.ts';
import type { View } from '../../src/connection/decision.ts';
import { NO_BACKOFF, freshEndpoint } from '../../src/connection/gate.ts';
import type {
  ClientRecord,
  ConnectionRecord,
  EndpointState,
  Intent,
  Owner,
  TokenSet,
} from '../../src/connection/record.ts';
import type { Facts } from '../../src/connection/facts.ts';

/*
 * Rows for the pure decisions: nothing in them is really sealed, since no decision opens anything.
 */

/** The instant at which the decisions of the tests are made. */
export const NOW = Date.UTC(2026, 0, 1);
/** How long the machine had been up then. */
export const UPTIME_MS = 86_400_000;
/** Life of the access token in {@link someTokens}. */
export const LIFE_MS = 3_600_000;

export const someOwner: Owner = {
  ownerId: 'owner',
  machineId: 'machine',
  bootId: 'boot',
  life: '1:2',
  pid: 4711,
};

/** A token set that came at {@link NOW}. */
export function someTokens(change: Partial<TokenSet> = {}): TokenSet {
  return {
    accessToken: Uint8Array.of(1),
    refreshToken: Uint8Array.of(2),
    idToken: undefined,
    tokenType: 'Bearer',
    scope: ['api'],
    receivedAt: NOW,
    accessLifeMs: LIFE_MS,
    accessExpiresAt: NOW + LIFE_MS,
    dueAt: NOW + 0.7 * LIFE_MS,
    refreshExpiresAt: undefined,
    fingerprint: 'abcdef01',
    ...change,
  };
}

/** A connection of generation 1. */
export function someConnection(change: Partial<ConnectionRecord> = {}): ConnectionRecord {
  return {
    id: 'connection',
    name: 'a',
    clientId: 'client',
    beginning: 'import',
    subject: undefined,
    scopes: { requested: ['api'], granted: ['api'], refresh: undefined },
    perspioTenantId: undefined,
    subscriptionKey: undefined,
    grantId: 'grant',
    generation: 1,
    tokens: someTokens(),
    state: { kind: 'active' },
    claim: undefined,
    intent: undefined,
    backoff: NO_BACKOFF,
    lastError: undefined,
    createdAt: NOW,
    ...change,
  };
}

/** A connection with its client and endpoint. */
export function someView(
  change: {
    readonly connection?: Partial<ConnectionRecord>;
    readonly client?: Partial<ClientRecord>;
    readonly endpoint?: Partial<EndpointState>;
  } = {},
): View {
  const tokenEndpoint = 'https://as.example/token';
  return {
    connection: someConnection(change.connection),
    client: {
      id: 'client',
      provider: 'generic',
      clientId: 'app',
      tokenEndpoint,
      authentication: 'none',
      secret: undefined,
      secretExpiresAt: undefined,
      overrides: {},
      revision: 1,
      refusedAt: undefined,
      refusal: undefined,
      ...change.client,
    },
    endpoint: { ...freshEndpoint(tokenEndpoint), ...change.endpoint },
  };
}

/** The intent of an attempt that began at {@link NOW}. */
export function someIntent(change: Partial<Intent> = {}): Intent {
  return {
    attemptId: 'attempt',
    grantId: 'grant',
    generation: 1,
    firstAt: NOW,
    firstUptimeMs: UPTIME_MS,
    bootId: 'boot',
    count: 1,
    ...change,
  };
}

/** An attempt based on {@link someConnection}. */
export function someAttempt(change: Partial<Attempt> = {}): Attempt {
  return {
    attemptId: 'attempt',
    owner: someOwner,
    grantId: 'grant',
    generation: 1,
    clientRevision: 1,
    doubt: undefined,
    ...change,
  };
}

/** A request for the right to send, by a caller that wants a newer set than generation 1. */
export function someRequest(change: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    owner: someOwner,
    attemptId: 'attempt',
    now: NOW,
    demand: { kind: 'newer', generation: 1, rejected: false },
    replaces: undefined,
    byHand: false,
    anyway: false,
    rotation: 'single-use',
    policy: { requestsPerSecond: 10 },
    ...change,
  };
}

/** What a verdict needs to know, at {@link NOW}. */
export function someFacts(change: Partial<Facts> = {}): Facts {
  return {
    now: NOW,
    uptimeMs: UPTIME_MS + (change.now ?? NOW) - NOW,
    fraction: 0.5,
    by: 'test',
    rotation: 'single-use',
    graceMs: undefined,
    lastTry: true,
    tokens: undefined,
    leftover: undefined,
    advice: undefined,
    unusableType: undefined,
    ...change,
  };
}
