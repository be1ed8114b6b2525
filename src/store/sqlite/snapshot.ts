import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError } from '../../errors.ts';
import { MIGRATIONS } from './schema.ts';

/** Refuses what is no store, under the name by which it is attached. */
type Inspect = (database: DatabaseSync, schema: string, path: string) => void;

/**
 * Reads a store into memory from a disk so full that SQLite finds no room for the shared memory of its WAL. In exclusive locking mode it
 * needs none; the lock is given back at once, so that others may do the same.
 *
 * @throws as SQLite says; `ERR_STORE_FULL` when there is nothing to read yet.
 */
export function readSnapshot(path: string, inspect: Inspect): DatabaseSync {
  const memory = new DatabaseSync(':memory:', { timeout: 0 });
  try {
    const url = pathToFileURL(path);
    url.searchParams.set('mode', 'rw');
    // Before the attachment, which reads already.
    memory.exec('PRAGMA locking_mode = EXCLUSIVE');
    memory.prepare('ATTACH ? AS disk').run(url.href);
    inspect(memory, 'disk', path);
    const version = memory.prepare('PRAGMA disk.user_version').get()?.['user_version'];
    if (version !== MIGRATIONS.length) {
      throw new StoreError('ERR_STORE_FULL', `no space left to make ${path}; free some`);
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
