import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../src/emulator/emulator.ts';
import { StoreError } from '../../../src/errors.ts';
import {
  LIFE_MS,
  worldFixture,
  type TestKeeper,
  type World,
} from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture({ rotation: 'single-use', revokesFamily: false });
const strict = { overrides: { rotation: 'single-use' } } as const;

function names({ events }: TestKeeper): string[] {
  return events.map(({ event }) => event).filter((event) => event.startsWith('refresh'));
}

describe('events come in pairs', () => {
  it.each<[string, Fault | undefined, string]>([
    ['a new token', undefined, 'refreshed'],
    ['a refused grant', 70008, 'refresh_failed'],
    ['a refused client', 7000215, 'refresh_failed'],
    ['a throttle', 'throttled', 'refresh_failed'],
    ['a failing server', { kind: 'server-error', status: 500 }, 'refresh_failed'],
    ['a lost answer', 'cut-after-commit', 'refresh_failed'],
    ['an unreadable answer', 'not-json', 'refresh_failed'],
    ['a token of unknown type', { kind: 'token-type', value: 'mac' }, 'refreshed'],
  ])('for %s', async (_what, fault, end) => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    if (fault !== undefined) world.emulator.faults.next(fault);
    await world.during(
      connection.token({ timeoutMs: 100 }).catch(() => undefined),
      20,
    );
    expect(names(world.first)).toEqual(['refreshing', end]);
  });

  it('also where the server cannot be reached', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.emulator.close();
    await world.pass(LIFE_MS);
    await world.during(
      connection.token({ timeoutMs: 100 }).catch(() => undefined),
      20,
    );
    expect(names(world.first)).toEqual(['refreshing', 'refresh_failed']);
  });

  it('also for one who was overtaken', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    world.emulator.faults.next('hold-after-commit');
    const waiting = connection.token();
    await world.emulator.ledger.waitFor(1, { held: true });
    await world.add('a', { ...strict, replace: true });
    world.emulator.faults.release();
    await waiting;
    expect(names(world.first)).toEqual(['refreshing', 'refresh_failed']);
    expect(world.first.events.at(-1)?.detail).toMatchObject({ outcome: 'superseded' });
  });

  it('also where the answer could not be written', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    world.emulator.faults.next('throttled');
    const { store } = world.first;
    const { transition } = store;
    let calls = 0;
    store.transition = (connectionId, decide, options) => {
      // Claim and intent are written, the verdict is not.
      if (++calls > 2) return Promise.reject(new TypeError('a defect'));
      return transition.call(store, connectionId, decide, options) as never;
    };
    await connection.token({ timeoutMs: 100 }).catch(() => undefined);
    expect(names(world.first)).toEqual(['refreshing', 'refresh_failed']);
  });

  it('and a person\u2019s order was done, though the store could not be read once afterwards', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    const { store } = world.first;
    const { read } = store;
    let failures = 0;
    store.read = (...args) => {
      const isJustRecorded = names(world.first).includes('refreshed') && failures++ < 2;
      if (!isJustRecorded) return read.apply(store, args);
      return Promise.reject(new StoreError('ERR_STORE_UNAVAILABLE', 'reading failed'));
    };
    expect(await connection.refresh()).toMatchObject({ generation: 2 });
    expect(failures).toBeGreaterThan(1);
    expect(world.requestCount()).toBe(1);
  });

  it('and tell when it is tried again', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: { rotation: 'reusable' } });
    await world.pass(LIFE_MS);
    world.emulator.faults.next({ kind: 'throttled', retryAfter: 30 });
    await connection.token({ timeoutMs: 0 }).catch(() => undefined);
    await world.quiet();
    const failed = world.first.events.find(({ event }) => event === 'refresh_failed');
    const { retryAt } = failed?.detail as { retryAt: number };
    expect(retryAt - world.clock.now()).toBeGreaterThanOrEqual(30_000);
  });

  it('a listener that throws stops nobody else', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    const unhandled: unknown[] = [];
    const collect = (error: unknown): void => void unhandled.push(error);
    process.once('unhandledRejection', collect);
    world.first.keeper.on('refreshing', () => {
      throw new Error('a faulty listener');
    });
    await world.pass(LIFE_MS);
    expect((await connection.token()).generation).toBe(2);
    await world.quiet();
    expect(unhandled).toMatchObject([{ message: 'a faulty listener' }]);
    process.off('unhandledRejection', collect);
  });
});

it('a listener that throws does not end the process before the answer under way is recorded', async () => {
  const world = await makeWorld();
  const { connection } = await world.add('a', strict);
  const told: string[][] = [];
  const collect = (): void => void told.push(names(world.first));
  process.once('unhandledRejection', collect);
  world.first.keeper.on('refreshing', () => {
    throw new Error('a faulty listener');
  });
  await world.pass(LIFE_MS);
  await connection.token();
  await world.quiet();
  process.off('unhandledRejection', collect);
  expect(told).toEqual([['refreshing', 'refreshed']]);
});

