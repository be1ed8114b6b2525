import { describe, expect, it, vi } from 'vitest';
import { EARLY_MS, LIFE_MS, worldFixture, type World } from '../../support/keeper-under-test.ts';
import { timesAsMuch } from '../../support/times.ts';

vi.setConfig({ testTimeout: 90_000 * timesAsMuch() });

const makeWorld = worldFixture();

describe('before its early expiry a token is served at once', () => {
  it('to the millisecond, without a request', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await world.pass(LIFE_MS - EARLY_MS - 1);
    expect((await connection.token()).value).toBe(grant.accessToken);
    expect(world.requestCount()).toBe(0);
    await world.pass(1);
    expect((await connection.token()).value).not.toBe(grant.accessToken);
    expect(world.requestCount()).toBe(1);
  });

  it.each<[string, (world: World) => Promise<void> | void]>([
    [
      'the connection is paused',
      async (world) => {
        await world.first.keeper.connection('a').pause();
      },
    ],
    [
      'the grant was refused',
      async (world) => {
        world.emulator.revokeUser('demo@perspio.io');
        await world.first.keeper
          .connection('a')
          .refresh()
          .catch(() => undefined);
      },
    ],
    [
      'the client was refused',
      async (world) => {
        world.emulator.expireClientSecret('perspio-demo');
        await world.first.keeper
          .connection('a')
          .refresh()
          .catch(() => undefined);
      },
    ],
    [
      'the outcome of a request is uncertain',
      async (world) => {
        world.emulator.faults.next('cut-after-commit');
        await world.first.keeper
          .connection('a')
          .refresh()
          .catch(() => undefined);
      },
    ],
    [
      'the server hangs',
      (world) => {
        world.emulator.faults.always('hang-before-commit');
        void world.first.keeper
          .connection('a')
          .refresh()
          .catch(() => undefined);
      },
    ],
  ])('although %s', async (_what, happens) => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await happens(world);
    await world.quiet();
    for (const restarted of [false, true]) {
      // A hanging request would keep its keeper open.
      if (restarted) await world.open();
      const at = restarted ? (world.keepers[1]?.keeper.connection('a') ?? connection) : connection;
      const requests = world.requestCount();
      const served = world.watch(at.token());
      await world.quiet();
      expect(served.value?.value).toBe(grant.accessToken);
      expect(world.requestCount()).toBe(requests);
    }
  });
});

describe('between early and true expiry', () => {
  it('a caller waits for a newer token, 5 s at most, and is served the old one', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await world.pass(LIFE_MS - EARLY_MS);
    world.emulator.faults.always('hang-before-commit');
    const waiting = world.watch(connection.token());
    await world.pass(4_999);
    expect(waiting.state).toBe('pending');
    await world.pass(1);
    expect(waiting.value?.value).toBe(grant.accessToken);
  });

  it('a caller whose token expires during that wait waits on, as long as it would without one', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await world.pass(LIFE_MS - 2_000);
    world.emulator.faults.next('hold-before-commit');
    const waiting = world.watch(connection.token());
    await world.pass(20_000);
    expect(waiting.state).toBe('pending');
    world.emulator.faults.release();
    await world.quiet();
    expect(waiting.value?.value).not.toBe(grant.accessToken);
    expect(waiting.value?.generation).toBe(2);
  });

  it('nobody else waits while that request hangs', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await world.pass(LIFE_MS - EARLY_MS);
    world.emulator.faults.always('hang-before-commit');
    await world.during(connection.token());
    const before = world.clock.now();
    while (world.clock.now() < before + 240_000) {
      const served = world.watch(connection.token());
      await world.quiet();
      expect(served.value?.value).toBe(grant.accessToken);
      await world.pass(10_000);
    }
    expect(world.requestCount()).toBe(1);
  });

  it('callers wait once per back-off period when the server fails', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await world.pass(LIFE_MS - EARLY_MS);
    world.emulator.faults.always({ kind: 'server-error', status: 503 });
    for (let seconds = 0; seconds < 290; seconds++) {
      const tokens = await Promise.all(Array.from({ length: 20 }, () => connection.token()));
      expect(new Set(tokens.map(({ value }) => value))).toEqual(new Set([grant.accessToken]));
      await world.pass(1_000);
    }
    // 2, 4, 8, 16, … s with full jitter.
    expect(world.requestCount()).toBeGreaterThan(5);
    expect(world.requestCount()).toBeLessThan(40);
    const at = world.requests().map((entry) => entry.at);
    for (const [i, instant] of at.slice(1).entries()) {
      expect(instant - (at[i] ?? 0)).toBeGreaterThanOrEqual(1_000);
    }
  });

  it('a failing refresh becomes an error only when the token has truly expired', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    world.emulator.faults.always({ kind: 'server-error', status: 500 });
    await world.pass(LIFE_MS - 1);
    expect((await connection.token()).value).toBe(grant.accessToken);
    await world.pass(1);
    await expect(world.during(connection.token({ timeoutMs: 0 }))).rejects.toMatchObject({
      name: 'ServerUnavailableError',
    });
  });

  it('a store that cannot be read does not withhold the token', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await connection.token();
    const { store } = world.first;
    store.read = () => Promise.reject(new Error('the disk is gone'));
    store.find = () => Promise.reject(new Error('the disk is gone'));
    store.transition = () => Promise.reject(new Error('the disk is gone'));
    await world.open();
    await world.keepers[1]?.keeper.connection('a').pause();
    await world.pass(LIFE_MS - EARLY_MS + 1);
    expect((await connection.token()).value).toBe(grant.accessToken);
  });
});

