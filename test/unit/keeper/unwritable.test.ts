import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import type { Connection } from '../../../src/keeper-api.ts';
import { setSabotage } from '../../support/failpoints.ts';
import { EARLY_MS, LIFE_MS, worldFixture, type World } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture({ rotation: 'single-use' });
const strict = { overrides: { rotation: 'single-use' } } as const;

let blocker: DatabaseSync | undefined;

afterEach(() => {
  blocker?.close();
  blocker = undefined;
  setSabotage('awaited-spills', false);
});

/** Keeps every writer out, as another process that was stopped inside a transaction would. @returns lets them in again. */
function block(world: World): () => void {
  blocker ??= new DatabaseSync(path.join(world.home, 'store', 'evergrant.db'));
  blocker.exec('BEGIN IMMEDIATE');
  return () => blocker?.exec('ROLLBACK');
}

async function spills(world: World): Promise<string[]> {
  const names = await readdir(path.join(world.home, 'spill')).catch(() => []);
  return names.filter((name) => name.endsWith('.spill'));
}

/** A request whose answer the emulator holds until the store takes no writes. */
async function answerWithoutStore(world: World, connection: Connection): Promise<() => void> {
  world.emulator.faults.next('hold-after-commit');
  void connection.token({ timeoutMs: 1_000 }).catch(() => undefined);
  await world.emulator.ledger.waitFor(1, { held: true });
  const unblock = block(world);
  world.emulator.faults.release();
  await world.quiet();
  return unblock;
}

/** A connection whose answer lies in a file, for as long as the store takes no writes. */
async function answerInFile(world: World): Promise<{
  readonly connection: Connection;
  readonly unblock: () => void;
  readonly file: string;
}> {
  const { connection } = await world.add('a', strict);
  await world.pass(LIFE_MS);
  const unblock = await answerWithoutStore(world, connection);
  await world.pass(2_000);
  const [name = ''] = await spills(world);
  return { connection, unblock, file: path.join(world.home, 'spill', name) };
}

/**
 * An answer is lost, a person insists, the store does not take the answer to that, and the process ends: it lies in a file, while the connection stays
 * uncertain.
 */
async function insistWithoutStore(world: World): Promise<void> {
  const { connection } = await world.add('a', strict);
  await world.pass(LIFE_MS / 2);
  world.emulator.faults.next('cut-before-commit');
  await world.during(connection.refresh().catch(() => undefined));
  world.emulator.faults.next('hold-after-commit');
  void connection.refresh({ anyway: true, timeoutMs: 1_000 }).catch(() => undefined);
  await world.emulator.ledger.waitFor(1, { held: true });
  const unblock = block(world);
  world.emulator.faults.release();
  await world.quiet();
  await world.pass(2_000);
  await world.close(world.first).catch(() => undefined);
  unblock();
  expect(await spills(world)).toHaveLength(1);
}

