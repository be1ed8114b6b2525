import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { worldFixture } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();

it('a damaged access token is replaced by a refresh that a person orders, since that needs it for nothing', async () => {
  const world = await makeWorld();
  const { connection } = await world.add('a');
  const database = new DatabaseSync(path.join(world.home, 'store', 'evergrant.db'));
  database.exec('UPDATE connection SET access_token = zeroblob(80)');
  database.close();
  await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_KEY_MISSING' });
  expect((await world.during(connection.refresh())).generation).toBe(2);
  expect((await connection.token()).generation).toBe(2);
});
