import { event } from '../connection/telling.ts';
import { NO_BACKOFF } from '../connection/gate.ts';
import type { View } from '../connection/decision.ts';
import { openRefreshToken } from '../connection/token-set.ts';
import { lateRefreshToken } from '../connection/late-token.ts';
import { StoreError } from '../errors.ts';
import type { Disconnected, DisconnectOptions } from '../keeper-api.ts';
import { revokeToken } from '../token-endpoint/revocation.ts';
import { keeperName, type Engine } from '../refresh/engine.ts';
import { recoverSpills } from '../refresh/recover.ts';
import { openAuthentication } from '../refresh/request.ts';
import { Secret } from '../secret.ts';
import { sleep } from '../system/clock.ts';

const ANSWER_PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 20;

/**
 * Ends a connection: a tombstone first, under a new grant id, so that an answer still under way cannot bring it back; then revocation where
 * the server has it; then everything is removed. When the revocation fails the tombstone stays, with the refresh token sealed in it, and
 * a repeated disconnect tries again, as it does after `signal` ended one; unless it is to be removed anyway.
 *
 * @param refreshed - called, and waited for, after each change of a connection, the tombstone first, so that this keeper serves nobody any more.
 * @see RFC 7009
 */
export async function disconnect(
  engine: Engine,
  connectionId: string,
  refreshed: (connectionId: string) => Promise<void>,
  { anyway = false, signal }: DisconnectOptions = {},
): Promise<Disconnected> {
  signal?.throwIfAborted();
  const buried = await bury(engine, connectionId);
  await refreshed(connectionId);
  const view = await untilUnclaimed(engine, connectionId, buried, signal);
  signal?.throwIfAborted();
  if (view?.connection.claim !== undefined) return unfinished('an answer is still under way');
  if (buried === undefined || view === undefined) return NOTHING_HELD;
  // What its attempts left in files is put away now, to be revoked as well. What fails of others is told by whoever renews.
  const failures = await recoverSpills(engine, refreshed);
  const failure = failures.find((one) => one.connectionId === connectionId);
  if (failure !== undefined) return unfinished(failure.message);
  // Somebody may have connected it again meanwhile: what was buried is revoked, and what is new is not removed.
  const told = await revoke(engine, buried, signal);
  if (typeof told === 'string' && !anyway) return unfinished(told, insist(buried));
  const done = typeof told === 'string' ? unrevoked(told) : told;
  const facts = { now: engine.clock.now(), by: keeperName(engine) };
  const { connection } = buried;
  const last = event(connection, facts, 'removed', undefined);
  const isGone = await engine.store.remove(connectionId, connection.grantId, last);
  return isGone ? done : { ...done, removed: false, message: AGAIN };
}

const AGAIN = 'it was connected again meanwhile, and goes on with its new grant';

const NOTHING_HELD = gone(false, 'it is removed here; it held no refresh token to revoke');

function gone(revoked: boolean, message: string): Disconnected {
  return { revoked, removed: true, message };
}

/** Tells the server. @returns why that failed and may be tried again; else what to tell once the connection is removed. */
async function revoke(
  engine: Engine,
  view: View,
  signal: AbortSignal | undefined,
): Promise<Disconnected | string> {
  const { tokens, damaged } = await tokensHeld(engine, view);
  if (tokens.length === 0 && damaged === 0) return NOTHING_HELD;
  if (engine.profileOf(view.client).revocationEndpoint === undefined) {
    return gone(
      false,
      `it is removed here; the server offers no way to revoke its refresh token, which stays valid there until it expires unused. ${ASK}`,
    );
  }
  const failure = await revokeAll(engine, view, tokens, signal);
  if (failure !== undefined) return failure;
  if (damaged === 0) return gone(true, 'its refresh token is revoked and it is removed here');
  return gone(
    false,
    `it is removed here; refresh tokens that it held: ${String(tokens.length)} revoked, ${String(damaged)} damaged in the store, which may stay valid at the server until they expire unused. ${ASK}`,
  );
}

const ASK = 'Whoever manages the account can end its sessions';

/** @param choice - what else can be done. */
function unfinished(why: string, choice = ''): Disconnected {
  const message = `it is stopped, but not yet revoked (${why}); disconnect again to retry${choice}`;
  return { revoked: false, removed: false, message };
}

function insist({ connection }: View): string {
  return `, or remove it all the same with evergrant disconnect ${connection.name} --anyway`;
}

function unrevoked(why: string): Disconnected {
  return gone(
    false,
    `it is removed here, though ${why}; its refresh token may stay valid there until it expires unused. ${ASK}`,
  );
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

/** What a connection holds that the server must be told of. */
interface Held {
  /** Its refresh token, and those of answers that came too late. */
  readonly tokens: readonly Secret[];
  /** How many more there were that do not open any more. */
  readonly damaged: number;
}

async function tokensHeld(engine: Engine, { connection }: View): Promise<Held> {
  const { sealer } = engine.store;
  const leftovers = await engine.store.leftovers(connection.id);
  const opened = [
    openIfWhole(() => openRefreshToken(sealer, connection)),
    ...leftovers.map((left) => openIfWhole(() => lateRefreshToken(sealer, connection.id, left))),
  ];
  const tokens = opened.filter((token) => token instanceof Secret);
  return { tokens, damaged: opened.filter((token) => token === 'damaged').length };
}

/** What opens no more, whatever is done. Anything else may pass, so nothing is removed for it. */
const LOST: ReadonlySet<string> = new Set(['ERR_STORE_DAMAGED', 'ERR_KEY_MISSING']);

/** What is opened, or that it never will be. @throws {@link StoreError} where another try may open it. */
export function openIfWhole<T>(open: () => T): T | 'damaged' {
  try {
    return open();
  } catch (error) {
    if (error instanceof StoreError && LOST.has(error.code)) return 'damaged';
    throw error;
  }
}

/** @returns why the server could not be told, in words; undefined once it has forgotten all of them. */
async function revokeAll(
  engine: Engine,
  { client }: View,
  tokens: readonly Secret[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { revocationEndpoint, insecureLoopback } = engine.profileOf(client);
  if (revocationEndpoint === undefined || tokens.length === 0) return undefined;
  const authentication = openIfWhole(() => openAuthentication(engine.store.sealer, client));
  if (authentication === 'damaged') {
    return 'the stored secret of its client is damaged, replace it with evergrant client set-secret';
  }
  for (const token of tokens) {
    const failure = await revokeToken(engine.http, {
      ...{ revocationEndpoint, clientId: client.clientId, authentication, token },
      ...{ insecureLoopback, signal },
    });
    signal?.throwIfAborted();
    if (failure !== undefined) return `the server could not be told: ${failure}`;
  }
  return undefined;
}
