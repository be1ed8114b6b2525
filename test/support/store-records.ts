import type {
  ClientRecord,
  ConnectionRecord,
  LifeEvent,
  TokenSet,
} from '../../src/connection/record.ts';
import { clientSecretContext, tokenContext } from '../../src/connection/secrets.ts';
import type { Store } from '../../src/store/store.ts';

/*
 * Records as the store keeps them, with every secret sealed.
 */

/** A client that is not stored yet. */
export function clientRecord(store: Store, change: Partial<ClientRecord> = {}): ClientRecord {
  const id = change.id ?? 'client-1';
  const revision = change.revision ?? 1;
  return {
    id,
    provider: 'generic',
    clientId: 'app',
    tokenEndpoint: 'https://as.example/token',
    authentication: 'client_secret_basic',
    secret: store.sealer.seal('secret of the client', clientSecretContext({ id, revision })),
    secretExpiresAt: undefined,
    overrides: {},
    revision,
    refusedAt: undefined,
    refusal: undefined,
    ...change,
  };
}

/** A token set whose secrets are sealed for a connection's generation. */
export function tokenSet(
  store: Store,
  connectionId: string,
  generation: number,
  change: Partial<TokenSet> = {},
): TokenSet {
  const seal = (field: 'accessToken' | 'refreshToken'): Uint8Array =>
    Uint8Array.from(
      store.sealer.seal(
        `${field} ${String(generation)}`,
        tokenContext(connectionId, field, generation),
      ),
    );
  return {
    accessToken: seal('accessToken'),
    refreshToken: seal('refreshToken'),
    idToken: undefined,
    tokenType: 'Bearer',
    scope: ['api'],
    receivedAt: 1_000,
    accessLifeMs: 3_600_000,
    accessExpiresAt: 3_601_000,
    dueAt: 2_400_000,
    refreshExpiresAt: undefined,
    fingerprint: 'abcdef01',
    ...change,
  };
}

/** A connection that is not stored yet. */
export function connectionRecord(
  store: Store,
  id: string,
  change: Partial<ConnectionRecord> = {},
): ConnectionRecord {
  const generation = change.generation ?? 1;
  return {
    id,
    name: id,
    clientId: 'client-1',
    beginning: 'import',
    subject: undefined,
    scopes: { requested: ['api'], granted: ['api'], refresh: undefined },
    perspioTenantId: undefined,
    subscriptionKey: undefined,
    grantId: 'grant-1',
    generation,
    tokens: tokenSet(store, id, generation),
    state: { kind: 'active' },
    claim: undefined,
    intent: undefined,
    backoff: { failures: 0, notBefore: 0 },
    lastError: undefined,
    createdAt: 500,
    ...change,
  };
}

/** A line of history. */
export function lifeEvent(
  event: string,
  generation = 1,
  change: Partial<LifeEvent> = {},
): LifeEvent {
  return {
    at: 1,
    event,
    grantId: 'grant-1',
    generation,
    by: 'test',
    fingerprint: undefined,
    detail: undefined,
    ...change,
  };
}
