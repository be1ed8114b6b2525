import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { keptHomeAt, LIFE_MS, startServer } from './experiments/servers.ts';

/*
 * A store that was restored or copied holds a refresh token that was used up since. To send it would revoke the grant.
 */

const TRIALS = 8;

it('sends no used-up refresh token of a store that was restored in place of a newer one', async () => {
  await using server = await startServer();
  for (let trial = 0; trial < TRIALS; trial++) {
    const { home: made, grantId } = await keptHomeAt(server, 'single-use');
    await using home = made;
    const file = path.join(home.path, 'store', 'evergrant.db');
    const copy = path.join(home.path, 'backup.db');
    const isBackup = trial % 2 === 0;
    if (isBackup) await home.visit((_, { store }) => store.backup(copy));
    else await cp(file, copy);
    home.aheadMs += LIFE_MS;
    expect(await home.token()).toMatchObject({ generation: 2 });

    await writeFile(file, await readFile(copy));
    home.aheadMs += LIFE_MS;
    expect(await home.token()).toMatchObject({ code: 'ERR_OUTCOME_UNCERTAIN' });
    const { connection, notices } = await home.look();
    expect(connection.state).toMatchObject({ kind: 'uncertain', lastTry: false });
    expect(notices).toEqual(['store_copied']);
    expect(await server.ledger.count({ endpoint: 'token', grantId })).toBe(1);
  }
});

it('sends no used-up refresh token of a home that was copied while the original went on', async () => {
  await using server = await startServer();
  for (let trial = 0; trial < TRIALS; trial++) {
    const { home: made, grantId } = await keptHomeAt(server, 'single-use');
    await using home = made;
    const copy = `${home.path}-copy`;
    await cp(home.path, copy, { recursive: true, preserveTimestamps: true });
    home.aheadMs += LIFE_MS;
    expect(await home.token()).toMatchObject({ generation: 2 });

    await rm(home.path, { recursive: true });
    await cp(copy, home.path, { recursive: true, preserveTimestamps: true });
    home.aheadMs += LIFE_MS;
    expect(await home.token()).toMatchObject({ code: 'ERR_OUTCOME_UNCERTAIN' });
    expect(await server.ledger.count({ endpoint: 'token', grantId })).toBe(1);
  }
});

it('goes on by itself where the refresh token may be used again', async () => {
  await using server = await startServer();
  const { home: made } = await keptHomeAt(server, 'reusable');
  await using home = made;
  const copy = path.join(home.path, 'backup.db');
  await home.visit((_, { store }) => store.backup(copy));
  home.aheadMs += LIFE_MS;
  await home.token();
  await writeFile(path.join(home.path, 'store', 'evergrant.db'), await readFile(copy));
  home.aheadMs += LIFE_MS;
  expect(await home.token()).toMatchObject({ generation: 2 });
});

it('goes on when the operator accepts a copy whose original was not used since', async () => {
  await using server = await startServer();
  const { home: made } = await keptHomeAt(server, 'single-use');
  await using home = made;
  const copy = path.join(home.path, 'backup.db');
  await home.visit((_, { store }) => store.backup(copy));
  await writeFile(path.join(home.path, 'store', 'evergrant.db'), await readFile(copy));
  expect(await home.visit((_, { store }) => store.acceptCopy())).toBe(1);
  home.aheadMs += LIFE_MS;
  expect(await home.token()).toMatchObject({ generation: 2 });
});
