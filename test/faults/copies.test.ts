import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { bringBack, COPIES } from './experiments/copies.ts';
import { keptHomeAt, LIFE_MS, startServer } from './experiments/servers.ts';

const TRIALS = 8;

it('sends no used-up refresh token of a backup, a copied file or a copied home, and says so', async () => {
  const { counted, violations } = await bringBack({ trials: TRIALS, seed: 0 });
  expect(violations).toEqual([]);
  expect(counted['copies']).toBe(TRIALS * Object.keys(COPIES).length);
}, 240_000);

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
