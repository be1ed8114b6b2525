import { backup, type DatabaseSync } from 'node:sqlite';
import { clientSecretContext, mapSealed } from '../../connection/secrets.ts';
import { EvergrantError, StoreError } from '../../errors.ts';
import { createPrivateFile, removeFile } from '../../system/files.ts';
import type { ClientTable } from './clients.ts';
import type { ConnectionTable } from './connections.ts';
import { openExisting } from './database.ts';
import { storeError } from './errors.ts';
import type { KeyRing } from './key-ring.ts';
import type { Statements } from './statements.ts';

/**
 * Copies an open store into one new owner-only file, while it goes on being used. The copy is of one instant, sealed as the store is, and
 * marked, so that opening it as a store is noticed.
 *
 * @throws {@link StoreError} when something lies at the target, or it cannot be written; then nothing is left there.
 */
export async function backupStore(
  database: DatabaseSync,
  target: string,
  now: number,
): Promise<void> {
  if (!(await createPrivateFile(target))) {
    throw new StoreError('ERR_STORE_FOREIGN', `${target} exists already; choose another name`);
  }
  try {
    await backup(database, target);
    mark(target, now);
  } catch (error) {
    for (const suffix of ['', '-journal', '-wal', '-shm']) await removeFile(target + suffix);
    throw storeError(error, target);
  }
}

/** Without the WAL mode the copy is one file, wherever it is taken. */
function mark(target: string, now: number): void {
  const copy = openExisting(target);
  try {
    copy.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA');
    copy
      .prepare(`INSERT OR REPLACE INTO meta (key, value) VALUES ('backup_at', ?)`)
      .run(String(now));
  } finally {
    copy.close();
  }
}

/** Reads the whole file, every row of a client and a connection and every secret in them, and says what is damaged, one line each. */
export function findDamage(
  sql: Statements,
  {
    connections,
    clients,
  }: { readonly connections: ConnectionTable; readonly clients: ClientTable },
  { keys }: KeyRing,
): readonly string[] {
  const found = sql
    .all('PRAGMA integrity_check(20)')
    .map((row) => String(row['integrity_check']))
    .filter((line) => line !== 'ok');
  const note = (read: () => void): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof EvergrantError)) throw error;
      found.push(error.message);
    }
  };
  const openAll = (id: string): void => {
    const record = connections.find(id);
    if (record === undefined) return;
    mapSealed(record, (sealed, context) => {
      keys.open(sealed, context);
      return sealed;
    });
  };
  for (const id of connections.ids()) note(() => openAll(id));
  note(() => {
    for (const client of clients.all()) {
      if (client.secret !== undefined) keys.open(client.secret, clientSecretContext(client));
    }
  });
  return found;
}