describe('a demanded remaining life', () => {
  it('that no new token has is refused by name, and nothing is sent', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await connection.refresh();
    await expect(connection.token({ minLifeMs: LIFE_MS + 1 })).rejects.toMatchObject({
      code: 'ERR_MIN_LIFE_TOO_LONG',
      message: expect.stringContaining('lives 1h when new') as unknown,
    });
    await world.pass(1_000);
    expect(world.requestCount()).toBe(1);
  });

  it('is no fault while the token was imported, when nobody knows how long it lived before: it causes one request', async () => {
    const world = await makeWorld();
    const grant = await world.emulator.issueGrant({ clientId: 'perspio-demo' });
    await world.pass(LIFE_MS / 2);
    const connection = await world.import('a', grant);
    const half = await connection.token({ minLifeMs: LIFE_MS / 2 });
    expect(half.value).toBe(grant.accessToken);
    expect(world.requestCount()).toBe(0);
    const demand = { minLifeMs: LIFE_MS * 0.75 };
    expect((await connection.token(demand)).generation).toBe(2);
    expect((await connection.token(demand)).generation).toBe(2);
    expect(world.requestCount()).toBe(1);
    const tooLong = connection.token({ minLifeMs: LIFE_MS + 1 });
    await expect(tooLong).rejects.toHaveProperty('code', 'ERR_MIN_LIFE_TOO_LONG');
    expect(world.requestCount()).toBe(1);
  });

  it('is no fault while a refresh token alone was imported, whatever life is assumed', async () => {
    const world = await makeWorld({ accessLifeSeconds: 7_200 });
    const { connection } = await world.add('a', { withoutAccessToken: true });
    const token = await connection.token({ minLifeMs: 5_400_000 });
    expect(token.expiresAt - world.clock.now()).toBe(7_200_000);
    expect(world.requestCount()).toBe(1);
  });

  it('causes one request for all who demand it', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await world.pass(LIFE_MS / 2);
    const demand = { minLifeMs: LIFE_MS / 2 + 1 };
    const tokens = await Promise.all(Array.from({ length: 50 }, () => connection.token(demand)));
    expect(new Set(tokens.map(({ generation }) => generation))).toEqual(new Set([2]));
    expect(world.requestCount()).toBe(1);
    await world.pass(LIFE_MS / 2 - 1);
    await connection.token(demand);
    expect(world.requestCount()).toBe(1);
  });

  it.each([
    ['as long as the life issued', 0],
    ['a millisecond less', 1],
    ['half a minute less', 30_000],
  ])('(%s) causes one request, and the new token meets it for a while', async (_what, less) => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await world.pass(LIFE_MS / 2);
    const demand = { minLifeMs: LIFE_MS - less };
    for (let call = 0; call < 20; call++) {
      expect((await connection.token(demand)).generation).toBe(2);
      await world.pass(3_000);
    }
    const other = await world.open();
    expect((await other.keeper.connection('a').token(demand)).generation).toBe(2);
    await world.pass(1);
    expect((await connection.token(demand)).generation).toBe(3);
    expect(world.requestCount()).toBe(2);
  });

  it('is met for a tenth of a short life', async () => {
    const world = await makeWorld({ accessLifeSeconds: 100 });
    const { connection } = await world.add('a');
    await connection.refresh();
    await world.pass(10_000);
    expect((await connection.token({ minLifeMs: 100_000 })).generation).toBe(2);
    await world.pass(1);
    expect((await connection.token({ minLifeMs: 100_000 })).generation).toBe(3);
    expect((await connection.token({ minLifeMs: 100_000 })).generation).toBe(3);
    expect(world.requestCount()).toBe(2);
  });

  it('is met by the token at hand as long as that lives so long', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await world.pass(1_000);
    expect((await connection.token({ minLifeMs: LIFE_MS - 1_000 })).value).toBe(grant.accessToken);
    expect(world.requestCount()).toBe(0);
  });

  it('does not cause a storm when the server fails: the living token is served', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    world.emulator.faults.always({ kind: 'server-error', status: 500 });
    await world.pass(LIFE_MS / 2);
    for (let i = 0; i < 500; i++) {
      const token = await connection.token({ minLifeMs: LIFE_MS * 0.75 });
      expect(token.value).toBe(grant.accessToken);
    }
    expect(world.requestCount()).toBe(1);
  });
});

