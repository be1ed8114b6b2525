import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import type { AccessToken } from '../../../src/access-token.ts';
import type { Leftover } from '../../../src/connection/decision.ts';
import { leftoverContext } from '../../../src/connection/secrets.ts';
import { StoreError } from '../../../src/errors.ts';
import type { Connection } from '../../../src/keeper-api.ts';
import {
  LIFE_MS,
  worldFixture,
  type TestKeeper,
  type Watched,
  type World,
} from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();

/** Another keeper may take a harmless claim from a living one after this time. */
const TAKE_OVER_MS = 300_001;

async function leftovers(
  connection: Connection,
  { store }: TestKeeper,
): Promise<readonly Leftover[]> {
  return store.leftovers((await connection.status()).id);
}

function noticeKinds({ events }: TestKeeper): string[] {
  return events.flatMap(({ event, detail }) => (event === 'notice' ? [detail.kind] : []));
}

/** A caller of the first keeper whose request the emulator holds. */
async function heldCaller(
  world: World,
  connection: Connection,
  fault: 'hold-before-commit' | 'hold-after-commit' = 'hold-after-commit',
): Promise<Watched<AccessToken>> {
  world.emulator.faults.next(fault);
  const caller = world.watch(connection.token({ timeoutMs: 86_400_000 }));
  await world.emulator.ledger.waitFor(1, { held: true });
  return caller;
}

/** Changes the store behind the keeper's back. */
function damage({ home }: World, sql: string, ...values: (string | undefined)[]): void {
  const database = new DatabaseSync(path.join(home, 'store', 'evergrant.db'));
  expect(database.prepare(sql).run(...values.map((value) => value ?? '')).changes).toBe(1);
  database.close();
}

function revocationEndpoint({ emulator }: World): string {
  return emulator.tokenEndpoint.replace(/\/token$/, '/revoke');
}

/** A connection that was consented anew while an answer to its older grant was under way, which came then. */
async function answeredLate(world: World) {
  const overrides = {
    rotation: 'single-use',
    revocationEndpoint: revocationEndpoint(world),
  } as const;
  const { connection } = await world.add('a', { overrides });
  await world.clock.advance(LIFE_MS);
  const slow = await heldCaller(world, connection);
  const again = await world.add('a', { overrides, replace: true });
  world.emulator.faults.release();
  return { connection, again, served: (await slow.promise).value };
}