describe('the explanation of a connection', () => {
  async function explained(
    prepare: (world: World) => Promise<unknown>,
  ): Promise<{ readonly cause: string; readonly fix: string; readonly confidence: string }> {
    const world = await makeWorld();
    await world.add('a', strict);
    await prepare(world);
    await world.quiet();
    return world.first.keeper.connection('a').explain();
  }
  const refresh = (world: World): Promise<unknown> =>
    world.first.keeper
      .connection('a')
      .refresh({ timeoutMs: 0 })
      .catch(() => undefined)
      .then(() => world.quiet());
  const failing =
    (fault: Fault) =>
    async (world: World): Promise<void> => {
      world.emulator.faults.next(fault);
      await refresh(world);
    };

  it.each<[string, (world: World) => Promise<unknown>, RegExp, RegExp, string]>([
    ['that works', async () => undefined, /^It works/, /^Nothing/, 'certain'],
    [
      'that nobody renewed',
      (world) => world.pass(LIFE_MS),
      /run out/,
      /refreshed by the next evergrant token a$/,
      'likely',
    ],
    [
      'that is paused',
      (world) => world.first.keeper.connection('a').pause(),
      /paused/,
      /evergrant resume a/,
      'certain',
    ],
    ['whose grant was refused', failing(50173), /\w/, /sign in|[Cc]onnect again/, 'likely'],
    [
      'whose client was refused',
      failing(7000222),
      /refuses the client/,
      /client set-secret/,
      'certain',
    ],
    [
      'whose server throttles',
      failing('throttled'),
      /asked to wait.*still works/,
      /by itself/,
      'certain',
    ],
    [
      'whose server is left alone because another connection was refused there',
      async (world) => {
        const other = await world.add('b', strict);
        await world.pass(LIFE_MS);
        world.emulator.faults.next({ kind: 'throttled', retryAfter: 60 });
        await other.connection.token({ timeoutMs: 0 }).catch(() => undefined);
      },
      /^The server is left alone until \d{4}-.*Z: the server asked to wait\.$/,
      /^Nothing: it is tried again by itself/,
      'certain',
    ],
    [
      'whose answer was lost',
      failing('cut-after-commit'),
      /got no answer that could be stored/,
      /tried once more/,
      'likely',
    ],
    [
      'that was refused after a lost answer',
      async (world) => {
        await failing('cut-after-commit')(world);
        await world.pass(LIFE_MS);
        await refresh(world);
      },
      /lost/,
      /[Cc]onnect again|sign in/,
      'possible',
    ],
    [
      'that is being refreshed',
      async (world) => {
        world.emulator.faults.next('hold-after-commit');
        void refresh(world);
        await world.emulator.ledger.waitFor(1, { held: true });
      },
      /being refreshed by process \d+/,
      /^Nothing/,
      'certain',
    ],
    [
      'whose refresh was left by a process that ended',
      async (world) => {
        const { keeper, store } = world.first;
        const { id } = await keeper.connection('a').status();
        const owner = { ownerId: 'o', machineId: 'other', bootId: 'other', life: '1', pid: 1 };
        const claim = { owner, attemptId: 'left', claimedAt: world.clock.now() };
        const change = { result: true, connection: { claim } };
        await store.transition(id, () => change, { durable: true });
        await world.pass(LIFE_MS);
      },
      /run out/,
      /refreshed by the next evergrant token a$/,
      'likely',
    ],
  ])('%s names cause, certainty and fix', async (_what, prepare, cause, fix, confidence) => {
    const told = await explained(prepare);
    expect(told.cause).toMatch(cause);
    expect(told.fix).toMatch(fix);
    expect(told.confidence).toBe(confidence);
  });

  it('counts its life backwards, with who did it and a fingerprint', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await connection.refresh();
    await connection.pause();
    await connection.resume();
    await connection.rename('b');
    const { life } = await world.first.keeper.connection('b').explain();
    expect(life.map(({ event }) => event)).toEqual([
      'renamed',
      'resumed',
      'paused',
      'refreshed',
      'connected',
    ]);
    expect(life.every(({ by }) => /pid \d+/.test(by))).toBe(true);
    expect(life.map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 1]);
    expect(life[0]?.fingerprint).toMatch(/^[0-9a-f]{8}$/);
    expect(life[0]?.fingerprint).not.toBe(life[4]?.fingerprint);
  });

  it('tells of no new name where it is the one it has', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await connection.rename('a');
    expect((await connection.explain()).life.map(({ event }) => event)).toEqual(['connected']);
    await expect(world.first.keeper.connection('b').rename('b')).rejects.toMatchObject({
      code: 'ERR_CONNECTION_UNKNOWN',
    });
  });
});

describe('what is handed out', () => {
  it('prints no secret, however it is printed', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a', strict);
    const token = await connection.token();
    const texts: string[] = [];
    const show = (value: unknown): void => {
      texts.push(
        inspect(value, { depth: Infinity, showHidden: true }),
        JSON.stringify(value),
        String(value),
      );
    };
    show(token);
    show(await connection.status());
    show(await connection.explain());
    show(await world.first.keeper.clients());
    show(connection);
    world.emulator.revokeUser('demo@perspio.io');
    show(await connection.refresh().catch((error: unknown) => error));
    world.emulator.expireClientSecret('perspio-demo');
    await connection.resume();
    show(await connection.refresh().catch((error: unknown) => error));
    show(world.first.events);
    expect(token.value).toBe(grant.accessToken);
    expect(token.authorization).toBe(`Bearer ${grant.accessToken}`);
    for (const secret of [grant.accessToken, grant.refreshToken ?? '?', 'demo~secret+1']) {
      for (const text of texts) expect(text).not.toContain(secret);
    }
  });
});
