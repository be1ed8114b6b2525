import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../errors.ts';
import type { Clock } from '../../system/clock.ts';
import { changeStamp, isWritable } from '../../system/file-state.ts';
import { checkVersion, inspect, openExisting, prepare, whenFree } from './database.ts';
import { isFull, isWithoutWal } from './errors.ts';
import { readSnapshot } from './snapshot.ts';
import { Statements } from './statements.ts';

/*
 * The open database file, as far as it can be opened. Where it cannot be written, what lives in it is served all the same: from the file
 * if SQLite can read that without writing, else from a snapshot in memory, which is what a full disk and most read-only ones leave.
 */

/** What is at hand of a file. */
export interface Opened {
  /** To be read; written only when it is `writable`. */
  readonly database: DatabaseSync;
  /** How far the file could be opened. */
  readonly kind: 'writable' | 'readable' | 'snapshot' | 'nothing';
  /** State of the file and of its WAL when it was opened. */
  readonly stamp: string;
}

/** The open database file. While it cannot be written each write tries to open it again. */
export class StoreFile {
  /** Statements on what is open. */
  readonly statements: Statements;
  readonly #path: string;
  #opened: Opened;
  #reopened = 0;

  /** Made by {@link openStoreFile}. */
  constructor(path: string, opened: Opened) {
    this.#path = path;
    this.#opened = opened;
    this.statements = new Statements(opened.database);
  }

  /** Before a write: opens the file for it, where it is not. @throws {@link StoreError} or as SQLite says when that is still not possible. */
  makeWritable(): void {
    if (this.#opened.kind === 'writable') return;
    if (!isWritable(this.#path)) throw readOnly(this.#path);
    this.#letGo();
    const opened = openWhole(this.#path);
    this.#moveTo(opened);
    if (opened.kind !== 'writable') throw readOnly(this.#path);
  }

  /** Differs from the last one when another connection may have written. */
  changeCounter(): number {
    if (this.#opened.kind !== 'writable') this.#look();
    const version = this.statements.get('PRAGMA data_version')?.['data_version'];
    return this.#reopened * 2 ** 32 + Number(version);
  }

  /** What this process cannot write others may write all the same. */
  #look(): void {
    try {
      this.makeWritable();
    } catch {
      const { kind, stamp } = this.#opened;
      if (kind === 'nothing' || (kind === 'snapshot' && stamp !== stampOf(this.#path))) {
        this.#readAgain();
      }
    }
  }

  /** What a process has open for reading alone spoils what it opens besides: SQLite shares the WAL between the two. */
  #letGo(): void {
    if (this.#opened.kind !== 'readable') return;
    this.#opened.database.close();
    this.#opened = { ...this.#opened, kind: 'nothing' };
  }

  /** What is at hand is served on where that fails. */
  #readAgain(): void {
    try {
      this.#moveTo(openAsCan(this.#path));
    } catch {
      // Somebody is writing at this moment; the next look finds out what.
    }
  }

  #moveTo(opened: Opened): void {
    const { database } = this.#opened;
    this.#opened = opened;
    this.statements.moveTo(opened.database);
    this.#reopened++;
    if (database.isOpen) database.close();
  }
}

/**
 * Opens a database file that exists. A blank one is left blank.
 *
 * @throws {@link StoreError} one code for each way the file can be unusable; nothing was changed then.
 */
export async function openStoreFile(path: string, clock: Clock): Promise<StoreFile> {
  checkVersion();
  return whenFree(path, clock, () => new StoreFile(path, openAsCan(path)));
}

function openAsCan(path: string): Opened {
  const stamp = stampOf(path);
  try {
    return openWhole(path);
  } catch (error) {
    if (isFull(error))
      return { database: readSnapshot(path, inspect, 'rw'), kind: 'snapshot', stamp };
    if (!isWithoutWal(error) || isWritable(path)) throw error;
    return readUnlocked(path);
  }
}

/** The file itself. */
function openWhole(path: string): Opened {
  const stamp = stampOf(path);
  const database = openExisting(path);
  try {
    prepare(database, path);
    // SQLite opens for reading what it may not write, and says nothing.
    return { database, kind: isWritable(path) ? 'writable' : 'readable', stamp };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * A file that SQLite cannot open because its WAL can be neither read nor made. Without a WAL all is in the file, and nobody has it open
 * who could write it.
 */
function readUnlocked(path: string): Opened {
  if (hasWal(path)) {
    throw new StoreError(
      'ERR_STORE_READ_ONLY',
      `${path}-wal holds what was written last, and cannot be read where nothing can be written; make the disk and the folder writable`,
    );
  }
  const stamp = stampOf(path);
  const database = readSnapshot(path, inspect, 'immutable');
  if (stampOf(path) === stamp) return { database, kind: 'snapshot', stamp };
  database.close();
  throw new StoreError('ERR_STORE_LOCKED', `${path} was written while it was read; try again`);
}

function hasWal(path: string): boolean {
  return changeStamp(`${path}-wal`) !== '';
}

function stampOf(path: string): string {
  return `${changeStamp(path)} ${changeStamp(`${path}-wal`)}`;
}

function readOnly(path: string): StoreError {
  return new StoreError(
    'ERR_STORE_READ_ONLY',
    `${path} cannot be written, so nothing is refreshed; make its disk, its folder and the file writable for this user`,
  );
}
