import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { StoreError } from '../../../src/errors.ts';
import { storeFolders } from '../../support/store-processes.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';

const newFolder = storeFolders();
const MANY = 3_000;

it('lets others write, and this process do other work, between very many writes', async () => {
  const folder = await newFolder();
  const store = await folder.open();
  await store.putClient(clientRecord(store));
  await store.insert(connectionRecord(store, 'a'), lifeEvent('connected'));
  const other = new DatabaseSync(folder.file);
  other.exec('CREATE TABLE elsewhere (turn INTEGER)');
  const insert = other.prepare('INSERT INTO elsewhere VALUES (?)');

  const at = { isDone: false };
  const results: number[] = [];
  const writes = Array.from({ length: MANY }, async (_, i) => {
    const backoff = { failures: i, notBefore: 0 };
    await store.transition('a', () => ({ result: true, connection: { backoff } }), {
      durable: false,
    });
    results.push(i);
  });
  const all = Promise.all(writes).finally(() => {
    at.isDone = true;
  });
  let turns = 0;
  for (; !at.isDone; turns++) {
    insert.run(turns);
    await nextTurn();
  }
  await all;
  other.close();

  expect(turns).toBeGreaterThan(10);
  expect(results).toEqual(Array.from({ length: MANY }, (_, i) => i));
  expect((await store.read('a'))?.connection.backoff.failures).toBe(MANY - 1);
});

it.each([
  [500, 'goes on with all of them when another process lets go of the store'],
  [3_000, 'tells all of them after a second that another process holds the store'],
])('of very many writes, after %i ms, %s', async (heldMs) => {
  const folder = await newFolder();
  const store = await folder.open();
  await store.putClient(clientRecord(store));
  await store.insert(connectionRecord(store, 'a'), lifeEvent('connected'));
  const other = new DatabaseSync(folder.file);
  other.exec('BEGIN IMMEDIATE');
  const writes = Array.from({ length: MANY }, () =>
    store.transition('a', () => ({ result: true }), { durable: false }),
  );
  const held = setTimeout(() => {
    other.exec('ROLLBACK');
  }, heldMs);
  const settled = await Promise.allSettled(writes);
  clearTimeout(held);
  other.close();
  const ends = new Set(
    settled.map((end) =>
      end.status === 'fulfilled' ? 'written' : (end.reason as StoreError).code,
    ),
  );
  expect([...ends]).toEqual([heldMs < 1_000 ? 'written' : 'ERR_STORE_LOCKED']);
});
