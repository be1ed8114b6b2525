import type { ConnectionRecord } from '../../connection/record.ts';
import type { Sealer } from '../../connection/secrets.ts';
import { joinPath, readPrivateFileSync } from '../../system/files.ts';
import { checkOwnerOnlySync } from '../../system/ownership.ts';
import { machineIdSync } from '../../system/machine.ts';
import type { Random } from '../../system/random.ts';
import { parseKeyFile, readDescription } from '../master-key.ts';
import { DataKeys, type WrappedDataKey } from '../sealing.ts';
import { ConnectionTable } from './connections.ts';
import { checkVersion, isCurrent, openExisting } from './database.ts';
import { checkFileSystemSync } from './file-systems.ts';
import { KeyRing } from './key-ring.ts';
import { readDataKey, readEndKeys } from './keys.ts';
import { readMarkSync, type Mark } from './mark.ts';
import { readMeta } from './meta.ts';
import { pendingNotices } from './outbox.ts';
import { Statements } from './statements.ts';
import { suspicionOf, type Place } from './suspicion.ts';

/*
 * A look at one connection by a process that will do nothing else: everything that opening the store checks is checked here too, at once
 * and by reading alone. Where opening would have to write, migrate, wait, tell or refuse something, there is no glance.
 *
 * The rows of the client and of its endpoint are not read, nor are their MACs: a token that lives is served from the connection's row alone,
 * whatever the others say. A keeper that finds them damaged refuses to work with that connection, which is about what would be sent.
 */

/** What a glance takes. */
export interface GlanceOptions {
  /** Name of the connection. */
  readonly name: string;
  /** Folder of the store. */
  readonly folder: string;
  /** Path of the mark. */
  readonly markFile: string;
  /** Path of the master key file. */
  readonly keyFile: string;
  /** The instant. */
  readonly now: number;
  /** Randomness. */
  readonly random: Random;
}

/** A connection, and what opens its secrets. */
export interface Glance {
  /** The connection. */
  readonly connection: ConnectionRecord;
  /** Opens what it holds. */
  readonly sealer: Sealer;
}

/** What lies around the store's file. */
interface Surroundings {
  readonly place: Place;
  readonly mark: Mark;
  readonly masterKey: Uint8Array;
}

/**
 * The connection of a name as it stands in the store; undefined when there is none, or when the store must be opened to know.
 *
 * @throws whatever is wrong, typed or not: opening the store tells it properly.
 */
export function glanceAt(options: GlanceOptions): Glance | undefined {
  checkVersion();
  const path = joinPath(options.folder, 'evergrant.db');
  const around = lookAround(path, options);
  if (around === undefined) return undefined;
  const database = openExisting(path, true);
  try {
    // All of it as of one instant.
    database.exec('BEGIN');
    return isCurrent(database) ? find(new Statements(database), around, options) : undefined;
  } finally {
    database.close();
  }
}

function lookAround(
  path: string,
  { folder, markFile, keyFile }: GlanceOptions,
): Surroundings | undefined {
  for (const part of [folder, joinPath(folder, 'run')]) {
    if (checkOwnerOnlySync(part, 'folder') === undefined) return undefined;
  }
  for (const suffix of ['-wal', '-shm']) checkOwnerOnlySync(path + suffix, 'file');
  const file = checkOwnerOnlySync(path, 'file');
  const machineId = machineIdSync();
  const mark = readMarkSync(markFile);
  if (file === undefined || machineId === undefined || mark === undefined) return undefined;
  checkFileSystemSync(folder);
  const masterKey = parseKeyFile(keyFile, readPrivateFileSync(keyFile));
  return { place: { file, machineId }, mark, masterKey };
}

function find(
  sql: Statements,
  { place, mark, masterKey }: Surroundings,
  { name, now, random }: GlanceOptions,
): Glance | undefined {
  if (hasExpired(sql, name, now)) return undefined;
  const storeId = readMeta(sql, 'store_id');
  if (storeId === undefined) return undefined;
  if (readDescription(readMeta(sql, 'master_key')).kind !== 'file') return undefined;
  const lookUp = (id: string): WrappedDataKey | undefined => readDataKey(sql, id);
  const keys = new DataKeys(random, masterKey, storeId, readEndKeys(sql), lookUp);
  if (suspicionOf({ sql, keys, storeId, place }, mark) !== undefined) return undefined;
  // Whoever opens the store delivers these.
  if (pendingNotices(sql, now, 1).length > 0) return undefined;
  const connections = new ConnectionTable(sql, new KeyRing(sql, keys));
  const connection = connections.named(name);
  return connection === undefined ? undefined : { connection, sealer: keys };
}

/** Whether the token of a name has ended, by what anybody could have written: whoever opens the store finds out, and nothing else was read in vain. */
function hasExpired(sql: Statements, name: string, now: number): boolean {
  const row = sql.get('SELECT access_expires_at FROM connection WHERE name = ?', name);
  const expiresAt = row?.['access_expires_at'];
  return typeof expiresAt === 'number' && expiresAt <= now;
}
