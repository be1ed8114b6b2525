import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError } from '../../errors.ts';
import { MIGRATIONS } from './schema.ts';

/** Refuses what is no store, under the name by which it is attached. */
type Inspect = (database: DatabaseSync, schema: string, path: string) => void;

/**
 * How to read a file without the shared memory of its WAL. `rw`: in exclusive locking mode SQLite needs none; the lock is given back at
 * once, so that others may do the same. `immutable`: for a file that cannot be written, and has no WAL; nothing is locked.
 */
type Way = 'rw' | 'immutable';

/**
 * Reads a store into memory from a disk on which SQLite cannot make the shared memory of its WAL, because it is full or read-only.
 *
 * @throws as SQLite says; `ERR_STORE_FULL` or `ERR_STORE_READ_ONLY` when there is nothing to read yet.
 */
export function readSnapshot(path: string, inspect: Inspect, way: Way): DatabaseSync {
  const memory = new DatabaseSync(':memory:', { timeout: 0 });
  try {
    const url = pathToFileURL(path);
    url.searchParams.set('mode', way === 'rw' ? 'rw' : 'ro');
    if (way === 'immutable') url.searchParams.set('immutable', '1');
    // Before the attachment, which reads already.
    else memory.exec('PRAGMA locking_mode = EXCLUSIVE');
    memory.prepare('ATTACH ? AS disk').run(url.href);
    inspect(memory, 'disk', path);
    const version = memory.prepare('PRAGMA disk.user_version').get()?.['user_version'];
    if (version !== MIGRATIONS.length) {
      throw cannotMake(path, way);
    }
    copyTables(memory);
    memory.exec(`DETACH disk; PRAGMA user_version = ${String(version)}; PRAGMA query_only = ON`);
    return memory;
  } catch (error) {
    memory.close();
    throw error;
  }
}

function copyTables(memory: DatabaseSync): void {
  const made = memory
    .prepare(`SELECT type, name, sql FROM disk.sqlite_schema WHERE sql NOT NULL`)
    .all()
    .filter(({ name }) => !String(name).startsWith('sqlite_'));
  const tables = made.filter(({ type }) => type === 'table');
  memory.exec('BEGIN');
  for (const { sql } of tables) memory.exec(String(sql));
  for (const { name } of tables) {
    memory.exec(`INSERT INTO main.${String(name)} SELECT * FROM disk.${String(name)}`);
  }
  for (const { sql } of made.filter(({ type }) => type === 'index')) memory.exec(String(sql));
  memory.exec('COMMIT');
}

function cannotMake(path: string, way: Way): StoreError {
  return way === 'rw'
    ? new StoreError('ERR_STORE_FULL', `no space left to make ${path}; free some`)
    : new StoreError(
        'ERR_STORE_READ_ONLY',
        `${path} must be made or brought up to date, and cannot be written; make its disk and folder writable`,
      );
}
