import { StoreError } from '../../errors.ts';
import type { Clock } from '../../system/clock.ts';
import { checkOwnerOnly, isEmptyFile, joinPath, privateFolder } from '../../system/files.ts';
import type { Machine } from '../../system/machine.ts';
import type { Random } from '../../system/random.ts';
import {
  createMasterKey,
  loadMasterKey,
  type MasterKeyDescription,
  type MasterKeySource,
} from '../master-key.ts';
import { DataKeys, createDataKey } from '../sealing.ts';
import { openDatabase } from './database.ts';
import { storeError } from './errors.ts';
import { readCurrentKey, readDataKey, readFirstKey } from './keys.ts';
import { LifeFiles } from './life.ts';
import { parseJson, text } from './rows.ts';
import { SqliteStore } from './sqlite-store.ts';
import { Statements } from './statements.ts';
import { Writer } from './writer.ts';

/** What opening a SQLite store takes. */
export interface SqliteStoreOptions {
  /** Owner-only folder of the store; the database is `evergrant.db` in it, life files lie in `run/`. */
  readonly folder: string;
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
}

interface Meta {
  readonly storeId: string;
  readonly masterKey: MasterKeyDescription;
}

/**
 * Opens the store, making it where that is allowed.
 *
 * @throws {@link StoreError} one code for each way store or key can be unusable; nothing was changed then, and nothing is ever made anew in
 *   place of something damaged.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { folder, clock, random, machine, create } = options;
  const runFolder = joinPath(folder, 'run');
  await (create ? privateFolder(folder) : checkOwnerOnly(folder, 'folder'));
  const path = joinPath(folder, 'evergrant.db');
  await refuseEmptied(path, runFolder, create);
  const database = await openDatabase(path, folder, clock, create);
  try {
    await privateFolder(runFolder);
    const statements = new Statements(database);
    const writer = new Writer(database, path, clock);
    const { meta, masterKey } = await unlock(options, statements, writer);
    const first = readFirstKey(statements);
    const current = readCurrentKey(statements, undefined);
    if (first === undefined || current === undefined) {
      throw new StoreError('ERR_STORE_DAMAGED', `${path} has lost its data keys; restore a backup`);
    }
    const keys = new DataKeys(random, masterKey, meta.storeId, { first, current }, (id) =>
      writer.reading(() => readDataKey(statements, id)),
    );
    const lives = new LifeFiles(runFolder, machine, random);
    const { storeId } = meta;
    const store = new SqliteStore({ database, statements, writer, keys, lives, storeId, clock });
    return store;
  } catch (error) {
    database.close();
    throw storeError(error, path);
  }
}

/** SQLite takes an empty file for a new database, even where a store was: its folder of life files, made after it, tells. */
async function refuseEmptied(path: string, runFolder: string, create: boolean): Promise<void> {
  const wasStore = (await checkOwnerOnly(runFolder, 'folder')) !== undefined;
  if (!(await isEmptyFile(path))) return;
  if (wasStore) {
    throw new StoreError(
      'ERR_STORE_DAMAGED',
      `${path} has lost all it held; restore a backup, or remove it to begin anew`,
    );
  }
  if (!create) throw new StoreError('ERR_STORE_MISSING', `${path} is empty; connect first`);
}

async function unlock(
  options: SqliteStoreOptions,
  statements: Statements,
  writer: Writer,
): Promise<{ readonly meta: Meta; readonly masterKey: Uint8Array }> {
  // Both are written in one transaction, so whoever sees the key sees the identity.
  const isMade = readFirstKey(statements) !== undefined;
  const known = readMeta(statements);
  if (known === undefined && !isMade) await initialise(options, statements, writer);
  const meta = known ?? readMeta(statements);
  if (meta === undefined)
    throw new StoreError('ERR_STORE_DAMAGED', 'the store has lost its identity; restore a backup');
  const masterKey = await loadMasterKey(options.masterKey, meta.masterKey, meta.storeId);
  return { meta, masterKey };
}

/** Gives an empty store its identity and first data key. When another process was quicker, its identity stands. */
async function initialise(
  options: SqliteStoreOptions,
  statements: Statements,
  writer: Writer,
): Promise<void> {
  const { random, clock, masterKey: source } = options;
  const storeId = random.uuid();
  const { key, description } = await createMasterKey(source, random, storeId);
  const dataKey = createDataKey(random, key, storeId);
  await writer.write(() => {
    if (readMeta(statements) !== undefined) return;
    statements.insert('meta', { key: 'store_id', value: storeId });
    statements.insert('meta', { key: 'master_key', value: JSON.stringify(description) });
    statements.insert('meta', { key: 'data_key', value: dataKey.id });
    const { id, wrapped } = dataKey;
    statements.insert('data_key', { id, wrapped, created_at: clock.now() });
  }, true);
}

function readMeta(statements: Statements): Meta | undefined {
  const rows = statements.all(
    `SELECT key, value FROM meta WHERE key IN ('store_id', 'master_key')`,
  );
  const values = new Map(rows.map((row) => [text(row, 'key'), text(row, 'value')]));
  const storeId = values.get('store_id');
  const masterKey = values.get('master_key');
  if (storeId === undefined || masterKey === undefined) return undefined;
  return { storeId, masterKey: parseJson(masterKey, 'master_key') as MasterKeyDescription };
}
