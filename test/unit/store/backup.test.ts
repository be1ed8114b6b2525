import { statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { storeFolders, type StoreFolder } from '../../support/store-processes.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';

const newFolder = storeFolders();

/** Fills some megabytes of the file, which SQLite copies in many steps. */
function fill(folder: StoreFolder): void {
  const database = new DatabaseSync(folder.file);
  database.exec(`INSERT INTO draw (at, caller, verb, what, count)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    SELECT i, 'filler', 'token', hex(randomblob(2000)), 1 FROM n`);
  database.close();
}

it('comes to an end, and is of one instant, while others write without a pause', async () => {
  const folder = await newFolder();
  const store = await folder.open();
  await store.putClient(clientRecord(store));
  await store.insert(connectionRecord(store, 'a'), lifeEvent('connected'));
  fill(folder);
  const target = path.join(folder.home, 'backup.db');
  const at = { isDone: false };
  const backup = store.backup(target).finally(() => {
    at.isDone = true;
  });

  const other = new DatabaseSync(folder.file);
  other.exec('PRAGMA synchronous = OFF');
  // The first row and the last, which lie far apart in the file.
  const write = other.prepare('UPDATE draw SET count = ? WHERE id IN (1, 2000)');
  let writes = 0;
  for (; !at.isDone && writes < 5_000; writes++) {
    write.run(writes + 2);
    await nextTurn();
  }
  other.close();
  expect(at.isDone).toBe(true);
  await backup;

  expect(writes).toBeGreaterThan(10);
  expect(statSync(target).mode & 0o777).toBe(0o600);
  const copy = new DatabaseSync(target, { readOnly: true });
  const counts = copy.prepare('SELECT DISTINCT count FROM draw WHERE id IN (1, 2000)').all();
  expect(counts).toHaveLength(1);
  expect(copy.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  copy.close();
});
