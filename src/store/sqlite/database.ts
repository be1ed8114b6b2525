import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../errors.ts';
import { checkOwnerOnly, createPrivateFile, fileSystemType } from '../../system/files.ts';
import { sleep, type Clock } from '../../system/clock.ts';
import { isBusy, storeError } from './errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

/*
 * Opening the file. Busy timeout 0: SQLite's own waiting would stop the event loop, so whoever finds the database busy waits by timer.
 */

/** SQLite versions before this one can lose a commit when the WAL is reset. */
const LEAST_SQLITE = [3, 51, 3] as const;
const OPEN_PATIENCE_MS = 5_000;

/** File systems on which the kernel's locks or WAL's shared memory cannot be trusted, by statfs type on Linux. */
const UNSAFE_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
]);

/**
 * Opens the database file, making and migrating it as needed.
 *
 * @param create - whether a missing file may be made; otherwise it is `ERR_STORE_MISSING`.
 * @throws {@link StoreError} one code for each way the file can be unusable; nothing was changed then.
 */
export async function openDatabase(
  path: string,
  folder: string,
  clock: Clock,
  create: boolean,
): Promise<DatabaseSync> {
  checkVersion();
  for (const suffix of ['', '-wal', '-shm']) await checkOwnerOnly(path + suffix, 'file');
  const exists = (await checkOwnerOnly(path, 'file')) !== undefined;
  if (!exists && !create) {
    throw new StoreError(
      'ERR_STORE_MISSING',
      `there is no store at ${path}; connect or add something first`,
    );
  }
  await checkFileSystem(folder);
  if (!exists) await createPrivateFile(path);
  const database = openFile(path);
  try {
    await whenFree(clock, () => {
      prepare(database, path);
    });
    return database;
  } catch (error) {
    database.close();
    throw storeError(error, path);
  }
}

/** Runs something that may find the database busy, until it does not or patience ends. */
async function whenFree(clock: Clock, run: () => void): Promise<void> {
  const deadline = clock.monotonic() + OPEN_PATIENCE_MS;
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    try {
      run();
      return;
    } catch (error) {
      if (!isBusy(error) || clock.monotonic() > deadline) throw error;
    }
    await sleep(clock, wait);
  }
}

function openFile(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
  } catch (error) {
    throw storeError(error, path);
  }
}

function prepare(database: DatabaseSync, path: string): void {
  const applicationId = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  if (applicationId !== APPLICATION_ID && (applicationId !== 0 || hasTables(database))) {
    throw new StoreError(
      'ERR_STORE_FOREIGN',
      `${path} is a database of another program; choose another home`,
    );
  }
  if (version > MIGRATIONS.length) {
    throw new StoreError(
      'ERR_STORE_TOO_NEW',
      `${path} was written by a newer evergrant (schema ${String(version)}, this one knows ${String(MIGRATIONS.length)}); upgrade`,
    );
  }
  if (version === 0) database.exec('PRAGMA journal_mode = WAL');
  database.exec(
    'PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON',
  );
  if (version < MIGRATIONS.length) migrate(database);
}

function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = pragma(database, 'user_version');
    for (const step of MIGRATIONS.slice(version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${String(APPLICATION_ID)}`);
    database.exec(`PRAGMA user_version = ${String(MIGRATIONS.length)}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function hasTables(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
}

function checkVersion(): void {
  const version = process.versions['sqlite'] ?? '0';
  const parts = version.split('.').map(Number);
  for (const [i, least] of LEAST_SQLITE.entries()) {
    const part = parts[i] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new StoreError(
        'ERR_STORE_UNAVAILABLE',
        `this Node carries SQLite ${version}, which can lose commits; use a Node with SQLite ${LEAST_SQLITE.join('.')} or newer`,
      );
    }
  }
}

async function checkFileSystem(folder: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const name = UNSAFE_FILE_SYSTEMS.get(await fileSystemType(folder));
  if (name === undefined) return;
  throw new StoreError(
    'ERR_STORE_UNSAFE',
    `${folder} lies on ${name}, where locks between processes cannot be trusted; choose a home on a local disk`,
  );
}
