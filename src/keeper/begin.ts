import { sabotaged } from '#failpoints';
import { expectedRefreshToken, type Obtained } from '../authorize/obtained.ts';
import { buildTokenSet, openRefreshToken, unusableTypeOf } from '../connection/token-set.ts';
import type { Leftover, View } from '../connection/decision.ts';
import { NO_BACKOFF } from '../connection/gate.ts';
import { event } from '../connection/telling.ts';
import {
  clientSecretContext,
  leftoverContext,
  subscriptionKeyContext,
} from '../connection/secrets.ts';
import type {
  Beginning,
  ClientRecord,
  ConnectionRecord,
  ConnectionState,
  Scopes,
} from '../connection/record.ts';
import { ConfigurationError } from '../errors.ts';
import type { BeginOptions } from '../keeper-api.ts';
import { readScope } from '../oauth/scope.ts';
import { checkAuthenticatedOnce } from '../oauth/token-request.ts';
import { findProvider } from '../providers/providers.ts';
import { resolveProfile, type Profile, type ProfileOverrides } from '../providers/profile.ts';
import { keeperName, type Engine } from '../refresh/engine.ts';
import { Secret } from '../secret.ts';
import { secretOf } from '../system/arguments.ts';
import { openIfWhole } from './disconnect.ts';

/*
 * From what was obtained to what the store keeps: a new connection, or a new grant of one that exists.
 */

/** A registration and its habits, before or after it is stored. */
export interface Registration {
  /** The client, as it is stored or will be. */
  readonly client: ClientRecord;
  /** Its habits. */
  readonly profile: Profile;
}

/** What begins with a grant. */
export interface NewGrant {
  /** Options of the caller. */
  readonly options: BeginOptions;
  /** Where it belongs. */
  readonly registration: Registration;
  /** How it began. */
  readonly beginning: Beginning;
  /** What came. */
  readonly obtained: Obtained;
  /** Scopes the caller named for all legs, instead of the profile's. */
  readonly namedScope: readonly string[] | undefined;
}

/** Checks the name of a connection. @throws {@link ConfigurationError} `ERR_ARGUMENT` */
export function checkName(name: string): void {
  // Not a constant of the file: to make it takes a third of a millisecond, and most processes name nothing.
  const right = /^[\p{L}\p{N}][\p{L}\p{N}._@:+-]{0,127}$/u;
  if (typeof name === 'string' && right.test(name)) return;
  throw new ConfigurationError(
    'ERR_ARGUMENT',
    'a connection name has 1 to 128 letters, digits and . _ @ : + - and begins with a letter or digit',
  );
}

/** The scopes that a caller named, decoded and checked; undefined when it named none. */
export function namedScopeOf(options: BeginOptions): readonly string[] | undefined {
  return options.scope === undefined ? undefined : readScope(options.scope).scope;
}

/**
 * Finds the registration that options describe. One that is new is stored with its first connection: an attempt that comes to nothing, or is cut
 * short by a crash, leaves neither it nor its secret behind. A secret given replaces one that the server refuses, or that no connection uses; else
 * whoever mistypes it, and never finishes, would stop connections that work.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` for another secret than the one that connections use; `ERR_CONFIGURATION` for extra parameters
 *   that would prove the client twice.
 */
export async function register(
  engine: Engine,
  options: BeginOptions,
  overrides: ProfileOverrides,
): Promise<Registration> {
  const { client: given, provider } = options;
  const profile = resolveProfile(findProvider(provider), overrides);
  const secret =
    given.clientSecret === undefined ? undefined : secretOf(given.clientSecret, 'clientSecret');
  const authentication =
    given.authentication ?? (secret === undefined ? 'none' : profile.clientAuthentication);
  if ((authentication === 'none') !== (secret === undefined)) {
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      secret === undefined
        ? `client authentication ${authentication} needs a client secret`
        : 'a client with a secret must use it; leave client authentication none out',
    );
  }
  checkParameters(profile, authentication, secret);
  const { store, random } = engine;
  const id = random.uuid();
  const sealed =
    secret === undefined
      ? undefined
      : store.sealer.seal(secret.reveal(), clientSecretContext({ id, revision: 1 }));
  const draft: ClientRecord = {
    id,
    provider,
    clientId: given.clientId,
    tokenEndpoint: profile.tokenEndpoint,
    authentication,
    secret: sealed,
    secretExpiresAt: given.clientSecretExpiresAt,
    overrides: JSON.parse(JSON.stringify(overrides)) as ClientRecord['overrides'],
    revision: 1,
    refusedAt: undefined,
    refusal: undefined,
  };
  const client = await store.tryClient(draft);
  if (client.id === id || secret === undefined || isHeldSecret(engine, client, secret))
    return { client, profile };
  await refuseOtherSecret(engine, client);
  await replaceSecret(engine, client, secret, given.clientSecretExpiresAt);
  // What is tried is the secret given, not the one before.
  return { client: await store.tryClient(draft), profile };
}

