import fs from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { storeFolders } from '../../support/store-processes.ts';

/*
 * Programs that meet a home for the first time at the same moment: one makes the store, and none may take it for lost, damaged or foreign
 * while it comes into being.
 */

const newFolder = storeFolders();

const PROCESSES = 8;
const ROUNDS = 60;

it('is the same store for eight processes that open it first, at the same moment', async () => {
  const folder = await newFolder();
  const openers = Array.from({ length: PROCESSES }, () => folder.run('open-at-signal'));
  for (const opener of openers) expect(await opener.line()).toBe('ready');
  for (let round = 0; round < ROUNDS; round++) {
    for (const { process } of openers) process.stdin?.write(`round-${String(round)}\n`);
    const found = await Promise.all(openers.map((opener) => opener.line()));
    const [storeId] = found.filter((line) => /^[\w-]{36}$/u.test(line));
    expect(found, `round ${String(round)}`).toEqual(found.map(() => storeId));
  }
  for (const { process } of openers) process.stdin?.end();
  await Promise.all(openers.map((opener) => opener.done()));
}, 300_000);

it.each([0, 1, 32, 33, 0.5, 0.99])(
  'is made anew where its maker was killed after %d of what it wrote first',
  async (share) => {
    const folder = await newFolder();
    await fs.mkdir(path.dirname(folder.file), { mode: 0o700 });
    const begun = path.join(folder.home, 'begun.db');
    const database = new DatabaseSync(begun);
    database.exec('PRAGMA journal_mode = WAL');
    const blank = await fs.readFile(begun);
    database.exec('BEGIN; CREATE TABLE meta (key); CREATE TABLE client (id); COMMIT');
    const wal = await fs.readFile(`${begun}-wal`);
    database.close();
    await fs.writeFile(folder.file, blank, { mode: 0o600 });
    const written = wal.subarray(0, share < 1 ? Math.floor(wal.length * share) : share);
    await fs.writeFile(`${folder.file}-wal`, written, { mode: 0o600 });
    const store = await folder.open();
    expect(await store.list()).toEqual([]);
    expect(await store.findDamage()).toEqual([]);
  },
);
