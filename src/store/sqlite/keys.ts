import { StoreError } from '../../errors.ts';
import type { WrappedDataKey } from '../sealing.ts';
import { readMeta, writeMeta } from './meta.ts';
import { text, type Row } from './rows.ts';
import type { Statements } from './statements.ts';

/** A data key by id; undefined when the store has none of that id. */
export function readDataKey(sql: Statements, id: string): WrappedDataKey | undefined {
  const row = sql.get('SELECT id, wrapped FROM data_key WHERE id = ?', id);
  return row === undefined ? undefined : dataKeyOf(row);
}

/** All data keys, the oldest first. */
export function readDataKeys(sql: Statements): readonly WrappedDataKey[] {
  return sql.all('SELECT id, wrapped FROM data_key ORDER BY number').map(dataKeyOf);
}

/**
 * The store's oldest data key and the one to seal with.
 *
 * @throws {@link StoreError} `ERR_STORE_DAMAGED` when they are gone.
 */
export function readEndKeys(sql: Statements): {
  readonly first: WrappedDataKey;
  readonly current: WrappedDataKey;
} {
  const first = namedKey(sql, 'first_data_key');
  const current = namedKey(sql, 'data_key');
  if (first !== undefined && current !== undefined) return { first, current };
  throw new StoreError(
    'ERR_STORE_DAMAGED',
    'the store has lost its data keys; restore a backup, nothing was changed',
  );
}

/** The data key to seal with, if it is another one than `knownId`. */
export function readNewerKey(sql: Statements, knownId: string): WrappedDataKey | undefined {
  return readMeta(sql, 'data_key') === knownId ? undefined : namedKey(sql, 'data_key');
}

/** Adds a data key and makes it the one to seal with; the others are retired. */
export function addDataKey(sql: Statements, { id, wrapped }: WrappedDataKey, now: number): void {
  sql.run('UPDATE data_key SET retired_at = ? WHERE retired_at IS NULL', now);
  sql.insert('data_key', { id, wrapped, created_at: now });
  writeMeta(sql, 'data_key', id);
}

function namedKey(
  sql: Statements,
  name: 'data_key' | 'first_data_key',
): WrappedDataKey | undefined {
  const id = readMeta(sql, name);
  return id === undefined ? undefined : readDataKey(sql, id);
}

function dataKeyOf(row: Row): WrappedDataKey {
  const wrapped = row['wrapped'];
  return {
    id: text(row, 'id'),
    wrapped: wrapped instanceof Uint8Array ? wrapped : new Uint8Array(),
  };
}
