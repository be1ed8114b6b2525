import { event } from '../connection/telling.ts';
import { NO_BACKOFF } from '../connection/gate.ts';
import type { View } from '../connection/decision.ts';
import { openRefreshToken } from '../connection/token-set.ts';
import { leftoverContext } from '../connection/secrets.ts';
import { revokeToken } from '../token-endpoint/revocation.ts';
import { keeperName, type Engine } from '../refresh/engine.ts';
import { openAuthentication } from '../refresh/request.ts';
import { Secret } from '../secret.ts';
import { sleep } from '../system/clock.ts';

const ANSWER_PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 20;

/** What a disconnect came to. */
export interface Disconnected {
  /** Whether the server forgot the grant. */
  readonly revoked: boolean;
  /** In words. */
  readonly message: string;
}

/**
 * Ends a connection: a tombstone first, under a new grant id, so that an answer still under way cannot bring it back; then revocation where
 * the server has it; then everything is removed. When the revocation fails the tombstone stays, with the refresh token sealed in it, and
 * a repeated disconnect tries again, as it does after `signal` ended one.
 *
 * @see RFC 7009
 */
export async function disconnect(
  engine: Engine,
  connectionId: string,
  signal?: AbortSignal,
): Promise<Disconnected> {
  signal?.throwIfAborted();
  const buried = await bury(engine, connectionId);
  const view = await untilUnclaimed(engine, connectionId, buried, signal);
  signal?.throwIfAborted();
  if (view?.connection.claim !== undefined) return unfinished('an answer is still under way');
  const profile = view === undefined ? undefined : engine.profileOf(view.client);
  const tokens = view === undefined ? [] : await tokensToRevoke(engine, view);
  const endpoint = profile?.revocationEndpoint;
  if (view === undefined || profile === undefined || tokens.length === 0) {
    await engine.store.remove(connectionId);
    return { revoked: false, message: 'it is removed here; it held no refresh token to revoke' };
  }
  if (endpoint === undefined) {
    await engine.store.remove(connectionId);
    return {
      revoked: false,
      message:
        'it is removed here; the server offers no way to revoke its refresh token, which stays valid there until it expires unused. Whoever manages the account can end its sessions',
    };
  }
  for (const token of tokens) {
    const failure = await revokeToken(engine.http, {
      revocationEndpoint: endpoint,
      clientId: view.client.clientId,
      authentication: openAuthentication(engine.store.sealer, view.client),
      token,
      insecureLoopback: profile.insecureLoopback,
      signal,
    });
    signal?.throwIfAborted();
    if (failure !== undefined) {
      return unfinished(`the server could not be told: ${failure}`);
    }
  }
  await engine.store.remove(connectionId);
  return { revoked: true, message: 'its refresh token is revoked and it is removed here' };
}

function unfinished(why: string): Disconnected {
  const message = `it is stopped, but not yet revoked (${why}); disconnect again to retry`;
  return { revoked: false, message };
}

/** An answer under way may bring another refresh token, which must be revoked as well. */
async function untilUnclaimed(
  engine: Engine,
  connectionId: string,
  buried: View | undefined,
  signal: AbortSignal | undefined,
): Promise<View | undefined> {
  const { store, clock } = engine;
  const deadline = clock.monotonic() + ANSWER_PATIENCE_MS;
  let view = buried;
  while (view?.connection.claim !== undefined && clock.monotonic() < deadline) {
    if (signal?.aborted === true) return view;
    if ((await store.claims.judge(view.connection.claim.owner)) === 'dead') {
      return { ...view, connection: { ...view.connection, claim: undefined } };
    }
    await sleep(clock, LOOK_EVERY_MS, signal);
    view = await store.read(connectionId);
  }
  return view;
}

/** Makes the tombstone. The refresh token stays sealed in it; nothing else of use does. */
async function bury(engine: Engine, connectionId: string): Promise<View | undefined> {
  const facts = { now: engine.clock.now(), by: keeperName(engine) };
  const grantId = engine.random.uuid();
  return engine.store.transition(
    connectionId,
    (view) => {
      const { connection } = view;
      if (connection.state.kind === 'disconnected') return { result: view };
      const tokens =
        connection.tokens === undefined
          ? undefined
          : { ...connection.tokens, accessToken: undefined, idToken: undefined };
      const change = {
        grantId,
        tokens,
        intent: undefined,
        backoff: NO_BACKOFF,
        state: { kind: 'disconnected', since: facts.now },
      } as const;
      const after = { ...connection, ...change };
      return {
        result: { ...view, connection: after },
        connection: change,
        life: [event(after, facts, 'disconnected', undefined)],
      };
    },
    { durable: true },
  );
}

async function tokensToRevoke(engine: Engine, { connection }: View): Promise<readonly Secret[]> {
  const { sealer } = engine.store;
  const current = openRefreshToken(sealer, connection);
  const leftovers = await engine.store.leftovers(connection.id);
  const late = leftovers.flatMap((left) => {
    if (left.kind === 'quarantine') return [];
    const plain = sealer.open(left.sealed, leftoverContext(connection.id, left));
    const { refreshToken } = JSON.parse(Buffer.from(plain).toString('utf8')) as {
      readonly refreshToken?: string;
    };
    return refreshToken === undefined ? [] : [new Secret(refreshToken)];
  });
  return current === undefined ? late : [current, ...late];
}
