import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leftoverContext } from '../../../src/connection/secrets.ts';
import { buildTokenSet, openRefreshToken } from '../../../src/connection/token-set.ts';
import { startEmulator, type Emulator, type IssuedGrant } from '../../../src/emulator/emulator.ts';
import { openHome, type OpenHome } from '../../../src/keeper.ts';
import type { Connection } from '../../../src/keeper-api.ts';
import { Secret } from '../../../src/secret.ts';
import { setSabotage } from '../../support/failpoints.ts';

/*
 * What happens to a connection while a request of its is under way. The emulator holds the answer back, after it has committed.
 */

let folder: string;
let emulator: Emulator;
let opened: OpenHome;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-overtaken-'));
  emulator = await startEmulator({
    rotation: 'single-use',
    opaqueAccessTokens: true,
    revocationEndpoint: true,
  });
  opened = await openHome({ home: path.join(folder, 'home') });
});

afterEach(async () => {
  setSabotage('late-grant', false);
  emulator.faults.release();
  await opened.keeper.close().catch(() => undefined);
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

async function add(replace = false): Promise<{ connection: Connection; grant: IssuedGrant }> {
  const grant = await emulator.issueGrant({});
  const connection = await opened.keeper.add('a', {
    provider: 'perspio',
    client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
    overrides: {
      tokenEndpoint: emulator.tokenEndpoint,
      revocationEndpoint: emulator.tokenEndpoint.replace(/token$/, 'revoke'),
      rotation: 'single-use',
      insecureLoopback: true,
    },
    tokens: {
      refreshToken: grant.refreshToken ?? '',
      accessToken: grant.accessToken,
      accessExpiresAt: grant.expiresAt,
    },
    replace,
  });
  return { connection, grant };
}

/** Begins a refresh and waits until the server has committed it and holds its answer. */
async function refreshUnderWay(connection: Connection): Promise<{ settled: Promise<unknown> }> {
  emulator.faults.next('hold-after-commit');
  const settled = connection.refresh().catch((error: unknown) => error);
  await emulator.ledger.waitFor(1, { held: true, committed: true });
  return { settled };
}

/** Of two consents that two people began, the first to come is the last to be stored. */
async function crossConsents(): Promise<{
  readonly early: Promise<unknown>;
  readonly later: IssuedGrant;
}> {
  const { store } = opened;
  const { putClient } = store;
  const reached = Promise.withResolvers<undefined>();
  const goOn = Promise.withResolvers<undefined>();
  let calls = 0;
  store.putClient = async (client) => {
    // The first consent comes just before it is stored.
    if (++calls === 1) {
      reached.resolve(undefined);
      await goOn.promise;
    }
    return putClient.call(store, client);
  };
  const early = add(true).catch((error: unknown) => error);
  await reached.promise;
  // The clock of this machine tells which came first.
  const now = Date.now();
  await expect.poll(() => Date.now()).toBeGreaterThan(now);
  const { grant: later } = await add(true);
  goOn.resolve(undefined);
  await early;
  return { early, later };
}

async function stored(name = 'a') {
  const { store } = opened;
  const view = await store.find(name);
  if (view === undefined) throw new Error(`${name} is gone`);
  const { id } = view.connection;
  const refreshToken = openRefreshToken(store.sealer, view.connection)?.reveal();
  const leftovers = (await store.leftovers(id)).map((left) => {
    const plain = Buffer.from(store.sealer.open(left.sealed, leftoverContext(id, left))).toString();
    return { kind: left.kind, ...(JSON.parse(plain) as { refreshToken?: string }) };
  });
  return { connection: view.connection, refreshToken, leftovers };
}

describe('while a refresh is under way', () => {
  it('a new consent wins: the late answer of the old grant is put away, not made current', async () => {
    const { connection } = await add();
    const { settled } = await refreshUnderWay(connection);
    const { grant: second } = await add(true);
    emulator.faults.release();
    await settled;
    await expect.poll(async () => (await stored()).leftovers.length).toBe(1);
    const { refreshToken, leftovers } = await stored();
    expect(refreshToken).toBe(second.refreshToken);
    const [late] = leftovers;
    expect(late?.kind).toBe('revoke');
    expect(emulator.isRefreshTokenHonoured(late?.refreshToken ?? '')).toBe(true);
    const done = await connection.disconnect();
    expect(done.revoked).toBe(true);
    expect(emulator.isRefreshTokenHonoured(late?.refreshToken ?? '')).toBe(false);
    expect(emulator.isRefreshTokenHonoured(second.refreshToken ?? '')).toBe(false);
  });

  it('a consent that was stored late does not replace a newer one: it is put away, and revoked with it', async () => {
    const { connection } = await add();
    const { early, later } = await crossConsents();
    expect(await early).toMatchObject({ code: 'ERR_CONSENT_LATE' });
    const { refreshToken, leftovers } = await stored();
    expect(refreshToken).toBe(later.refreshToken);
    expect(leftovers).toMatchObject([{ kind: 'revoke' }]);
    expect((await connection.disconnect()).revoked).toBe(true);
    expect(emulator.isRefreshTokenHonoured(leftovers[0]?.refreshToken ?? '')).toBe(false);
  });

  it('and would, if nobody looked which came first', async () => {
    await add();
    setSabotage('late-grant', true);
    const { early, later } = await crossConsents();
    expect(await early).toMatchObject({ connection: { name: 'a' } });
    expect((await stored()).refreshToken).not.toBe(later.refreshToken);
  });

  it('a consent during a disconnect is not removed with the old grant', async () => {
    const { connection } = await add();
    const { store } = opened;
    const { remove } = store;
    let grant: IssuedGrant | undefined;
    store.remove = async (id, grantId, life) => {
      ({ grant } = await add(true));
      return remove.call(store, id, grantId, life);
    };
    const { message } = await connection.disconnect();
    expect(message).toMatch(/connected again meanwhile/);
    expect((await stored()).refreshToken).toBe(grant?.refreshToken);
    expect((await connection.token()).value).toBe(grant?.accessToken);
  });

  it('a disconnect ends the serving of its token at once, however long its answer takes', async () => {
    const { connection } = await add();
    expect((await connection.token()).generation).toBe(1);
    const { settled } = await refreshUnderWay(connection);
    const disconnected = connection.disconnect();
    const refusal = (): Promise<unknown> => connection.token().catch((error: unknown) => error);
    await expect.poll(refusal, { timeout: 10_000 }).toMatchObject({ code: 'ERR_DISCONNECTED' });
    emulator.faults.release();
    await Promise.all([disconnected, settled]);
  });

  it('a disconnect waits for its answer and revokes what it brought', async () => {
    const { connection } = await add();
    const { settled } = await refreshUnderWay(connection);
    const disconnected = connection.disconnect();
    await expect.poll(async () => (await stored()).connection.state.kind).toBe('disconnected');
    emulator.faults.release();
    expect((await disconnected).revoked).toBe(true);
    await settled;
    expect(emulator.describe().some(({ alive }) => alive)).toBe(false);
    expect(await opened.store.find('a')).toBeUndefined();
  });

  it('a consent while a disconnect waits for an answer is neither revoked nor removed with the old grant', async () => {
    const { connection } = await add();
    const { settled } = await refreshUnderWay(connection);
    const disconnected = connection.disconnect();
    await expect.poll(async () => (await stored()).connection.state.kind).toBe('disconnected');
    const { grant } = await add(true);
    emulator.faults.release();
    expect((await disconnected).message).toMatch(/connected again meanwhile/);
    await settled;
    expect((await stored()).refreshToken).toBe(grant.refreshToken);
    expect(emulator.isRefreshTokenHonoured(grant.refreshToken ?? '')).toBe(true);
    expect(emulator.describe().filter(({ alive }) => alive)).toHaveLength(1);
  });

  it('a rename touches nothing: the answer is recorded under the new name', async () => {
    const { connection } = await add();
    const { settled } = await refreshUnderWay(connection);
    await connection.rename('b');
    emulator.faults.release();
    await settled;
    await expect.poll(async () => (await stored('b')).connection.generation).toBe(2);
    const { refreshToken } = await stored('b');
    expect(emulator.isRefreshTokenHonoured(refreshToken ?? '')).toBe(true);
  });

  it('a refusal is nothing to one who lost the race: the token of the winner is served', async () => {
    const { connection } = await add();
    emulator.faults.next('hold-before-commit');
    const { generation } = await connection.status();
    const settled = connection.refresh();
    await emulator.ledger.waitFor(1, { held: true });
    const { connection: before } = await stored();
    const winner = new Secret('the access token of the winner');
    await opened.store.transition(
      before.id,
      () => ({
        result: true,
        connection: {
          generation: generation + 1,
          intent: undefined,
          tokens: buildTokenSet(opened.store.sealer, {
            response: {
              accessToken: winner,
              tokenType: 'Bearer',
              accessLifeMs: 3_600_000,
              refreshInMs: undefined,
              refreshToken: new Secret('the refresh token of the winner'),
              refreshLifeMs: undefined,
              idToken: undefined,
              scope: undefined,
              warnings: [],
            },
            sentAt: Date.now(),
            previousRefreshToken: undefined,
            previousRefreshExpiresAt: undefined,
            askedScope: [],
            connectionId: before.id,
            generation: generation + 1,
            idleLimitMs: undefined,
            fraction: 0.5,
          }),
        },
      }),
      { durable: true },
    );
    emulator.revokeUser('demo@perspio.io');
    emulator.faults.release();
    await expect(settled).resolves.toMatchObject({ generation: generation + 1, state: 'active' });
    expect((await connection.token()).value).toBe(winner.reveal());
    expect(await opened.store.pendingNotices(Date.now(), 10)).toEqual([]);
  });
});

describe('a store that cannot be written', () => {
  let blocker: DatabaseSync;

  beforeEach(async () => {
    await add();
    blocker = new DatabaseSync(path.join(opened.paths.store, 'evergrant.db'));
  });

  afterEach(() => {
    blocker.close();
  });

  it('before the send makes the refresh fail by name, and nothing is sent', async () => {
    blocker.exec('BEGIN IMMEDIATE');
    const refreshed = opened.keeper.connection('a').refresh();
    await expect(refreshed).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' });
    blocker.exec('ROLLBACK');
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(0);
  });

  it('after the send loses nothing: the answer is spilled, and recorded by the next keeper', async () => {
    const { settled } = await refreshUnderWay(opened.keeper.connection('a'));
    blocker.exec('BEGIN IMMEDIATE');
    emulator.faults.release();
    const spilled = async (): Promise<string[]> => {
      const names = await readdir(opened.paths.spills).catch(() => []);
      return names.filter((name) => name.endsWith('.spill'));
    };
    await expect.poll(spilled, { timeout: 10_000 }).toHaveLength(1);
    await opened.keeper.close().catch(() => undefined);
    await settled;
    blocker.exec('ROLLBACK');

    opened = await openHome({ home: path.join(folder, 'home') });
    const connection = opened.keeper.connection('a');
    await connection.token();
    await expect.poll(async () => (await stored()).connection.generation).toBe(2);
    await expect.poll(spilled, { timeout: 10_000 }).toEqual([]);
    const { refreshToken, connection: record } = await stored();
    expect(record.intent).toBeUndefined();
    expect(emulator.isRefreshTokenHonoured(refreshToken ?? '')).toBe(true);
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
  }, 30_000);
});
