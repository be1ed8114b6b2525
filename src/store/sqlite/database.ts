import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError } from '../../errors.ts';
import { sleep, type Clock } from '../../system/clock.ts';
import { isBusy, storeError } from './errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

/*
 * Opening the file. Busy timeout 0: SQLite's own waiting would stop the event loop, so whoever finds the database busy waits by timer.
 */

/** SQLite versions before this one can lose a commit when the WAL is reset. */
const LEAST_SQLITE = [3, 51, 3] as const;
const OPEN_PATIENCE_MS = 5_000;
/** A WAL grows while somebody reads for long, as who takes a backup does, or much is written at once; what is beyond is given back afterwards. */
const WAL_KEPT_BYTES = 16 * 1024 * 1024;

/** Opens a database file that exists; a missing one is an error and stays missing. */
export function openExisting(path: string, readOnly = false): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set('mode', readOnly ? 'ro' : 'rw');
  return new DatabaseSync(url, { readOnly, timeout: 0, enableForeignKeyConstraints: true });
}

/**
 * Runs something that may find the database busy, until it does not or patience ends.
 *
 * @throws {@link StoreError} `ERR_STORE_LOCKED` after five seconds; whatever else fails at once, made typed.
 */
export async function whenFree<T>(path: string, clock: Clock, run: () => T): Promise<T> {
  const deadline = clock.monotonic() + OPEN_PATIENCE_MS;
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    try {
      return run();
    } catch (error) {
      if (!isBusy(error) || clock.monotonic() > deadline) throw storeError(error, path);
    }
    await sleep(clock, wait);
  }
}

/** Tells whether a database is a store that has had every migration that this version knows, and no others. */
export function isCurrent(database: DatabaseSync): boolean {
  const isOurs = pragma(database, 'application_id') === APPLICATION_ID;
  return isOurs && schemaVersion(database) === MIGRATIONS.length;
}

/** How many migrations a database has had; 0 for a blank one. */
export function schemaVersion(database: DatabaseSync): number {
  return pragma(database, 'user_version');
}

/**
 * Runs the migrations that a database lacks, and `more`, in one transaction; nothing when it lacks none by then. The WAL must be on.
 */
export function migrate(database: DatabaseSync, more: () => void = () => {}): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = schemaVersion(database);
    for (const step of MIGRATIONS.slice(version)) database.exec(step);
    if (version < MIGRATIONS.length) {
      database.exec(`PRAGMA application_id = ${String(APPLICATION_ID)}`);
      database.exec(`PRAGMA user_version = ${String(MIGRATIONS.length)}`);
      more();
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Makes a database that was just opened one of this version's. A blank one is left blank.
 *
 * @throws {@link StoreError} as {@link inspect}, or as SQLite says.
 */
export function prepare(database: DatabaseSync, path: string): void {
  inspect(database, 'main', path);
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (mode !== 'wal') {
    throw new StoreError('ERR_STORE_UNAVAILABLE', `${path} cannot be kept with a WAL`);
  }
  database.exec(
    `PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
      PRAGMA journal_size_limit = ${String(WAL_KEPT_BYTES)}`,
  );
  const version = schemaVersion(database);
  if (version > 0 && version < MIGRATIONS.length) migrate(database);
}

/**
 * Refuses what is no store of this version or an older one.
 *
 * @param schema - name under which the database is attached.
 * @throws {@link StoreError} one code for each of the other things that it can be.
 */
export function inspect(database: DatabaseSync, schema: string, path: string): void {
  const { applicationId, version, hasTables } = describe(database, schema);
  if (applicationId === 0 && version === 0 && !hasTables) return;
  if (applicationId !== APPLICATION_ID) {
    throw new StoreError(
      'ERR_STORE_FOREIGN',
      `${path} is a database of another program; choose another home`,
    );
  }
  if (version > MIGRATIONS.length) throw tooNew(path, version);
  if (version < 1) {
    throw new StoreError(
      'ERR_STORE_DAMAGED',
      `${path} is damaged; restore a backup, nothing was changed`,
    );
  }
}

/** Why a statement failed that does not fit the schema: a newer evergrant has changed that since; undefined when none has. */
export function newerSchema(database: DatabaseSync): StoreError | undefined {
  const version = schemaVersion(database);
  if (version <= MIGRATIONS.length) return undefined;
  return tooNew(database.location() ?? 'the store', version);
}

function tooNew(path: string, version: number): StoreError {
  return new StoreError(
    'ERR_STORE_TOO_NEW',
    `${path} was written by a newer evergrant (schema ${String(version)}, this one knows ${String(MIGRATIONS.length)}); upgrade`,
  );
}

/** What tells whose a database is, as of one instant: another process may be making it. */
function describe(
  database: DatabaseSync,
  schema: string,
): { readonly applicationId: number; readonly version: number; readonly hasTables: boolean } {
  database.exec('BEGIN');
  try {
    const table = database.prepare(`SELECT 1 FROM ${schema}.sqlite_schema LIMIT 1`).get();
    return {
      applicationId: pragma(database, 'application_id', schema),
      version: pragma(database, 'user_version', schema),
      hasTables: table !== undefined,
    };
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK');
  }
}

function pragma(database: DatabaseSync, name: string, schema = 'main'): number {
  return Number(database.prepare(`PRAGMA ${schema}.${name}`).get()?.[name]);
}

/** Refuses a SQLite that can lose commits. @throws {@link StoreError} `ERR_STORE_UNAVAILABLE` */
export function checkVersion(): void {
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
