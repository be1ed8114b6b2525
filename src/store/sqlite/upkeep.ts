import { backup, type DatabaseSync } from 'node:sqlite';
import { clientSecretContext, mapSealed } from '../../connection/secrets.ts';
import { ConfigurationError, EvergrantError } from '../../errors.ts';
import type { Clock } from '../../system/clock.ts';
import { errnoOf } from '../../system/file-errors.ts';
import { createPrivateFile, removeFile } from '../../system/files.ts';
import type { ClientTable } from './clients.ts';
import type { ConnectionTable } from './connections.ts';
import { openExisting, whenFree } from './database.ts';
import { storeError } from './errors.ts';
import type { KeyRing } from './key-ring.ts';
import type { Statements } from './statements.ts';

/** Why no file can be made at a place that somebody named, and what to do, by errno. */
const NO_TARGET: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'is in a folder that does not exist; make it, or choose another'],
  ['ENOTDIR', 'is not in a folder; choose another place'],
  ['EACCES', 'cannot be made: you may not write in its folder; choose another'],
  ['EPERM', 'cannot be made: you may not write in its folder; choose another'],
  ['EROFS', 'cannot be made: its disk is read-only; choose another'],
  ['ENAMETOOLONG', 'has a name that is too long; choose another'],
]);

/**
 * Copies an open store into one new owner-only file, while it goes on being used. The copy is of one instant, sealed as the store is, and
 * marked, so that opening it as a store is noticed.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` when something lies at the target, or no file can be made there; {@link StoreError}
 * when it cannot be written. Nothing is left there then.
 */
export async function backupStore(
  database: DatabaseSync,
  target: string,
  clock: Clock,
): Promise<void> {
  await makeTarget(target);
  try {
    await copy(database, target, clock);
    mark(target, clock.now());
  } catch (error) {
    for (const suffix of ['', '-journal', '-wal', '-shm']) await removeFile(target + suffix);
    throw storeError(error, target);
  }
}

/**
 * SQLite copies some pages at a time, and begins anew whenever another process has written in between: among busy ones it would not come to an
 * end. So the copy is taken from a connection of its own, which sees one instant for as long as that takes.
 */
async function copy(database: DatabaseSync, target: string, clock: Clock): Promise<void> {
  const path = database.location();
  // What is in memory alone nobody else writes.
  if (path === null) {
    await backup(database, target);
    return;
  }
  const source = openExisting(path, true);
  try {
    await whenFree(path, clock, () => {
      if (!source.isTransaction) source.exec('BEGIN');
      source.prepare('SELECT count(*) FROM sqlite_schema').get();
    });
    await backup(source, target);
  } finally {
    source.close();
  }
}

async function makeTarget(target: string): Promise<void> {
  let wrong = 'exists already; choose another name';
  try {
    if (await createPrivateFile(target)) return;
  } catch (error) {
    const remedy = NO_TARGET.get(errnoOf(error instanceof Error ? error.cause : undefined) ?? '');
    if (remedy === undefined) throw error;
    wrong = remedy;
  }
  throw new ConfigurationError('ERR_ARGUMENT', `${target} ${wrong}`);
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
