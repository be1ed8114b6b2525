import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APPLICATION_ID, MIGRATIONS } from '../../../src/store/sqlite/schema.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { sqliteHome, type SqliteHome } from '../../support/sqlite-home.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';

/*
 * A store that an older evergrant wrote, and one that a newer evergrant writes while this one has it open.
 */

let home: SqliteHome;
let store: SqliteStore;
let file: string;

beforeEach(async () => {
  home = await sqliteHome();
  file = path.join(home.folder, 'evergrant.db');
  store = await home.open();
  await store.putClient(clientRecord(store));
  await store.insert(connectionRecord(store, 'a'), lifeEvent('connected'));
});
afterEach(async () => {
  await store.close();
  await home.remove();
});

function change(sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

/** Puts in the place of the store, which is closed, what it would be after so many steps, with a notice that was delivered and one that waits. */
function makeOld(steps: number): void {
  const made = path.join(home.folder, 'old.db');
  const old = new DatabaseSync(made);
  for (const step of MIGRATIONS.slice(0, steps)) old.exec(step);
  old.prepare('ATTACH ? AS whole').run(file);
  for (const table of ['meta', 'data_key', 'client', 'connection'])
    old.exec(`INSERT INTO main.${table} SELECT * FROM whole.${table}`);
  old.exec(`
    INSERT INTO notice (connection, kind, actor, at, message, delivered_at)
      VALUES ('a', 'uncertain', 'operator', 1, 'told', 2), ('a', 'attention', 'owner', 3, 'waits', NULL);
    DETACH whole;
    PRAGMA application_id = ${String(APPLICATION_ID)};
    PRAGMA user_version = ${String(steps)}`);
  old.close();
  for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true });
  // The file stays the same one: another would be taken for a copy.
  writeFileSync(file, readFileSync(made));
  rmSync(made);
}

describe('a store of an older version', () => {
  it.each([3, 4, 5])('(%d) keeps the notices that wait, and what was told', async (steps) => {
    await store.close();
    makeOld(steps);
    store = await home.open(false);
    expect(await store.pendingNotices(10, 10)).toMatchObject([
      { connection: 'a', kind: 'attention', actor: 'owner', message: 'waits' },
    ]);
    expect(store.access.events(0, 10).map(({ kind, detail }) => [kind, detail])).toEqual([
      ['uncertain', 'told'],
      ['attention', 'waits'],
    ]);
    expect(await store.findDamage()).toEqual([]);
  });
});

describe('a store that a newer evergrant has changed since it was opened', () => {
  const ahead = `PRAGMA user_version = ${String(MIGRATIONS.length + 1)}`;

  it('is told as that, and not as damaged, by what it can no longer read or write', async () => {
    await store.pendingNotices(10, 10);
    change(`ALTER TABLE notice RENAME COLUMN reserved_until TO other; ${ahead}`);
    const newer = { code: 'ERR_STORE_TOO_NEW', message: expect.stringContaining(file) as unknown };
    await expect(store.reserveNotice(1, 10, 20)).rejects.toMatchObject(newer);
    change(`DROP TABLE feed`);
    expect(() => store.access.events(0, 10)).toThrow(expect.objectContaining(newer));
  });

  it('serves on what it can read', async () => {
    change(`ALTER TABLE notice RENAME COLUMN reserved_until TO other; ${ahead}`);
    expect((await store.read('a'))?.connection.name).toBe('a');
  });

  it('is damaged where no newer one has changed it', async () => {
    change('DROP TABLE feed');
    expect(() => store.access.events(0, 10)).toThrow(
      expect.objectContaining({ code: 'ERR_STORE_DAMAGED' }),
    );
  });
});