describe('a store that takes no writes', () => {
  it('before the request prevents it, and a living token is served all the same', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a', strict);
    await connection.token();
    await world.pass(LIFE_MS - EARLY_MS);
    const unblock = block(world);
    for (let i = 0; i < 10; i++) {
      expect((await world.during(connection.token(), 100)).value).toBe(grant.accessToken);
    }
    await world.pass(EARLY_MS);
    await expect(world.during(connection.token(), 100)).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
    });
    expect(world.requestCount()).toBe(0);
    unblock();
    expect((await connection.token()).generation).toBe(2);
    expect(world.requestCount()).toBe(1);
  });

  it('between claim and intent prevents the request as well', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    const { store } = world.first;
    const { transition } = store;
    let calls = 0;
    let unblock = (): void => undefined;
    store.transition = (connectionId, decide, options) => {
      if (++calls === 2) unblock = block(world);
      return transition.call(store, connectionId, decide, options) as never;
    };
    await expect(world.during(connection.token(), 100)).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
    });
    expect(world.requestCount()).toBe(0);
    unblock();
    // The claim that could not be given back is given back as soon as that is possible.
    await world.pass(1_000);
    expect((await connection.token()).generation).toBe(2);
  });

  it('by a fault that nobody foresaw loses no answer: the next caller finds it in its sealed file', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    const { store } = world.first;
    const { transition } = store;
    store.transition = (connectionId, decide, options) => {
      if (world.requestCount() === 0) {
        return transition.call(store, connectionId, decide, options) as never;
      }
      store.transition = transition;
      throw new TypeError('a fault of ours');
    };
    await expect(world.during(connection.token(), 100)).rejects.toThrow('a fault of ours');
    expect(await spills(world)).toHaveLength(1);
    expect((await world.during(connection.token(), 100)).generation).toBe(2);
    expect(world.requestCount()).toBe(1);
    expect(await spills(world)).toHaveLength(0);
  });

  it('after the request keeps the answer in memory and in a sealed file, and records it when it can', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    const unblock = await answerWithoutStore(world, connection);
    await world.pass(2_000);
    expect(await spills(world)).toHaveLength(1);
    expect(world.first.events.map(({ event }) => event)).toContain('warning');
    // Nobody repeats the request meanwhile.
    const other = await world.open().catch(() => undefined);
    void other?.keeper
      .connection('a')
      .token({ timeoutMs: 1_000 })
      .catch(() => undefined);
    await world.pass(5_000);
    expect(world.requestCount()).toBe(1);
    unblock();
    await world.pass(10_000);
    expect(await spills(world)).toEqual([]);
    const token = await connection.token();
    expect(token.generation).toBe(2);
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
    expect(world.emulator.isRefreshTokenHonoured(grant.refreshToken ?? '')).toBe(false);
    await world.pass(LIFE_MS);
    expect((await connection.token()).generation).toBe(3);
    expect(world.requestCount({ replay: true })).toBe(0);
  });

  it.each([
    ['asks for the token', false],
    ['renews in the background', true],
  ])(
    'and never took the answer: the next keeper finds it when it %s',
    async (_what, background) => {
      const world = await makeWorld();
      const { connection } = await world.add('a', strict);
      await world.pass(LIFE_MS);
      const unblock = await answerWithoutStore(world, connection);
      await world.pass(2_000);
      const { first } = world;
      await world.close(first).catch(() => undefined);
      expect(await spills(world)).toHaveLength(1);
      unblock();
      const next = await world.open();
      if (background) {
        next.keeper.start();
        await world.pass(5_000);
      } else {
        await world.during(next.keeper.connection('a').token(), 100);
      }
      expect(await next.keeper.connection('a').status()).toMatchObject({
        state: 'active',
        generation: 2,
      });
      expect(await spills(world)).toEqual([]);
      expect(world.requestCount()).toBe(1);
      await world.pass(LIFE_MS);
      expect((await next.keeper.connection('a').token()).generation).toBe(3);
      expect(world.requestCount({ replay: true })).toBe(0);
    },
  );

  it('and took a newer grant before the answer: that one stays, the answer is put away', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    const unblock = await answerWithoutStore(world, connection);
    await world.pass(2_000);
    await world.close(world.first).catch(() => undefined);
    unblock();
    await world.open();
    const again = await world.add('a', { ...strict, replace: true });
    world.first.keeper.start();
    await world.pass(5_000);
    expect((await world.first.keeper.connection('a').token()).value).toBe(again.grant.accessToken);
    expect(await spills(world)).toEqual([]);
    const { id } = await world.first.keeper.connection('a').status();
    expect(await world.first.store.leftovers(id)).toMatchObject([{ kind: 'revoke' }]);
  });

  it.each<[string, (connection: Connection) => Promise<{ readonly generation: number }>]>([
    ['asks for the token', (connection) => connection.token()],
    ['orders a refresh', (connection) => connection.refresh()],
  ])(
    'and never took the answer that a person insisted on: it ends the doubt for who %s',
    async (_what, ask) => {
      const world = await makeWorld();
      await world.restart({ settings: { lastTry: false } });
      await insistWithoutStore(world);
      const next = await world.open({ settings: { lastTry: false } });
      const connection = next.keeper.connection('a');
      expect(await connection.status()).toMatchObject({ state: 'uncertain' });
      await world.pass(LIFE_MS / 2);
      expect((await world.during(ask(connection), 100)).generation).toBe(2);
      expect((await connection.status()).state).toBe('active');
      expect(await spills(world)).toEqual([]);
      expect(world.requestCount({ replay: true })).toBe(0);
    },
  );

  it('and never took the answer that a person insisted on: a keeper that is awake finds it', async () => {
    const world = await makeWorld();
    const other = await world.open();
    other.keeper.start();
    await insistWithoutStore(world);
    await world.pass(31_000);
    const { keeper } = other;
    expect(await keeper.connection('a').status()).toMatchObject({ state: 'active', generation: 2 });
    expect(await spills(world)).toEqual([]);
  });

  it('and nobody finds that answer when only what flies is looked at', async () => {
    const world = await makeWorld();
    const other = await world.open();
    other.keeper.start();
    setSabotage('awaited-spills', true);
    await insistWithoutStore(world);
    await world.pass(31_000);
    expect((await other.keeper.connection('a').status()).state).toBe('uncertain');
    expect(await spills(world)).toHaveLength(1);
  });

  it('for one answer that is damaged keeps no other from being found', async () => {
    const world = await makeWorld();
    await insistWithoutStore(world);
    await writeFile(path.join(world.home, 'spill', '0-damaged.spill'), 'no answer', {
      mode: 0o600,
    });
    const next = await world.open();
    next.keeper.start();
    await world.pass(120_000);
    expect(await spills(world)).toEqual(['0-damaged.spill']);
    const warnings = next.events.filter(({ event }) => event === 'warning');
    expect(warnings).toMatchObject([{ detail: { message: /0-damaged.spill is damaged/ } }]);
  });

  it('and never took the answer: a disconnect finds it and revokes what it brought', async () => {
    const world = await makeWorld({ revocationEndpoint: true });
    const revocationEndpoint = world.emulator.tokenEndpoint.replace(/\/token$/, '/revoke');
    const overrides = { ...strict.overrides, revocationEndpoint };
    const { connection } = await world.add('a', { overrides });
    await world.pass(LIFE_MS);
    const unblock = await answerWithoutStore(world, connection);
    await world.pass(2_000);
    await world.close(world.first).catch(() => undefined);
    expect(await spills(world)).toHaveLength(1);
    unblock();
    const { keeper } = await world.open();
    expect(await keeper.connection('a').disconnect()).toMatchObject({ revoked: true });
    expect(world.emulator.ledger.count({ endpoint: 'revocation' })).toBe(2);
    expect(world.emulator.describe().filter(({ alive }) => alive)).toEqual([]);
    expect(await spills(world)).toEqual([]);
  });

  it('and a file that nobody can read keeps no other answer from being put away', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    const damaged = ['0000', 'zzzz'].map((id) => path.join(world.home, 'spill', `${id}.spill`));
    const spoil = async (file = ''): Promise<void> => writeFile(file, '{', { mode: 0o600 });
    const unblock = await answerWithoutStore(world, connection);
    await spoil(damaged[0]);
    await world.pass(2_000);
    await spoil(damaged[1]);
    await world.close(world.first).catch(() => undefined);
    unblock();
    await world.open();
    await world.add('a', { ...strict, replace: true });
    world.first.keeper.start();
    await world.pass(5_000);
    expect(await spills(world)).toHaveLength(2);
    const { id } = await world.first.keeper.connection('a').status();
    expect(await world.first.store.leftovers(id)).toMatchObject([{ kind: 'revoke' }]);
    const told = world.first.events.map(({ detail }) =>
      'message' in detail ? detail.message : '',
    );
    for (const file of damaged) expect(told.join('; ')).toContain(file);
  });

  it('and took it at last: the file goes, also when its keeper ended before it removed it', async () => {
    const world = await makeWorld();
    const { connection, unblock, file } = await answerInFile(world);
    const content = await readFile(file);
    unblock();
    await world.pass(10_000);
    expect((await connection.token()).generation).toBe(2);
    await writeFile(file, content, { mode: 0o600 });
    const next = await world.restart();
    next.keeper.start();
    await world.pass(1_000);
    expect(await spills(world)).toEqual([]);
    const { status, life } = await next.keeper.connection('a').explain();
    expect(life.map(({ event }) => event)).toEqual(['refreshed', 'connected']);
    expect(await next.store.leftovers(status.id)).toEqual([]);
  });

  it('and took it at last: callers are served also when the file cannot be removed', async () => {
    const world = await makeWorld();
    const { connection, unblock, file } = await answerInFile(world);
    await rm(file);
    await mkdir(file);
    const waiting = world.watch(connection.token());
    unblock();
    await world.pass(10_000);
    expect(waiting.value?.generation).toBe(2);
    expect(world.first.events.map(({ event }) => event)).not.toContain('refresh_failed');
  });

  it('until the clock was set back does not make a token of the future of what is recorded then', async () => {
    const world = await makeWorld();
    const { connection, unblock } = await answerInFile(world);
    world.first.skewMs = -5 * LIFE_MS;
    unblock();
    await world.pass(10_000);
    const { generation, accessExpiresAt, nextRefreshAt } = await connection.status();
    const now = world.clock.now() + world.first.skewMs;
    expect(generation).toBe(2);
    expect(accessExpiresAt).toBeLessThanOrEqual(now + LIFE_MS);
    expect(nextRefreshAt).toBeLessThanOrEqual(now);
  });

  it('or cannot be read just after an answer was stored keeps nobody from that answer later', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await connection.token();
    await world.pass(LIFE_MS);
    const { store } = world.first;
    const { read } = store;
    store.read = async (id) => {
      const view = await read.call(store, id);
      if (view?.connection.generation === 2) throw new StoreError('ERR_STORE_UNAVAILABLE', 'gone');
      return view;
    };
    await world.during(
      connection.token({ timeoutMs: 1_000 }).catch(() => undefined),
      100,
    );
    expect(world.requestCount()).toBe(1);
    store.read = read;
    expect((await connection.token({ timeoutMs: 0 })).generation).toBe(2);
  });

  it('prevents the request as well when only the place for the answer cannot be kept', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    const folder = path.join(world.home, 'spill');
    await writeFile(folder, 'in the way');
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' });
    expect(world.requestCount()).toBe(0);
    await rm(folder);
    expect((await connection.token()).generation).toBe(2);
    expect(await readdir(folder)).toEqual(['reserve']);
  });

  it('is noticed before a person is sent to sign in once more', async () => {
    const world = await makeWorld();
    const { authorizationEndpoint } = world.emulator;
    await world.add('a', { overrides: { ...strict.overrides, authorizationEndpoint } });
    const unblock = block(world);
    const shown: string[] = [];
    const left = new AbortController();
    const authorize = ({ url }: { readonly url: string }): void => {
      shown.push(url);
      left.abort();
    };
    const { signal } = left;
    const renewal = world.first.keeper.reconnect('a', { prompt: { authorize }, signal });
    await expect(world.during(renewal, 100)).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' });
    expect(shown).toEqual([]);
    unblock();
  });

  it('because it is full prevents the request', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', strict);
    await world.pass(LIFE_MS);
    const { store } = world.first;
    const { transition } = store;
    store.transition = () => Promise.reject(new StoreError('ERR_STORE_FULL', 'no space left'));
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_STORE_FULL' });
    expect(world.requestCount()).toBe(0);
    store.transition = transition.bind(store);
    expect((await connection.token()).generation).toBe(2);
  });
});