describe('the slower of two keepers', () => {
  it('that is refused hands out the token of the faster one, and changes nothing', async () => {
    const world = await makeWorld({ rotation: 'single-use', revokesFamily: false });
    const { connection } = await world.add('a');
    const fast = await world.open();
    await world.clock.advance(LIFE_MS);
    const slow = await heldCaller(world, connection, 'hold-before-commit');
    await world.pass(TAKE_OVER_MS);
    const winner = await fast.keeper.connection('a').token();
    const before = await fast.keeper.connection('a').status();
    world.emulator.faults.release();
    expect((await slow.promise).value).toBe(winner.value);
    expect(world.requests().map(({ outcome }) => outcome)).toEqual(['invalid_grant', 'issued']);
    expect(await connection.status()).toEqual(before);
    expect(await leftovers(connection, world.first)).toEqual([]);
    expect([...noticeKinds(world.first), ...noticeKinds(fast)]).toEqual([]);
  });

  it('puts its late refresh token away, to be tried before the grant is given up', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    const fast = await world.open();
    await world.clock.advance(LIFE_MS);
    const slow = await heldCaller(world, connection);
    await world.pass(TAKE_OVER_MS);
    const winner = await fast.keeper.connection('a').token();
    world.emulator.faults.release();
    expect((await slow.promise).value).toBe(winner.value);
    expect(await leftovers(connection, world.first)).toMatchObject([{ kind: 'stray' }]);
    const [late] = world.requests();

    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next(70008);
    const healed = await connection.token();
    expect(world.emulator.isAccessTokenAlive(healed.value)).toBe(true);
    expect(world.requests().at(-1)?.presentedFingerprint).toBe(late?.issuedFingerprint);
    expect((await connection.status()).state).toBe('active');
    expect(await leftovers(connection, world.first)).toEqual([]);
    expect(noticeKinds(world.first)).toEqual([]);
    await world.clock.advance(LIFE_MS);
    expect((await connection.token()).generation).toBe(4);
  });

  /** A connection with two late refresh tokens put away. */
  async function twoStrays(world: World): Promise<Connection> {
    const { connection } = await world.add('a');
    const fast = await world.open();
    for (let round = 0; round < 2; round++) {
      await world.clock.advance(LIFE_MS);
      const slow = await heldCaller(world, connection);
      await world.pass(TAKE_OVER_MS);
      await fast.keeper.connection('a').token();
      world.emulator.faults.release();
      await slow.promise;
    }
    expect(await leftovers(connection, world.first)).toHaveLength(2);
    await world.clock.advance(LIFE_MS);
    return connection;
  }

  it('has every late token tried, one after the other', async () => {
    const world = await makeWorld();
    const connection = await twoStrays(world);
    world.emulator.faults.next(70008, { times: 2 });
    const token = await connection.token();
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
    const presented = world
      .requests()
      .slice(-3)
      .map((entry) => entry.presentedFingerprint);
    expect(new Set(presented).size).toBe(3);
  });

  it('loses no late token to a server that fails just then', async () => {
    const world = await makeWorld();
    const connection = await twoStrays(world);
    world.emulator.faults.next(70008);
    world.emulator.faults.next({ kind: 'server-error', status: 500 });
    await connection.token({ timeoutMs: 100 }).catch(() => undefined);
    await world.quiet();
    expect((await connection.status()).state).toBe('active');
    expect(await leftovers(connection, world.first)).toHaveLength(2);
    await world.pass(5_000);
    world.emulator.faults.next(70008);
    const token = await world.during(connection.token());
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
  });

  it('has the others tried when one is damaged in the store', async () => {
    const world = await makeWorld();
    const connection = await twoStrays(world);
    const [newest] = await leftovers(connection, world.first);
    damage(world, `UPDATE leftover SET sealed = zeroblob(99) WHERE attempt = ?`, newest?.attemptId);
    world.emulator.faults.next(70008);
    const token = await connection.token();
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
    expect((await connection.status()).state).toBe('active');
  });

  it('leaves the grant to be given up when no late token is honoured either', async () => {
    const world = await makeWorld();
    const connection = await twoStrays(world);
    world.emulator.revokeUser('demo@perspio.io');
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_GRANT_REFUSED' });
    const outcomes = world
      .requests()
      .slice(-3)
      .map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['invalid_grant', 'invalid_grant', 'invalid_grant']);
    const before = world.requestCount();
    await connection.resume();
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_GRANT_REFUSED' });
    expect(world.requestCount()).toBe(before + 1);
  });

  it('has its late token kept as the refresh token where no newer one comes for it', async () => {
    const world = await makeWorld();
    const connection = await twoStrays(world);
    world.emulator.faults.next(70008);
    world.emulator.faults.next('no-refresh-token');
    await connection.token();
    const stray = world.requests().at(-1)?.presentedFingerprint;
    await world.clock.advance(LIFE_MS);
    await connection.token();
    expect(world.requests().at(-1)?.presentedFingerprint).toBe(stray);
  });
});

describe('a late answer of an older grant', () => {
  it('is sealed, not lost, and a disconnect revokes both grants', async () => {
    const world = await makeWorld({ rotation: 'single-use', revocationEndpoint: true });
    const { connection, served, again } = await answeredLate(world);
    expect(served).toBe(again.grant.accessToken);
    expect((await connection.token()).value).toBe(again.grant.accessToken);
    const [kept] = await leftovers(connection, world.first);
    expect(kept?.kind).toBe('revoke');
    if (kept === undefined) throw new TypeError('nothing was kept');
    const { id } = await connection.status();
    const plain = world.first.store.sealer.open(kept.sealed, leftoverContext(id, kept));
    const { refreshToken } = JSON.parse(Buffer.from(plain).toString()) as { refreshToken: string };
    expect(world.emulator.isRefreshTokenHonoured(refreshToken)).toBe(true);
    expect((await connection.explain()).life.map(({ event }) => event)).toContain('late_answer');

    expect(await connection.disconnect()).toMatchObject({ revoked: true });
    expect(world.emulator.isRefreshTokenHonoured(refreshToken)).toBe(false);
    expect(world.emulator.describe().map(({ revokedBecause }) => revokedBecause)).toEqual([
      'revoked',
      'revoked',
    ]);
    await expect(connection.status()).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
  });

  it('does not overwrite client credentials that were connected anew', async () => {
    const world = await makeWorld();
    const connection = await world.connect('cc');
    await world.clock.advance(LIFE_MS);
    const slow = await heldCaller(world, connection);
    await world.connect('cc', { reconnect: true });
    const { generation, grantId } = await connection.status();
    world.emulator.faults.release();
    await slow.promise;
    expect(await connection.status()).toMatchObject({ generation, grantId, state: 'active' });
  });

  it('that comes after a disconnect gave up waiting is revoked by the next one', async () => {
    const world = await makeWorld({ rotation: 'single-use', revocationEndpoint: true });
    const { connection } = await world.add('a', {
      overrides: { rotation: 'single-use', revocationEndpoint: revocationEndpoint(world) },
    });
    await world.clock.advance(LIFE_MS);
    const caller = await heldCaller(world, connection);
    const done = await world.during(connection.disconnect());
    expect(done).toMatchObject({ revoked: false });
    expect(done.message).toContain('disconnect again');
    expect(await connection.status()).toMatchObject({ state: 'disconnected' });
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_DISCONNECTED' });
    world.emulator.faults.release();
    await expect(caller.promise).rejects.toMatchObject({ code: 'ERR_DISCONNECTED' });
    expect(await leftovers(connection, world.first)).toMatchObject([{ kind: 'revoke' }]);
    expect(await world.during(connection.disconnect())).toMatchObject({ revoked: true });
    const revoked = world.emulator.ledger.entries({ endpoint: 'revocation' });
    expect(revoked.map((entry) => entry.presentedFingerprint)).toContain(
      world.requests()[0]?.issuedFingerprint,
    );
    expect(await world.first.keeper.list()).toEqual([]);
  });
});

