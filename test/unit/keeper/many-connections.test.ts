import { expect, it } from 'vitest';
import { EARLY_MS, LIFE_MS, worldFixture } from '../../support/keeper-under-test.ts';

/*
 * A handle remembers the token that it served last, and a token its own promise. Nobody may notice, whatever becomes of the connection.
 */

const makeWorld = worldFixture();

it('a handle made for one call and one that is held serve the same', async () => {
  const world = await makeWorld();
  const { connection, grant } = await world.add('a');
  for (let i = 0; i < 3; i++) {
    expect((await connection.token()).value).toBe(grant.accessToken);
    expect(await world.first.keeper.connection('a').token()).toBe(await connection.token());
  }
});

it('all handles of a connection see its refresh, its disconnection and the one that takes its name', async () => {
  const world = await makeWorld();
  await world.add('a');
  const handles = Array.from({ length: 3 }, () => world.first.keeper.connection('a'));
  const askAll = () => Promise.all(handles.map((handle) => handle.token()));
  for (let i = 0; i < 3; i++) await askAll();
  await handles[0]?.refresh();
  expect((await askAll()).map(({ generation }) => generation)).toEqual([2, 2, 2]);
  await handles[1]?.disconnect();
  for (const handle of handles) {
    await expect(handle.token()).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
  }
  const { grant } = await world.add('a');
  expect((await askAll()).map(({ value }) => value)).toEqual(Array(3).fill(grant.accessToken));
});

it('a token says its expiry to the millisecond, and serves on through many windows up to its early expiry', async () => {
  const world = await makeWorld();
  const { connection } = await world.add('a');
  const { accessExpiresAt } = await connection.status();
  for (let i = 0; i < 10; i++) {
    expect((await connection.token()).expiresAt).toBe(accessExpiresAt);
    await world.pass((LIFE_MS - EARLY_MS) / 10 - 1);
  }
  expect((await connection.token()).generation).toBe(1);
});
