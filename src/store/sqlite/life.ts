import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../errors.ts';
import type { Owner } from '../../connection/record.ts';
import { createPrivateFile, joinPath, listFolder, removeFile } from '../../system/files.ts';
import { checkOwnerOnly, identityOf } from '../../system/ownership.ts';
import type { Machine } from '../../system/machine.ts';
import type { Random } from '../../system/random.ts';
import type { ClaimAuthority } from '../store.ts';
import { openExisting } from './database.ts';
import { isBusy, isDamaged, isGone, storeError } from './errors.ts';

/*
 * The kernel vouches for the owner of a claim. A keeper holds `run/<owner>.life`, a database of its own, in an exclusive transaction from
 * its first claim to its end; the lock goes with the process, whatever ends it, and stays while the process is merely stopped.
 *
 * Others probe with a read: BUSY means alive, success means dead. Readers do not disturb each other; exclusive probes would.
 *
 * Not guaranteed: when somebody removes or replaces a life file under a running keeper, nobody can tell any more whether its claim still
 * counts. It is then left alone (`unknown`) until the machine has rebooted, and the keeper, which looks at its file before each intent,
 * goes on under a new id.
 *
 * Rejected: a lock with a time limit (a process paused beyond it sends twice), a process id (reused), an empty lock file (stale after a
 * crash). Never open, read or copy a life file through node:fs: closing any descriptor of a file drops the process's locks on it.
 */

interface Life {
  readonly owner: Owner;
  readonly path: string;
  /** Held open for the lock; never closed while the keeper runs. */
  readonly database: DatabaseSync;
}

/** What life files take. */
export interface LifeFilesOptions {
  /** An owner-only folder beside the store. */
  readonly folder: string;
  /** This machine. */
  readonly machine: Machine;
  /** For ids. */
  readonly random: Random;
  /** Whether a claim names this owner. */
  isNamed(ownerId: string): boolean;
  /** Throws when the store that claims are written to is no longer the one that others see. */
  checkStore(): Promise<void>;
}

/** Dead files removed at a time, so that nobody waits long for it. */
const CLEAN_AT_ONCE = 16;

/** Vouches for claims on one machine. */
export class LifeFiles implements ClaimAuthority {
  readonly #options: LifeFilesOptions;
  readonly #lives: Life[] = [];
  #beginning: Promise<Life> | undefined;

  /** Makes no file before the first claim. */
  constructor(options: LifeFilesOptions) {
    this.#options = options;
  }

  /**
   * The keeper's current life; begins one when there is none, or when its file is no longer what it was.
   *
   * @throws {@link StoreError} when the store or the folder was replaced, or files cannot be made in it.
   */
  async identify(): Promise<Owner> {
    await this.#options.checkStore();
    const current = this.#lives.at(-1);
    if (current !== undefined && (await identityOf(current.path)) === current.owner.life) {
      return current.owner;
    }
    this.#beginning ??= this.#begin().finally(() => {
      this.#beginning = undefined;
    });
    return (await this.#beginning).owner;
  }

  /** Probes the owner's life file. */
  async judge(owner: Owner): Promise<'alive' | 'dead' | 'unknown'> {
    if (this.#isMine(owner.ownerId)) return 'alive';
    const path = this.#path(owner.ownerId);
    const inode = await identityOf(path);
    if (inode === undefined || inode !== owner.life) return this.#judgeMissing(owner);
    const found = probe(path);
    return found === 'gone' ? this.#judgeMissing(owner) : found;
  }

  /**
   * Removes some life files of dead keepers that no claim names, each under its own exclusive lock, so that a missing file never belongs to
   * a claim that still counts. What lies in the folder and is no life file is left alone.
   */
  async clean(): Promise<void> {
    let removed = 0;
    for (const name of await listFolder(this.#options.folder)) {
      const ownerId = /^([\w-]+)\.life$/.exec(name)?.[1];
      if (ownerId === undefined || this.#isMine(ownerId)) continue;
      if (await this.#removeDead(ownerId)) removed++;
      if (removed === CLEAN_AT_ONCE) return;
    }
  }

  /**
   * Ends all lives of this keeper. Their files go, except those that a claim still names: such a claim could not be given back, and only
   * an unlocked file lets others see that its owner is dead. So whatever fails, no lock is kept.
   */
  async close(): Promise<void> {
    const lives = this.#lives.splice(0);
    try {
      for (const { owner, path } of lives) {
        const isIntact = (await identityOf(path)) === owner.life;
        if (isIntact && !this.#options.isNamed(owner.ownerId)) await removeFile(path);
      }
    } finally {
      for (const { database } of lives) database.close();
    }
  }

  async #removeDead(ownerId: string): Promise<boolean> {
    // Asked before the lock as well: whoever judges a claim must not find a cleaner at its file.
    if (this.#options.isNamed(ownerId)) return false;
    const path = this.#path(ownerId);
    const lock = await tryLockSafely(path);
    try {
      if (lock === undefined || this.#options.isNamed(ownerId)) return false;
      await removeFile(path);
      return true;
    } finally {
      lock?.close();
    }
  }

  #isMine(ownerId: string): boolean {
    return this.#lives.some((life) => life.owner.ownerId === ownerId);
  }

  async #begin(): Promise<Life> {
    for (let tries = 0; tries < 5; tries++) {
      const life = await this.#tryBegin();
      if (life !== undefined) {
        this.#lives.push(life);
        await this.clean();
        return life;
      }
    }
    throw new StoreError(
      'ERR_STORE_UNAVAILABLE',
      `files in ${this.#options.folder} vanish as they are made; stop whatever removes them`,
    );
  }

  async #tryBegin(): Promise<Life | undefined> {
    const ownerId = this.#options.random.uuid();
    const path = this.#path(ownerId);
    if (!(await createPrivateFile(path))) return undefined;
    const database = tryLock(path);
    const inode = await identityOf(path);
    // A cleaner may have taken the file before it was locked.
    if (database === undefined || inode === undefined) {
      database?.close();
      return undefined;
    }
    const { machineId, bootId, pid } = this.#options.machine;
    return { owner: { ownerId, machineId, bootId, life: inode, pid }, path, database };
  }

  #judgeMissing(owner: Owner): 'dead' | 'unknown' {
    const { machineId, bootId } = this.#options.machine;
    return owner.machineId !== machineId || owner.bootId !== bootId ? 'dead' : 'unknown';
  }

  #path(ownerId: string): string {
    return joinPath(this.#options.folder, `${ownerId}.life`);
  }
}

/** Locks a life file; undefined when somebody else holds it, or when it is gone. */
function tryLock(path: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = openExisting(path);
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error) || isGone(error)) return undefined;
    throw storeError(error, path);
  }
}

/** As {@link tryLock}, for a file that may be anything. */
async function tryLockSafely(path: string): Promise<DatabaseSync | undefined> {
  try {
    await checkOwnerOnly(path, 'file');
    return tryLock(path);
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

function probe(path: string): 'alive' | 'dead' | 'gone' {
  let database: DatabaseSync | undefined;
  try {
    database = openExisting(path, true);
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return 'dead';
  } catch (error) {
    if (isBusy(error)) return 'alive';
    if (isGone(error)) return 'gone';
    // Somebody wrote into the file; but to find that out, the lock had to be free.
    if (isDamaged(error)) return 'dead';
    throw storeError(error, path);
  } finally {
    database?.close();
  }
}