describe('a disconnect', () => {
  it('keeps a tombstone with the refresh token when the revocation fails', async () => {
    const world = await makeWorld({ revocationEndpoint: true });
    const { connection } = await world.add('a', {
      overrides: { revocationEndpoint: revocationEndpoint(world) },
    });
    world.emulator.faults.next({ kind: 'server-error', status: 503 }, { endpoint: 'revocation' });
    expect(await connection.disconnect()).toMatchObject({ revoked: false });
    expect(await connection.status()).toMatchObject({
      state: 'disconnected',
      hasRefreshToken: true,
    });
    world.first.keeper.start();
    await world.pass(LIFE_MS * 2);
    expect(world.requestCount()).toBe(0);
    expect(await connection.disconnect()).toMatchObject({ revoked: true });
    expect(world.emulator.describe()[0]?.alive).toBe(false);
  });
});

describe('a connection that is connected again before its disconnect is done', () => {
  it('still has its former refresh token revoked by the next disconnect', async () => {
    const world = await makeWorld({ revocationEndpoint: true });
    const overrides = { revocationEndpoint: revocationEndpoint(world) };
    const { connection, grant } = await world.add('a', { overrides });
    world.emulator.faults.next({ kind: 'server-error', status: 503 }, { endpoint: 'revocation' });
    expect(await connection.disconnect()).toMatchObject({ revoked: false });
    const again = await world.add('a', { overrides, replace: true });
    expect((await connection.token()).value).toBe(again.grant.accessToken);
    expect(world.emulator.isRefreshTokenHonoured(grant.refreshToken ?? '')).toBe(true);
    expect(await leftovers(connection, world.first)).toMatchObject([{ kind: 'revoke' }]);
    expect(await connection.disconnect()).toMatchObject({ revoked: true });
    expect(world.emulator.describe().map(({ alive }) => alive)).toEqual([false, false]);
  });

  it('is connected again though that refresh token is damaged', async () => {
    const world = await makeWorld({ revocationEndpoint: true });
    const overrides = { revocationEndpoint: revocationEndpoint(world) };
    const { connection } = await world.add('a', { overrides });
    world.emulator.faults.next({ kind: 'server-error', status: 503 }, { endpoint: 'revocation' });
    await connection.disconnect();
    damage(world, 'UPDATE connection SET refresh_token = zeroblob(99)');
    await world.pass(1_000);
    const again = await world.add('a', { overrides, replace: true });
    expect((await connection.token()).value).toBe(again.grant.accessToken);
    expect(await leftovers(connection, world.first)).toEqual([]);
  });
});