/** What the provider or the caller wants sent besides must leave the proof of the client to its method. */
function checkParameters(
  { tokenParameters = {} }: Profile,
  method: ClientRecord['authentication'],
  secret: Secret | undefined,
): void {
  const authentication =
    method === 'none' || secret === undefined ? { method: 'none' as const } : { method, secret };
  checkAuthenticatedOnce({ authentication, parameters: tokenParameters });
}

async function refuseOtherSecret({ store }: Engine, client: ClientRecord): Promise<void> {
  if (client.secret === undefined || client.refusedAt !== undefined) return;
  const used = await store.countConnections(client);
  if (used === 0) return;
  throw new ConfigurationError(
    'ERR_ARGUMENT',
    `client ${client.clientId} has another secret, which ${String(used)} ${used === 1 ? 'connection uses' : 'connections use'}; leave it as it is, or replace it with evergrant client set-secret ${client.clientId}`,
  );
}

function isHeldSecret(engine: Engine, client: ClientRecord, secret: Secret): boolean {
  if (client.secret === undefined || client.refusedAt !== undefined) return false;
  const held = engine.store.sealer.open(client.secret, clientSecretContext(client));
  return new Secret(Buffer.from(held).toString('utf8')).equals(secret);
}

/** Gives every client of a registration another secret, and lifts its refusal. @returns how many connections that concerns. */
export function replaceSecret(
  { store }: Engine,
  registration: Pick<ClientRecord, 'tokenEndpoint' | 'clientId'>,
  secret: Secret,
  expiresAt: number | undefined,
): Promise<number> {
  return store.setClientSecret(
    registration,
    ({ id }, revision) => store.sealer.seal(secret.reveal(), clientSecretContext({ id, revision })),
    expiresAt,
  );
}

/** Stores a new connection. @returns its id. @throws {@link ConfigurationError} `ERR_CONNECTION_EXISTS` */
export async function storeNew(engine: Engine, name: string, grant: NewGrant): Promise<string> {
  const { store, random, clock } = engine;
  const id = random.uuid();
  const facts = { now: clock.now(), by: keeperName(engine) };
  const record: ConnectionRecord = {
    id,
    name,
    createdAt: facts.now,
    intent: undefined,
    claim: undefined,
    ...grantParts(engine, id, 1, grant),
  };
  const detail = grant.beginning === 'import' ? 'imported' : `by ${grant.beginning}`;
  await store.insert(record, event(record, facts, 'connected', detail));
  return id;
}

/** A connection that is to get a new grant, as it was when that began. */
export type Existing = Pick<ConnectionRecord, 'id' | 'grantId'>;

/**
 * Gives an existing connection a new grant. Its id and history stay; an answer of the old grant that is still under way will not become
 * current. A grant that comes later than a newer one is put away, to be revoked with it; so is one that a disconnect could not revoke yet.
 *
 * @returns false when the connection is gone; then nothing is stored.
 * @throws {@link ConfigurationError} `ERR_CONSENT_LATE` when a newer grant was stored meanwhile.
 */
export async function storeAgain(
  engine: Engine,
  existing: Existing,
  grant: NewGrant,
): Promise<boolean> {
  const facts = { now: engine.clock.now(), by: keeperName(engine) };
  const connectionId = existing.id;
  const stored = await engine.store.transition<'stored' | 'late'>(
    connectionId,
    (view) => {
      const { connection } = view;
      if (isLate(connection, existing, grant)) {
        const why = 'a grant that was obtained before the present one came late and was put away';
        return {
          result: 'late',
          leftovers: toBeRevoked(
            engine,
            connectionId,
            grant.obtained.tokens.refreshToken,
            facts.now,
          ),
          life: [event(connection, facts, 'late_answer', why)],
        };
      }
      const generation = connection.generation + 1;
      const parts = {
        ...grantParts(engine, connectionId, generation, grant),
        intent: undefined,
      };
      const subscriptionKey = parts.subscriptionKey ?? connection.subscriptionKey;
      const perspioTenantId = parts.perspioTenantId ?? connection.perspioTenantId;
      const subject = parts.subject ?? connection.subject;
      const change = { ...parts, subscriptionKey, perspioTenantId, subject };
      const after = { ...connection, ...change };
      return {
        result: 'stored',
        connection: change,
        leftovers: putAwayBuried(engine, view, grant, facts.now),
        life: [event(after, facts, 'reconnected', `by ${grant.beginning}`)],
      };
    },
    { durable: true },
  );
  if (stored !== 'late') return stored === 'stored';
  throw new ConfigurationError(
    'ERR_CONSENT_LATE',
    'the connection was connected again meanwhile, by a later consent than this one; that one counts',
  );
}

/**
 * Lifts the refusal of a client that the server has just accepted, unless its secret was replaced or it was refused again since: its connections
 * must not wait for a person who has nothing to mend.
 *
 * @param connectionId - the connection that got the grant.
 */
