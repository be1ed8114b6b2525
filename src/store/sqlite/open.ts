import { StoreError } from '../../errors.ts';
import type { ClientRecord, ConnectionRecord } from '../../connection/record.ts';
import type { Clock } from '../../system/clock.ts';
import { createPrivateFile, fileSize, joinPath, privateFolder } from '../../system/files.ts';
import { checkOwnerOnly, identityOf } from '../../system/ownership.ts';
import type { Machine } from '../../system/machine.ts';
import type { Random } from '../../system/random.ts';
import {
  createMasterKey,
  loadMasterKey,
  readDescription,
  type MasterKeySource,
} from '../master-key.ts';
import { DataKeys, createDataKey } from '../sealing.ts';
import { ClientTable } from './clients.ts';
import { ConnectionTable } from './connections.ts';
import { CopyGuard } from './copies.ts';
import { migrate, schemaVersion, whenFree } from './database.ts';
import { checkFileSystem } from './file-systems.ts';
import { KeyRing } from './key-ring.ts';
import { KeyUpkeep } from './key-upkeep.ts';
import { addDataKey, checkCurrentKey, readDataKey, readEndKeys } from './keys.ts';
import { LifeFiles } from './life.ts';
import { readMark } from './mark.ts';
import { readMeta, writeMeta, writeVouched } from './meta.ts';
import { SqliteStore } from './sqlite-store.ts';
import { openStoreFile, type StoreFile } from './store-file.ts';
import type { Place } from './suspicion.ts';
import { Writer } from './writer.ts';

/** What opening a SQLite store takes. */
export interface SqliteStoreOptions {
  /** Owner-only folder of the store; the database is `evergrant.db` in it, life files lie in `run/`. */
  readonly folder: string;
  /** Path of a small file apart from the store, which tells that there was one and how far it had come. */
  readonly markFile: string;
  /** Where the master key is. */
  readonly masterKey: MasterKeySource;
  /** Whether a missing store may be made. */
  readonly create: boolean;
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /** This machine. */
  readonly machine: Machine;
  /** Whether using a refresh token of this connection twice may revoke its grant. */
  readonly isFragile: (client: ClientRecord, connection: ConnectionRecord) => boolean;
}

/**
 * Opens the store, making it where that is allowed and none ever was.
 *
 * @throws {@link StoreError} one code for each way store or key can be unusable; nothing was changed then, and nothing is ever made anew in
 *   place of something lost or damaged.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { folder, machine, clock } = options;
  const path = joinPath(folder, 'evergrant.db');
  const { identity, isKnown } = await findFile(path, options);
  const place = { file: identity, machineId: machine.machineId };
  const file = await openStoreFile(path, clock);
  try {
    if (schemaVersion(file.statements.database) === 0) {
      if (isKnown) throw lost(path, options.markFile);
      if (!options.create) throw missing(path);
      await fill(path, file, options, place);
    }
    return await assemble(path, file, options, place);
  } catch (error) {
    file.statements.database.close();
    throw error;
  }
}

/** The file, and what else is left of the store. */
interface Found {
  /** Identity of the file. */
  readonly identity: string;
  /** Whether there was a store before the file was looked at. */
  readonly isKnown: boolean;
}

/** Finds the file, or makes an empty one where none ever was. */
async function findFile(path: string, options: SqliteStoreOptions): Promise<Found> {
  const { folder, create, markFile } = options;
  await (create ? privateFolder(folder) : checkOwnerOnly(folder, 'folder'));
  for (const suffix of ['-wal', '-shm']) await checkOwnerOnly(path + suffix, 'file');
  // Looked for before the file: whoever makes the store at this moment makes its file first.
  const isKnown = (await readMark(markFile)) !== undefined;
  const hasWal = ((await fileSize(`${path}-wal`)) ?? 0) > 0;
  const identity = await checkOwnerOnly(path, 'file');
  // SQLite takes a file of one byte for a new database, too.
  const isEmpty = ((await fileSize(path)) ?? 0) <= 1;
  if (isEmpty && (isKnown || hasWal)) throw lost(path, markFile);
  if (isEmpty && !create) throw missing(path);
  await checkFileSystem(folder);
  if (identity !== undefined) return { identity, isKnown };
  await createPrivateFile(path);
  const made = await checkOwnerOnly(path, 'file');
  if (made !== undefined) return { identity: made, isKnown };
  throw new StoreError('ERR_STORE_UNAVAILABLE', `${path} vanished as it was made; try again`);
}

