import { expect, it, vi } from 'vitest';
import { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { worldFixture } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();

it('of clients it is told how many connections each has, without reading all of them at once', async () => {
  const world = await makeWorld();
  for (const name of ['a', 'b', 'c']) await world.add(name);
  const list = vi.spyOn(SqliteStore.prototype, 'list');
  const clients = await world.first.keeper.clients();
  const limits = list.mock.calls.map(([options]) => options?.limit ?? Infinity);
  list.mockRestore();
  expect(clients.map(({ connections }) => connections)).toEqual([3]);
  expect(Math.max(...limits)).toBeLessThanOrEqual(1_000);
});