export async function liftRefusal(
  { store, clock }: Engine,
  connectionId: string,
  { beginning, registration, obtained }: NewGrant,
): Promise<void> {
  if (beginning === 'import') return;
  const { id, revision } = registration.client;
  await store.transition(
    connectionId,
    ({ client }) => {
      const isSame = client.id === id && client.revision === revision;
      const { refusedAt = NaN } = client;
      // One that lies ahead was noted under a clock since set back.
      const isRefused = refusedAt <= obtained.sentAt || refusedAt > clock.now();
      return {
        result: undefined,
        ...(isSame && isRefused && { client: { refusedAt: undefined, refusal: undefined } }),
      };
    },
    { durable: true },
  );
}

/** Whether somebody else stored a grant that was obtained after this one. */
function isLate(
  connection: ConnectionRecord,
  { grantId }: Existing,
  { obtained }: NewGrant,
): boolean {
  if (connection.grantId === grantId || connection.state.kind === 'disconnected') return false;
  return (connection.tokens?.receivedAt ?? 0) > obtained.sentAt && !sabotaged('late-grant');
}

/** What a disconnect could not revoke is revoked by the next one; another client could not. */
function putAwayBuried(
  engine: Engine,
  { connection, client }: View,
  { registration }: NewGrant,
  at: number,
): readonly Leftover[] {
  const { clientId, tokenEndpoint } = registration.client;
  const isSame = client.clientId === clientId && client.tokenEndpoint === tokenEndpoint;
  if (connection.state.kind !== 'disconnected' || !isSame) return [];
  const held = openIfWhole(() => openRefreshToken(engine.store.sealer, connection));
  return held === 'damaged' ? [] : toBeRevoked(engine, connection.id, held, at);
}

function toBeRevoked(
  { store: { sealer }, random }: Engine,
  connectionId: string,
  refreshToken: Secret | undefined,
  at: number,
): readonly Leftover[] {
  if (refreshToken === undefined) return [];
  const label = { kind: 'revoke', grantId: random.uuid(), attemptId: random.uuid() } as const;
  const plain = JSON.stringify({ refreshToken: refreshToken.reveal() });
  return [{ ...label, sealed: sealer.seal(plain, leftoverContext(connectionId, label)), at }];
}

function grantParts(
  engine: Engine,
  id: string,
  generation: number,
  { options, registration, beginning, obtained, namedScope }: NewGrant,
): Omit<ConnectionRecord, 'id' | 'name' | 'createdAt' | 'intent' | 'claim'> {
  const { sealer } = engine.store;
  const { client, profile } = registration;
  const { tokens: response, sentAt, requested, granted, subject } = obtained;
  const built = buildTokenSet(sealer, {
    response,
    sentAt,
    previousRefreshToken: undefined,
    previousRefreshExpiresAt: undefined,
    askedScope: granted,
    connectionId: id,
    generation,
    idleLimitMs: profile.idleLimitMs,
    fraction: engine.random.fraction(),
  });
  const set = beginning === 'import' ? { ...built, isImported: true as const } : built;
  const isServable = unusableTypeOf(response) === undefined && response.accessToken.reveal() !== '';
  const scopes: Scopes = {
    requested,
    granted,
    refresh: refreshScope(beginning, obtained, namedScope),
  };
  return {
    clientId: client.id,
    beginning,
    subject,
    scopes,
    perspioTenantId: options.perspioTenantId,
    subscriptionKey:
      options.subscriptionKey === undefined
        ? undefined
        : sealer.seal(
            secretOf(options.subscriptionKey, 'subscriptionKey').reveal(),
            subscriptionKeyContext(id),
          ),
    grantId: engine.random.uuid(),
    generation,
    tokens: isServable ? set : { ...set, accessToken: undefined, dueAt: sentAt },
    state: initialState(engine, beginning, obtained),
    backoff: NO_BACKOFF,
    lastError: undefined,
  };
}

/** Scopes that the caller named take the place of the profile's; a refresh must not ask for more than was granted. */
function refreshScope(
  beginning: Beginning,
  { requested, granted }: Obtained,
  named: readonly string[] | undefined,
): readonly string[] | undefined {
  if (named === undefined || beginning === 'import') return named;
  const offline = requested.filter((token) => token === 'offline_access');
  return [...new Set([...granted, ...offline])];
}

/** A connection that should have got a refresh token and did not says so at once, not at its first expiry. */
function initialState(engine: Engine, beginning: Beginning, obtained: Obtained): ConnectionState {
  const missing =
    obtained.tokens.refreshToken === undefined && expectedRefreshToken(beginning, obtained);
  if (!missing) return { kind: 'active' };
  return {
    kind: 'attention',
    since: engine.clock.now(),
    actor: 'owner',
    code: 'ERR_REFRESH_TOKEN_MISSING',
    reason: 'the server gave no refresh token, so the connection ends with its access token',
    remedy: 'connect it again and grant offline access',
  };
}
