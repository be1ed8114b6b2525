import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import { LIFE_MS, worldFixture } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();
const DAY_MS = 86_400_000;

it('an uncertain connection has its last try within one life of its token, however far the clock was set back', async () => {
  const world = await makeWorld();
  const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
  world.first.keeper.start();
  world.emulator.faults.next('cut-before-commit');
  await expect(world.during(connection.refresh())).rejects.toThrow();
  expect((await connection.status()).state).toBe('uncertain');
  world.first.skewMs = -DAY_MS;
  await world.pass(LIFE_MS + 60_000);
  expect((await connection.status()).state).toBe('active');
});

it('tokens that came while the clock was set back live as long as they truly do, and come due in time', async () => {
  const world = await makeWorld();
  const { connection } = await world.add('a');
  world.emulator.faults.next('hold-before-commit');
  const refreshed = world.watch(connection.refresh());
  await world.pass(1_000);
  world.first.skewMs = -DAY_MS;
  world.emulator.faults.release();
  await world.quiet();
  expect(refreshed.state).toBe('resolved');
  const { accessExpiresAt, nextRefreshAt } = await connection.status();
  const now = world.clock.now() - DAY_MS;
  expect(accessExpiresAt).toBe(now - 1_000 + LIFE_MS);
  expect(nextRefreshAt).toBeLessThan(now + LIFE_MS);
});

it('the claim of a dead keeper is taken over in the background, although it seems to be taken in the future', async () => {
  const world = await makeWorld();
  const { connection } = await world.add('a', { withoutAccessToken: true });
  const { id } = await connection.status();
  const elsewhere = { ownerId: 'dead', machineId: 'other', bootId: 'other', life: '1', pid: 1 };
  const claim = { owner: elsewhere, attemptId: 'dead', claimedAt: world.clock.now() };
  await world.first.store.transition(id, () => ({ result: true, connection: { claim } }), {
    durable: true,
  });
  await world.pass(1_000);
  const later = await world.restart();
  later.skewMs = -DAY_MS;
  later.keeper.start();
  await world.pass(60_000);
  expect((await later.keeper.connection('a').status()).generation).toBe(2);
});

it('tokens come due in time, although the store could not be read when it was noticed', async () => {
  const world = await makeWorld();
  const { connection } = await world.add('a');
  await world.during(connection.refresh());
  const { keeper, store } = world.first;
  keeper.start();
  await world.pass(100_000);
  const { ids } = store;
  store.ids = () => Promise.reject(new StoreError('ERR_STORE_LOCKED', 'it is locked'));
  world.first.skewMs = -DAY_MS;
  await world.pass(31_000);
  expect(world.first.events.at(-1)?.detail).toMatchObject({ message: 'it is locked' });
  store.ids = ids;
  await world.pass(60_000);
  expect((await connection.status()).generation).toBe(3);
});

it('a damaged connection keeps no other from coming due in time', async () => {
  const world = await makeWorld();
  for (const name of ['a', 'b', 'c']) {
    await world.during((await world.add(name)).connection.refresh());
  }
  world.first.keeper.start();
  await world.pass(100_000);
  const database = new DatabaseSync(path.join(world.home, 'store', 'evergrant.db'));
  database.exec(`UPDATE connection SET token_set = '{}' WHERE name = 'b'`);
  database.close();
  world.first.skewMs = -DAY_MS;
  await world.pass(90_000);
  for (const name of ['a', 'c']) {
    expect((await world.first.keeper.connection(name).status()).generation).toBe(3);
  }
  await world.pass(300_000);
  const told = world.first.events.filter(({ event }) => event === 'warning');
  expect(told.length).toBeLessThan(4);
  expect(world.requestCount()).toBe(5);
});