/** A store that was there once is never made anew: whoever lost it must know. */
function lost(path: string, markFile: string): StoreError {
  return new StoreError(
    'ERR_STORE_DAMAGED',
    `the store ${path} is gone or empty, though there was one; restore a backup, or remove ${markFile} and ${path}-wal to begin anew`,
  );
}

function missing(path: string): StoreError {
  return new StoreError(
    'ERR_STORE_MISSING',
    `there is no store at ${path}; connect or add something first`,
  );
}

/** Gives a blank file its tables, identity and first data key. When another process was quicker, what that one made stands. */
async function fill(
  path: string,
  file: StoreFile,
  options: SqliteStoreOptions,
  place: Place,
): Promise<void> {
  const { random, clock, masterKey: source } = options;
  const storeId = random.uuid();
  const { key, description } = await createMasterKey(source, random, storeId);
  const dataKey = createDataKey(random, key, storeId);
  const ends = { first: dataKey, current: dataKey };
  const keys = new DataKeys(random, key, storeId, ends, () => undefined);
  const { statements: sql } = file;
  await whenFree(path, clock, () => {
    migrate(sql.database, () => {
      writeMeta(sql, 'store_id', storeId);
      writeMeta(sql, 'master_key', JSON.stringify(description));
      writeMeta(sql, 'first_data_key', dataKey.id);
      writeMeta(sql, 'epoch', '1');
      writeMeta(sql, 'latest_received', '0');
      writeVouched(sql, keys, 'rotations', '0');
      writeVouched(sql, keys, 'place', JSON.stringify(place));
      addDataKey(sql, keys, dataKey, clock.now());
    });
  });
}

async function assemble(
  path: string,
  file: StoreFile,
  options: SqliteStoreOptions,
  place: Place,
): Promise<SqliteStore> {
  const { folder, clock, random, machine } = options;
  const { statements: sql } = file;
  const writer = new Writer(file, path, clock);
  const { storeId, keys, described } = await unlock(writer, file, options);
  const ring = new KeyRing(sql, keys);
  const connections = new ConnectionTable(sql, ring);
  const clients = new ClientTable(sql, ring);
  const tables = { sql, writer, connections, clients, clock, storeId };
  const { markFile, isFragile } = options;
  const copies = new CopyGuard({ ...tables, ring, machine, place, markFile, isFragile });
  const keyUpkeep = new KeyUpkeep({ ...tables, ring, random }, described);
  const runFolder = joinPath(folder, 'run');
  await privateFolder(runFolder);
  await copies.check();
  const lives = new LifeFiles({
    folder: runFolder,
    machine,
    random,
    isNamed: (ownerId) => writer.reading(() => connections.isClaimant(ownerId)),
    checkStore: async () => {
      await checkPlace(path, place);
      writer.makeWritable();
    },
  });
  const parts = { file, writer, ring, connections, clients, lives, copies, keyUpkeep, storeId };
  return new SqliteStore({ ...parts, clock });
}

async function unlock(
  writer: Writer,
  { statements: sql }: StoreFile,
  { masterKey: source, random }: SqliteStoreOptions,
): Promise<{ readonly storeId: string; readonly keys: DataKeys; readonly described: string }> {
  const [storeId, described] = writer.reading(() => [
    readMeta(sql, 'store_id'),
    readMeta(sql, 'master_key'),
  ]);
  if (storeId === undefined || described === undefined) {
    throw new StoreError(
      'ERR_STORE_DAMAGED',
      'the store has lost its identity; restore a backup, nothing was changed',
    );
  }
  const masterKey = await loadMasterKey(source, readDescription(described), storeId);
  const ends = writer.reading(() => readEndKeys(sql));
  const keys = unwrapping(
    source,
    () => new DataKeys(random, masterKey, storeId, ends, (id) => readDataKey(sql, id)),
  );
  writer.reading(() => checkCurrentKey(sql, keys));
  return { storeId, keys, described };
}

/** Who gave a passphrase has no key that could be restored. */
function unwrapping(source: MasterKeySource, open: () => DataKeys): DataKeys {
  try {
    return open();
  } catch (error) {
    const isWrong = error instanceof StoreError && error.code === 'ERR_KEY_WRONG';
    if (!isWrong || source.kind !== 'passphrase') throw error;
    throw new StoreError(
      'ERR_KEY_WRONG',
      'the passphrase is wrong, it does not open this store; give the right one, or, if this is the one, restore a backup of the store',
    );
  }
}

async function checkPlace(path: string, place: Place): Promise<void> {
  if ((await identityOf(path)) === place.file) return;
  throw new StoreError(
    'ERR_STORE_UNAVAILABLE',
    `${path} was removed or replaced while it was open; close this process and open it again`,
  );
}