describe('what expires_in says', () => {
  const HOUR = 3_600_000;

  /** One refresh whose answer says `value`; resolves to what the caller got. */
  async function refreshed(world: World, value: unknown): Promise<number> {
    const { connection } = await world.add('a', { withoutAccessToken: true });
    world.emulator.faults.always({ kind: 'expires-in', value });
    const token = await connection.token();
    return token.expiresAt - world.clock.now();
  }

  it.each<[string, unknown, number]>([
    ['nothing, an hour is assumed', null, HOUR],
    ['"3600", it is read as a number', '3600', HOUR],
    ['-1, it is ignored and an hour is assumed', -1, HOUR],
    ['1e20, it is ignored and an hour is assumed', 1e20, HOUR],
    ['a list, it is ignored and an hour is assumed', [3600], HOUR],
    ['0.5, the token is good for half a second', 0.5, 500],
    ['120, a quarter of it counts as early', 120, 120_000],
  ])('%s', async (_what, value, life) => {
    const world = await makeWorld();
    expect(await refreshed(world, value)).toBe(life);
    const requests = world.requestCount();
    const margin = Math.min(Math.max(60_000, Math.min(300_000, life / 10)), life / 4);
    await world.clock.advance(life - margin - 1);
    await world.first.keeper.connection('a').token();
    expect(world.requestCount()).toBe(requests);
    await world.clock.advance(1);
    await world.first.keeper.connection('a').token();
    expect(world.requestCount()).toBe(requests + 1);
  });

  it('0, the token is not served, and the next request waits', async () => {
    const world = await makeWorld();
    await expect(refreshed(world, 0)).rejects.toMatchObject({ code: 'ERR_RESPONSE_INVALID' });
    const { connection } = { connection: world.first.keeper.connection('a') };
    for (let i = 0; i < 100; i++) {
      await expect(connection.token({ timeoutMs: 0 })).rejects.toThrow();
      await world.quiet();
    }
    expect(world.requestCount()).toBe(1);
    world.first.keeper.start();
    await world.pass(HOUR);
    expect(world.requestCount()).toBeLessThan(60);
    world.emulator.faults.clear();
    await world.pass(HOUR);
    expect(world.emulator.isAccessTokenAlive((await connection.token()).value)).toBe(true);
  });

  it.each([0, 0.001, 0.5])(
    '%d, a keeper in the background makes no more than one request a second',
    async (value) => {
      const world = await makeWorld();
      await world.add('a', { withoutAccessToken: true });
      world.emulator.faults.always({ kind: 'expires-in', value });
      world.first.keeper.start();
      await world.pass(59_500);
      expect(world.requestCount()).toBeGreaterThan(0);
      expect(world.requestCount()).toBeLessThanOrEqual(60);
    },
  );
});

describe('an API whose clock differs by 90 s either way', () => {
  const lives = 500 * timesAsMuch();

  it('never gets an expired token over 500 lives', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    let token = await connection.token();
    let issued = 1;
    while (issued < lives) {
      await world.clock.advance(29_000, () => Promise.resolve());
      token = await connection.token();
      issued = token.generation;
      expect(token.expiresAt - (world.clock.now() + 90_000)).toBeGreaterThan(0);
      // Straight to where it matters.
      const left = token.expiresAt - world.clock.now() - EARLY_MS - 60_000;
      if (left > 0) await world.clock.advance(left, () => Promise.resolve());
    }
    expect(world.requestCount()).toBe(lives - 1);
  });
});

it('a caller of a server that answers more slowly than its tokens live is told so after two requests', async () => {
  const world = await makeWorld({ accessLifeSeconds: 1 });
  const { connection } = await world.add('a', { withoutAccessToken: true });
  world.emulator.faults.always('hold-after-commit');
  const waiting = world.watch(connection.token());
  for (let answers = 0; answers < 5; answers++) {
    await world.pass(1_500);
    world.emulator.faults.release();
    await world.quiet();
  }
  expect(waiting.error).toMatchObject({
    code: 'ERR_SERVER_FAILED',
    message: expect.stringContaining('answers so late') as unknown,
  });
  expect(world.requestCount()).toBe(2);
});
