import { afterEach, describe, expect, it, vi } from 'vitest';
import { startEmulator } from '../../../src/emulator/emulator.ts';
import { setSabotage } from '../../support/failpoints.ts';
import { EARLY_MS, LIFE_MS, worldFixture, type World } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();

afterEach(() => {
  for (const defence of ['jitter', 'set-back']) setSabotage(defence, false);
});

async function addMany(world: World, count: number, prefix = 'c'): Promise<void> {
  for (let i = 0; i < count; i++) await world.add(`${prefix}${String(i)}`);
}

describe('a keeper in the background', () => {
  it('renews each token at its own random point in 60 to 75 % of its life', async () => {
    const world = await makeWorld();
    await addMany(world, 200);
    const from = world.clock.now();
    world.first.keeper.start();
    await world.pass(LIFE_MS * 0.75 + 1_000);
    const parts = world.requests().map(({ at }) => (at - from) / LIFE_MS);
    expect(parts).toHaveLength(200);
    expect(Math.min(...parts)).toBeGreaterThanOrEqual(0.6);
    expect(Math.max(...parts)).toBeLessThanOrEqual(0.7501);
    expect(fullestBin(parts)).toBeLessThan(0.15);
  });

  it('renews all of them together in a build without jitter', async () => {
    const world = await makeWorld();
    setSabotage('jitter', true);
    await addMany(world, 200);
    await world.first.keeper.refreshDue();
    for (const { name } of await world.first.keeper.list()) {
      await world.during(world.first.keeper.connection(name).refresh());
    }
    const from = (await world.first.keeper.list()).map(
      ({ nextRefreshAt, receivedAt }) => ((nextRefreshAt ?? 0) - (receivedAt ?? 0)) / LIFE_MS,
    );
    expect(fullestBin(from)).toBe(1);
  });

  it('is not kept awake by the claim of a dead keeper on a token that is not due', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await world.during(connection.refresh());
    const { id } = await connection.status();
    const { keeper, store } = world.first;
    const elsewhere = { ownerId: 'dead', machineId: 'other', bootId: 'other', life: '1', pid: 1 };
    const claim = { owner: elsewhere, attemptId: 'dead', claimedAt: world.clock.now() };
    await store.transition(id, () => ({ result: true, connection: { claim } }), { durable: true });
    const looks = vi.spyOn(store, 'due');
    keeper.start();
    await world.pass(60_000);
    expect(looks.mock.calls.length).toBeLessThanOrEqual(4);
    await world.pass(LIFE_MS);
    expect((await connection.status()).generation).toBe(3);
  });

  it('never lets a caller find an expired token, nor wait, over a day', async () => {
    const world = await makeWorld({ accessLifeSeconds: [3600, 5399] });
    await addMany(world, 20);
    const { keeper } = world.first;
    keeper.start();
    for (let hour = 0; hour < 24; hour++) {
      await world.pass(3_600_000);
      const served = Array.from({ length: 20 }, (_, i) =>
        world.watch(keeper.connection(`c${String(i)}`).token()),
      );
      await world.quiet();
      for (const { value } of served) {
        expect(world.emulator.isAccessTokenAlive(value?.value ?? '')).toBe(true);
      }
    }
  });

  it('follows refresh_in where the server gives it', async () => {
    const world = await makeWorld({ refreshInSeconds: 1_800 });
    const { connection } = await world.add('a', { withoutAccessToken: true });
    world.first.keeper.start();
    await world.pass(1_000);
    const { nextRefreshAt, receivedAt } = await connection.status();
    const wait = (nextRefreshAt ?? 0) - (receivedAt ?? 0);
    expect(wait).toBeGreaterThanOrEqual(1_620_000);
    expect(wait).toBeLessThanOrEqual(1_800_000);
  });

  it('finds within 30 s what another process added', async () => {
    const world = await makeWorld();
    await world.add('a');
    world.first.keeper.start();
    await world.pass(100_000);
    const other = await world.open();
    await world.add('b', { by: other, withoutAccessToken: true });
    await world.pass(30_000);
    expect(world.requestCount()).toBe(1);
  });

  it('costs nothing for connections that are not due', async () => {
    const world = await makeWorld();
    await addMany(world, 300);
    let written = 0;
    let read = 0;
    const { store } = world.first;
    const { transition, read: readOne } = store;
    store.transition = (connectionId, decide, options) => {
      written++;
      return transition.call(store, connectionId, decide, options) as never;
    };
    store.read = (...args) => {
      read++;
      return readOne.apply(store, args);
    };
    world.first.keeper.start();
    await world.pass(LIFE_MS / 2);
    expect({ written, read }).toEqual({ written: 0, read: 0 });
  });

  it('makes no burst when it is started again', async () => {
    const world = await makeWorld();
    await addMany(world, 150);
    world.first.keeper.start();
    await world.pass(LIFE_MS * 0.65);
    const before = world.requestCount();
    const again = await world.restart();
    again.keeper.start();
    await world.pass(10_000);
    expect(before).toBeGreaterThan(25);
    expect(world.requestCount() - before).toBeLessThan(15);
    await world.pass(LIFE_MS * 0.1);
    expect(world.requestCount()).toBe(150);
  });

  it('uses an idle refresh token at half of its idle limit', async () => {
    const hour = 3_600_000;
    const world = await makeWorld({ accessLifeSeconds: 90 * 3_600, idleLimitMs: 10 * hour });
    const { connection } = await world.add('a', { overrides: { idleLimitMs: 10 * hour } });
    world.first.keeper.start();
    await world.pass(60 * hour);
    const at = world.requests().map((entry) => entry.at);
    expect(at).toHaveLength(12);
    for (const [i, instant] of at.slice(1).entries()) {
      expect(instant - (at[i] ?? 0)).toBeLessThanOrEqual(5 * hour + 30_000);
    }
    expect((await connection.status()).state).toBe('active');
  });
});

