import { StoreError } from '../../errors.ts';
import type { DataKeys } from '../sealing.ts';
import type { Statements } from './statements.ts';

/** What a store keeps of itself. */
export type MetaKey =
  /** Random id given at creation. */
  | 'store_id'
  /** How to get the master key, as JSON. */
  | 'master_key'
  /** Id of the data key in use, and how many there were when it was made. */
  | 'data_key'
  /** Id of the data key that fingerprints and MACs derive from for good. */
  | 'first_data_key'
  /** Counter of token sets recorded, over all connections. */
  | 'rotations'
  /** The latest instant at which a token set was received; missing in a store that did not note it from the start. */
  | 'latest_received'
  /** Counter of the copies that were noticed. */
  | 'epoch'
  /** The file and machine it was last known to be at, as JSON. */
  | 'place'
  /** Set while a copy waits for the operator, as JSON. */
  | 'unconfirmed'
  /** Set in a backup: when it was made. */
  | 'backup_at';

/** Reads a value; undefined when there is none. */
export function readMeta(sql: Statements, key: MetaKey): string | undefined {
  const value = sql.get('SELECT value FROM meta WHERE key = ?', key)?.['value'];
  return typeof value === 'string' ? value : undefined;
}

/** Writes a value. */
export function writeMeta(sql: Statements, key: MetaKey, value: string): void {
  sql.insert('meta', { key, value }, 'OR REPLACE');
}

/** Forgets a value. */
export function clearMeta(sql: Statements, key: MetaKey): void {
  sql.run('DELETE FROM meta WHERE key = ?', key);
}

/**
 * Values that carry a MAC: damage to the first two would be taken for a copied store, and whoever set the third could choose the key that new
 * secrets are sealed with.
 */
export type VouchedKey = 'rotations' | 'place' | 'data_key';

/** Writes a value with its MAC. */
export function writeVouched(
  sql: Statements,
  keys: DataKeys,
  key: VouchedKey,
  value: string,
): void {
  writeMeta(sql, key, `${macOf(keys, key, value)} ${value}`);
}

/** Reads a value that {@link writeVouched} wrote. @throws {@link StoreError} `ERR_STORE_DAMAGED` when there is no such value */
export function readVouched(sql: Statements, keys: DataKeys, key: VouchedKey): string {
  const [mac, ...words] = readMeta(sql, key)?.split(' ') ?? [];
  const value = words.join(' ');
  if (mac === macOf(keys, key, value)) return value;
  throw new StoreError(
    'ERR_STORE_DAMAGED',
    `the store has lost its ${key}; restore a backup, nothing was changed`,
  );
}

function macOf(keys: DataKeys, key: VouchedKey, value: string): string {
  return Buffer.from(keys.mac(`meta ${key} ${value}`)).toString('hex');
}
