import { statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { sqliteHome, type SqliteHome } from '../../support/sqlite-home.ts';
import {
  clientRecord,
  connectionRecord,
  lifeEvent,
  tokenSet,
} from '../../support/store-records.ts';

/*
 * What costs more the more connections there are is told by SQLite itself: a statement that reads a table from end to end says so in its
 * plan. No clock is asked.
 */

let home: SqliteHome;
let store: SqliteStore;

beforeEach(async () => {
  home = await sqliteHome();
  store = await home.open();
  await store.putClient(clientRecord(store));
  for (const id of ['a', 'b']) {
    await store.insert(connectionRecord(store, id), lifeEvent('connected'));
  }
});
afterEach(async () => {
  await store.close();
  await home.remove();
});

/** Plans of what is run meanwhile that read a whole table, with the statement. */
async function wholeReads(run: () => Promise<unknown>): Promise<readonly string[]> {
  const prepared = vi.spyOn(DatabaseSync.prototype, 'prepare');
  const before = store;
  store = await home.open(false);
  await before.close();
  await run();
  const statements = new Set(prepared.mock.calls.map(([sql]) => sql));
  prepared.mockRestore();
  expect(statements.size).toBeGreaterThan(5);
  const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'), { readOnly: true });
  const found = [...statements]
    .filter((sql) => !/^PRAGMA|^\s*$/u.test(sql))
    .flatMap((sql) => {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
      const details = plan.map(({ detail }) => String(detail));
      return details.filter((detail) => isWhole(detail, sql)).map((detail) => `${detail}: ${sql}`);
    });
  database.close();
  return found;
}

/** An index that is walked from its end is left at the first row that will do, and so is a table in order of its ids. */
const isWhole = (detail: string, sql: string): boolean =>
  /^SCAN (connection|client|life|leftover|notice)\b/u.test(detail) &&
  !/USING INDEX (connection_due|connection_claimed)/u.test(detail) &&
  !(detail.startsWith('SCAN notice') && /\bLIMIT\b/u.test(sql));

it.each<[string, () => Promise<unknown>]>([
  ['adding a connection', () => store.insert(connectionRecord(store, 'c'), lifeEvent('connected'))],
  ['adding a client', () => store.putClient(clientRecord(store, { id: 'c', clientId: 'c' }))],
  ['looking up a name', () => store.find('a')],
  ['looking up a name that nobody has', () => store.find('nobody')],
  ['giving a connection another name', () => store.rename('a', 'c')],
  [
    'recording a token set with what it brings',
    () =>
      store.transition(
        'a',
        () => ({
          result: true,
          connection: { generation: 2, tokens: tokenSet(store, 'a', 2) },
          life: [lifeEvent('refreshed', 2)],
          notices: [{ kind: 'recovered', actor: 'nobody', at: 1, message: 'm' }],
        }),
        { durable: true },
      ),
  ],
  ['removing a connection', () => store.remove('a', 'grant-1', lifeEvent('removed'))],
  ['the first look at the clock', () => store.remembersAfter(60_000)],
  ['looking for what is due', () => Promise.all([store.due(9e12, 10), store.nextDueAt()])],
  ['looking for notices', () => store.pendingNotices(1, 20)],
])('%s reads no table from end to end', async (_, run) => {
  expect(await wholeReads(run)).toEqual([]);
});

it('keeps no notice that was delivered', async () => {
  const notices = [{ kind: 'recovered', actor: 'nobody', at: 1, message: 'm' }] as const;
  await store.transition('a', () => ({ result: true, notices }), { durable: true });
  for (const { id } of await store.pendingNotices(1, 20)) await store.noticeDelivered(id);
  const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'), { readOnly: true });
  const rows = database
    .prepare(
      'SELECT (SELECT count(*) FROM notice) AS kept, (SELECT count(*) FROM feed WHERE kind IS NOT NULL) AS told',
    )
    .get();
  database.close();
  expect({ ...rows }).toEqual({ kept: 0, told: 1 });
});

it('gives back the room that its log took while somebody read for long', async () => {
  const file = path.join(home.folder, 'evergrant.db');
  const reader = new DatabaseSync(file, { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM life').get();
  const draw = { caller: 'c', keyId: undefined, connection: 'a', verb: 'token' } as const;
  const what = 'x'.repeat(1_000_000);
  for (let at = 0; at < 40; at++) {
    const one = { ...draw, at, what, refusedBecause: undefined, count: 1 };
    await store.access.addDraws([one], 1_000);
  }
  expect(statSync(`${file}-wal`).size).toBeGreaterThan(32_000_000);
  reader.close();
  // The first writes what the log holds into the file, and the next begins it anew.
  for (const name of ['c', 'd', 'e']) await store.rename('b', name);
  expect(statSync(`${file}-wal`).size).toBeLessThan(20_000_000);
});

it('finds a set received ahead of an instant, and a claim taken ahead of it', async () => {
  const tokens = tokenSet(store, 'a', 2, { receivedAt: 50_000 });
  expect(await store.remembersAfter(1_000)).toBe(false);
  await store.transition('a', () => ({ result: true, connection: { tokens, generation: 2 } }), {
    durable: false,
  });
  expect([await store.remembersAfter(49_999), await store.remembersAfter(50_000)]).toEqual([
    true,
    false,
  ]);
  const owner = { ownerId: 'o', machineId: 'm', bootId: 'b', life: 'l', pid: 1 };
  const claim = { owner, attemptId: 'i', claimedAt: 70_000 };
  await store.transition('b', () => ({ result: true, connection: { claim } }), { durable: false });
  expect([await store.remembersAfter(69_999), await store.remembersAfter(70_000)]).toEqual([
    true,
    false,
  ]);
});

it('finds no set ahead once it was renewed', async () => {
  for (const [generation, receivedAt] of [
    [2, 50_000],
    [3, 2_000],
  ] as const) {
    const tokens = tokenSet(store, 'a', generation, { receivedAt });
    await store.transition('a', () => ({ result: true, connection: { tokens, generation } }), {
      durable: false,
    });
  }
  expect(await store.remembersAfter(2_000)).toBe(false);
});