describe('a disconnect of what is damaged in the store', () => {
  it.each([
    ['a late answer', 'UPDATE leftover SET sealed = zeroblob(99)', [true, false]],
    ['its refresh token', 'UPDATE connection SET refresh_token = zeroblob(99)', [false, true]],
  ])('(%s) revokes the rest, says so, and removes it', async (_what, sql, alive) => {
    const world = await makeWorld({ rotation: 'single-use', revocationEndpoint: true });
    const { connection } = await answeredLate(world);
    expect(await leftovers(connection, world.first)).toHaveLength(1);
    damage(world, sql);
    await world.pass(1_000);
    const done = await connection.disconnect();
    expect(done.revoked).toBe(false);
    expect(done.message).toContain('1 revoked, 1 damaged');
    expect(world.emulator.describe().map((grant) => grant.alive)).toEqual(alive);
    await expect(connection.status()).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
  });

  it('(all that it held, and the secret of its client) has nothing to tell the server, and removes it', async () => {
    const world = await makeWorld({ revocationEndpoint: true });
    const { connection } = await world.add('a', {
      overrides: { revocationEndpoint: revocationEndpoint(world) },
    });
    damage(world, 'UPDATE connection SET refresh_token = zeroblob(99)');
    damage(world, 'UPDATE client SET secret = zeroblob(99)');
    await world.pass(1_000);
    expect((await connection.disconnect()).message).toContain('0 revoked, 1 damaged');
    await expect(connection.status()).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
  });

  it('removes nothing while a key is wrong, since another may open it', async () => {
    const world = await makeWorld({ revocationEndpoint: true });
    const { connection } = await world.add('a', {
      overrides: { revocationEndpoint: revocationEndpoint(world) },
    });
    const { sealer } = world.first.store;
    const whole = sealer.open.bind(sealer);
    const open = vi.spyOn(sealer, 'open').mockImplementation((sealed, context, dataKey) => {
      if (context.field !== 'refreshToken') return whole(sealed, context, dataKey);
      throw new StoreError('ERR_KEY_WRONG', 'the key is another one');
    });
    await expect(connection.disconnect()).rejects.toMatchObject({ code: 'ERR_KEY_WRONG' });
    open.mockRestore();
    expect((await connection.status()).state).toBe('disconnected');
    expect(await connection.disconnect()).toMatchObject({ revoked: true });
  });

  it('(the secret of its client) keeps the tombstone until there is another secret', async () => {
    const world = await makeWorld({ revocationEndpoint: true });
    const { connection } = await world.add('a', {
      overrides: { revocationEndpoint: revocationEndpoint(world) },
    });
    damage(world, 'UPDATE client SET secret = zeroblob(99)');
    await world.pass(1_000);
    const done = await connection.disconnect();
    expect(done.revoked).toBe(false);
    expect(done.message).toContain('evergrant client set-secret');
    expect((await connection.status()).state).toBe('disconnected');
    await world.first.keeper.setClientSecret('perspio-demo', 'demo~secret+1');
    expect(await connection.disconnect()).toMatchObject({ revoked: true });
  });
});

describe('a pause', () => {
  it('during a refresh lets its answer be stored, and outlives it', async () => {
    const world = await makeWorld({ rotation: 'single-use' });
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await world.clock.advance(LIFE_MS);
    const caller = await heldCaller(world, connection);
    await connection.pause();
    world.emulator.faults.release();
    expect((await caller.promise).generation).toBe(2);
    expect(await connection.status()).toMatchObject({ state: 'paused', generation: 2 });
    world.first.keeper.start();
    await world.pass(LIFE_MS);
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_PAUSED' });
    expect(world.requestCount()).toBe(1);
    await connection.resume();
    expect((await connection.token()).generation).toBe(3);
    expect(world.requestCount({ replay: true })).toBe(0);
  });

  it('and a resume during a refresh change nothing', async () => {
    const world = await makeWorld({ rotation: 'single-use' });
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await world.clock.advance(LIFE_MS);
    const caller = await heldCaller(world, connection);
    await connection.pause();
    await connection.resume();
    world.emulator.faults.release();
    expect((await caller.promise).generation).toBe(2);
    expect(await connection.status()).toMatchObject({ state: 'active', generation: 2 });
    expect(world.requestCount()).toBe(1);
  });

  it('during a refresh that is refused does not hide the refusal from whoever must act', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await world.clock.advance(LIFE_MS);
    const caller = await heldCaller(world, connection, 'hold-before-commit');
    await connection.pause();
    world.emulator.revokeUser('demo@perspio.io');
    world.emulator.faults.release();
    await expect(caller.promise).rejects.toThrow();
    expect((await connection.status()).state).toBe('paused');
    await world.quiet();
    expect(noticeKinds(world.first)).toEqual(['attention']);
  });
});

it('consent that comes after its connection was disconnected begins a new one', async () => {
  const world = await makeWorld();
  const { id } = await (await world.connect('a')).status();
  world.emulator.faults.next('hold-before-commit');
  const again = world.connect('a', { reconnect: true });
  await world.emulator.ledger.waitFor(1, { held: true });
  await world.first.keeper.connection('a').disconnect();
  world.emulator.faults.release();
  const connection = await again;
  expect(world.emulator.isAccessTokenAlive((await connection.token()).value)).toBe(true);
  expect((await connection.status()).id).not.toBe(id);
  expect((await connection.explain()).life.map(({ event }) => event)).toEqual(['connected']);
});
