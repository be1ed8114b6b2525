import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../errors.ts';
import type { Owner } from '../../connection/record.ts';
import {
  createPrivateFile,
  identityOf,
  joinPath,
  listFolder,
  removeFile,
} from '../../system/files.ts';
import type { Machine } from '../../system/machine.ts';
import type { Random } from '../../system/random.ts';
import type { ClaimAuthority } from '../store.ts';
import { isBusy, isGone, storeError } from './errors.ts';

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

/** Vouches for claims on one machine. */
export class LifeFiles implements ClaimAuthority {
  readonly #folder: string;
  readonly #machine: Machine;
  readonly #random: Random;
  readonly #lives: Life[] = [];
  #beginning: Promise<Life> | undefined;

  /** @param folder - an owner-only folder beside the store. */
  constructor(folder: string, machine: Machine, random: Random) {
    this.#folder = folder;
    this.#machine = machine;
    this.#random = random;
  }

  /** The keeper's current life; begins one when there is none, or when its file is no longer what it was. */
  async identify(): Promise<Owner> {
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
    if (this.#lives.some((life) => life.owner.ownerId === owner.ownerId)) return 'alive';
    const path = this.#path(owner.ownerId);
    const inode = await identityOf(path);
    if (inode === undefined || inode !== owner.life) return this.#judgeMissing(owner);
    const found = probe(path);
    return found === 'gone' ? this.#judgeMissing(owner) : found;
  }

  /**
   * Removes the life files of dead keepers that no claim names, each under its own exclusive lock, so that a missing file never belongs to
   * a claim that still counts.
   */
  async clean(isNamed: (ownerId: string) => boolean): Promise<void> {
    for (const name of await listFolder(this.#folder)) {
      const ownerId = /^([\w-]+)\.life$/.exec(name)?.[1];
      if (ownerId === undefined) continue;
      if (this.#lives.some((life) => life.owner.ownerId === ownerId)) continue;
      const lock = tryLock(this.#path(ownerId));
      if (lock === undefined) continue;
      try {
        if (!isNamed(ownerId)) await removeFile(this.#path(ownerId));
      } finally {
        lock.close();
      }
    }
  }

  /**
   * Ends all lives of this keeper. Their files go, except those that a claim still names: such a claim could not be given back, and only
   * an unlocked file lets others see that its owner is dead.
   */
  async close(isNamed: (ownerId: string) => boolean): Promise<void> {
    for (const life of this.#lives.splice(0)) {
      const intact = (await identityOf(life.path)) === life.owner.life;
      if (intact && !isNamed(life.owner.ownerId)) await removeFile(life.path);
      life.database.close();
    }
  }

  async #begin(): Promise<Life> {
    for (let tries = 0; tries < 5; tries++) {
      const life = await this.#tryBegin();
      if (life !== undefined) {
        this.#lives.push(life);
        return life;
      }
    }
    throw new StoreError(
      'ERR_STORE_UNAVAILABLE',
      `files in ${this.#folder} vanish as they are made; stop whatever removes them`,
    );
  }

  async #tryBegin(): Promise<Life | undefined> {
    const ownerId = this.#random.uuid();
    const path = this.#path(ownerId);
    if (!(await createPrivateFile(path))) return undefined;
    const database = tryLock(path);
    const inode = await identityOf(path);
    // A cleaner may have taken the file before it was locked.
    if (database === undefined || inode === undefined) {
      database?.close();
      return undefined;
    }
    const { machineId, bootId, pid } = this.#machine;
    return { owner: { ownerId, machineId, bootId, life: inode, pid }, path, database };
  }

  #judgeMissing(owner: Owner): 'dead' | 'unknown' {
    const { machineId, bootId } = this.#machine;
    return owner.machineId !== machineId || owner.bootId !== bootId ? 'dead' : 'unknown';
  }

  #path(ownerId: string): string {
    return joinPath(this.#folder, `${ownerId}.life`);
  }
}

function tryLock(path: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) return undefined;
    throw storeError(error, path);
  }
}

function probe(path: string): 'alive' | 'dead' | 'gone' {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return 'dead';
  } catch (error) {
    if (isBusy(error)) return 'alive';
    if (isGone(error)) return 'gone';
    throw storeError(error, path);
  } finally {
    database?.close();
  }
}
