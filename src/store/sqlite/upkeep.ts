import { backup, type DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../errors.ts';
import { createPrivateFile, removeFile } from '../../system/files.ts';
import type { MasterKeyDescription } from '../master-key.ts';
import { storeError } from './errors.ts';
import { number, parseJson, text } from './rows.ts';
import type { Statements } from './statements.ts';

/** The keys of a store, for people; holds none of them. */
export interface KeyStatus {
  /** Where the master key is. */
  readonly masterKey: 'file' | 'passphrase' | 'keychain';
  /** Data keys, the newest first. Retired ones stay while anything may lie under them. */
  readonly dataKeys: readonly {
    /** Sixteen hex digits. */
    readonly id: string;
    /** Epoch milliseconds. */
    readonly createdAt: number;
    /** Epoch milliseconds; undefined for the one in use. */
    readonly retiredAt: number | undefined;
  }[];
}

/** Reads what is known of the keys of a store. */
export function readKeyStatus(sql: Statements): KeyStatus {
  const row = sql.get(`SELECT value FROM meta WHERE key = 'master_key'`);
  if (row === undefined) {
    throw new StoreError('ERR_STORE_DAMAGED', 'the store has lost its identity; restore a backup');
  }
  const { kind } = parseJson(text(row, 'value'), 'master_key') as MasterKeyDescription;
  const rows = sql.all(
    'SELECT id, created_at, retired_at FROM data_key ORDER BY created_at DESC, rowid DESC',
  );
  return {
    masterKey: kind,
    dataKeys: rows.map((key) => ({
      id: text(key, 'id'),
      createdAt: number(key, 'created_at'),
      retiredAt: key['retired_at'] === null ? undefined : number(key, 'retired_at'),
    })),
  };
}

/**
 * Copies an open store into one new owner-only file, while it goes on being used. The copy is of one instant and sealed as the store is;
 * SQLite writes it in one transaction, so it is whole or empty.
 *
 * @throws {@link StoreError} when something lies at the target, or it cannot be written; then nothing is left there.
 */
export async function backupStore(database: DatabaseSync, target: string): Promise<void> {
  if (!(await createPrivateFile(target))) {
    throw new StoreError('ERR_STORE_FOREIGN', `${target} exists already; choose another name`);
  }
  try {
    await backup(database, target);
  } catch (error) {
    await removeFile(target);
    throw storeError(error, target);
  }
}