describe('what cannot move on', () => {
  it('(a request that hangs) holds up nobody else, and closing no longer than it must', async () => {
    const world = await makeWorld();
    const { grant } = await world.add('hanging');
    await addMany(world, 5);
    world.emulator.faults.always('hang-before-commit', { grantId: grant.grantId });
    world.first.keeper.start();
    await world.pass(LIFE_MS * 3);
    for (const { name, freshness } of await world.first.keeper.list()) {
      if (name !== 'hanging') expect([name, freshness]).toEqual([name, 'fresh']);
    }
    expect(world.requestCount({ grantId: grant.grantId })).toBe(1);
    const closing = world.watch(world.first.keeper.close());
    await world.pass(5_000);
    expect(closing.state).toBe('resolved');
  });

  it('(500 connections of a server that is down) does not starve those of another server', async () => {
    const world = await makeWorld();
    await using other = await startEmulator({ clock: world.clock, opaqueAccessTokens: true });
    await addMany(world, 500);
    const grant = await other.issueGrant();
    await world.clock.advance(LIFE_MS, () => Promise.resolve());
    world.emulator.faults.always({ kind: 'throttled', retryAfter: 3_600 });
    const healthy = await world.first.keeper.add('healthy', {
      provider: 'generic',
      client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
      overrides: world.overrides({ tokenEndpoint: other.tokenEndpoint }),
      tokens: { refreshToken: grant.refreshToken ?? '' },
    });
    world.first.keeper.start();
    await world.pass(60_000);
    expect(await healthy.status()).toMatchObject({ freshness: 'fresh' });
  });

  it('(a server that asks to wait) delays nobody else of another server', async () => {
    const world = await makeWorld();
    await using other = await startEmulator({ clock: world.clock, opaqueAccessTokens: true });
    for (const name of ['asks', 'waits', 'waits-too'])
      await world.add(name, { withoutAccessToken: true });
    world.emulator.faults.always({ kind: 'throttled', retryAfter: 3_600 });
    const { refreshToken = '' } = await other.issueGrant();
    const healthy = await world.first.keeper.add('healthy', {
      provider: 'generic',
      client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
      overrides: world.overrides({ tokenEndpoint: other.tokenEndpoint }),
      tokens: { refreshToken },
    });
    world.first.keeper.start();
    await world.pass(5_000);
    const { nextRefreshAt = 0, generation } = await healthy.status();
    await world.pass(nextRefreshAt - world.clock.now() + 1_000);
    expect((await healthy.status()).generation).toBe(generation + 1);
  });

  it('(connections without a refresh token) does not starve the others, and is not looked at again', async () => {
    const world = await makeWorld({
      clients: [{ clientId: 'perspio-demo', clientSecret: 'demo~secret+1' }],
    });
    const { store, keeper } = world.first;
    for (let i = 0; i < 100; i++) {
      const { connection } = await world.add(`c${String(i)}`);
      const { id } = await connection.status();
      await store.transition(
        id,
        ({ connection: { tokens } }) => ({
          result: true,
          ...(tokens && { connection: { tokens: { ...tokens, refreshToken: undefined } } }),
        }),
        { durable: false },
      );
      expect((await connection.status()).nextRefreshAt).toBeUndefined();
    }
    await world.add('good');
    keeper.start();
    await world.pass(LIFE_MS + 60_000);
    expect(await keeper.connection('good').status()).toMatchObject({ freshness: 'fresh' });
    expect(world.requestCount()).toBe(1);
    await expect(keeper.connection('c0').token()).rejects.toMatchObject({
      code: 'ERR_REFRESH_TOKEN_MISSING',
    });
  });
});

describe('refreshing what is due, once', () => {
  it('goes on until everything that was due has been tried', async () => {
    const world = await makeWorld();
    await addMany(world, 150);
    await world.clock.advance(LIFE_MS, () => Promise.resolve());
    const done = await world.during(world.first.keeper.refreshDue());
    expect(done).toHaveLength(150);
    expect(done.every(({ error }) => error === undefined)).toBe(true);
    expect(world.requestCount()).toBe(150);
    expect(await world.first.keeper.refreshDue()).toEqual([]);
  });

  it('tells what could not be tried, and why', async () => {
    const world = await makeWorld();
    await addMany(world, 30);
    await world.clock.advance(LIFE_MS, () => Promise.resolve());
    world.emulator.faults.always({ kind: 'throttled', retryAfter: 3_600 });
    const done = await world.during(world.first.keeper.refreshDue());
    expect(done).toHaveLength(30);
    const codes = done.map(({ error }) => (error as { code?: string } | undefined)?.code);
    expect(codes.every((code) => code?.startsWith('ERR_SERVER_'))).toBe(true);
    expect(world.requestCount()).toBeLessThanOrEqual(10);
  });
});

describe('a clock that jumps', () => {
  const DAY = 86_400_000;

  /** Asks every minute for half an hour; what is handed out must live by the server's clock. */
  async function neverExpired(world: World, name = 'c0'): Promise<void> {
    for (let minute = 0; minute < 30; minute++) {
      const token = await world.during(world.first.keeper.connection(name).token(), 100);
      expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
      await world.pass(60_000);
    }
  }

  it.each([
    ['two hours ahead', 7_200_000],
    ['ten years ahead', 3_652 * DAY],
    ['a day back', -DAY],
    ['an hour back', -3_600_000],
    ['half an hour back', -1_800_000],
  ])('%s while the keeper runs: no expired token, one request a connection', async (_w, jump) => {
    const world = await makeWorld();
    await addMany(world, 20);
    world.first.keeper.start();
    await world.pass(LIFE_MS * 0.55);
    world.first.skewMs = jump;
    await neverExpired(world);
    await neverExpired(world, 'c1');
    const perConnection = world.requestCount() / 20;
    expect(perConnection).toBeLessThanOrEqual(4);
    // And right again.
    world.first.skewMs = 0;
    await neverExpired(world);
    await neverExpired(world, 'c1');
    const at = world.requests().map((entry) => entry.at);
    for (const from of at) {
      expect(at.filter((instant) => instant >= from && instant < from + 1_000).length).toBeLessThan(
        11,
      );
    }
  });

  it('half an hour back hands out expired tokens in a build that does not notice', async () => {
    const world = await makeWorld();
    setSabotage('set-back', true);
    await addMany(world, 20);
    world.first.keeper.start();
    await world.pass(LIFE_MS * 0.55);
    world.first.skewMs = -1_800_000;
    await expect(neverExpired(world)).rejects.toThrow('expected false to be true');
  });

  it.each([
    ['two hours ahead', 7_200_000],
    ['ten years ahead', 3_652 * DAY],
    ['a day back', -DAY],
  ])('%s across a restart: no expired token', async (_what, jump) => {
    const world = await makeWorld();
    await addMany(world, 20);
    const { keeper } = world.first;
    for (let i = 0; i < 20; i++) await world.during(keeper.connection(`c${String(i)}`).refresh());
    await world.pass(LIFE_MS * 0.9);
    const again = await world.restart();
    again.skewMs = jump;
    await neverExpired(world);
    again.keeper.start();
    await neverExpired(world);
    await neverExpired(world, 'c1');
    const fresh = (await again.keeper.list()).filter(({ freshness }) => freshness === 'fresh');
    expect(fresh.length).toBeGreaterThan(18);
  });

  it('ahead in a suspended machine: all are renewed soon after it wakes, ten a second', async () => {
    const world = await makeWorld();
    await addMany(world, 100);
    world.first.keeper.start();
    await world.pass(1_000);
    world.clock.setWall(world.clock.now() + 8 * 3_600_000);
    const token = await world.during(world.first.keeper.connection('c7').token(), 100);
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
    await world.pass(45_000);
    const list = await world.first.keeper.list();
    expect(list.filter(({ freshness }) => freshness === 'fresh')).toHaveLength(100);
    expect(world.requestCount()).toBe(100);
  });

  it('back, with a server that is down: the token is served as long as it truly lives', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await connection.token();
    world.emulator.faults.always({ kind: 'server-error', status: 500 });
    await world.pass(LIFE_MS - EARLY_MS);
    world.first.skewMs = -1_800_000;
    const other = await world.open();
    await world.add('b', { by: other });
    await world.pass(EARLY_MS - 1_000);
    expect((await world.during(connection.token(), 100)).value).toBe(grant.accessToken);
    await world.pass(1_000);
    await expect(world.during(connection.token({ timeoutMs: 500 }))).rejects.toThrow();
  });
});

/** Share of the fullest of 60 equal bins over 60 to 75 %. */
function fullestBin(parts: readonly number[]): number {
  const bins = new Map<number, number>();
  for (const part of parts) {
    const bin = Math.floor(((part - 0.6) / 0.15) * 60);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return Math.max(...bins.values()) / parts.length;
}
