import { StoreError } from '../../errors.ts';
import type { DataKeys, WrappedDataKey } from '../sealing.ts';
import { readMeta, readVouched, writeVouched } from './meta.ts';
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
  const first = dataKey(sql, readMeta(sql, 'first_data_key'));
  const current = dataKey(sql, currentId(sql));
  if (first !== undefined && current !== undefined) return { first, current };
  return lose();
}

/**
 * The data key to seal with, if it is another one than the one in use.
 *
 * @throws {@link StoreError} `ERR_STORE_DAMAGED` as {@link checkCurrentKey}.
 */
export function readNewerKey(sql: Statements, keys: DataKeys): WrappedDataKey | undefined {
  const id = currentId(sql);
  if (id === keys.currentId) return undefined;
  checkCurrentKey(sql, keys);
  return dataKey(sql, id) ?? lose();
}

/**
 * Makes sure that the store itself chose the data key to seal with, and that it is the newest: one that was retired may be known to others.
 *
 * @throws {@link StoreError} `ERR_STORE_DAMAGED` when it is not.
 */
export function checkCurrentKey(sql: Statements, keys: DataKeys): void {
  const count = countKeys(sql);
  // With one key there is no choice; stores of the first days did not vouch for it.
  if (count === 1) return;
  const [, made] = readVouched(sql, keys, 'data_key').split(' ');
  if (Number(made) !== count) lose();
}

/** Adds a data key and makes it the one to seal with; the others are retired. */
export function addDataKey(
  sql: Statements,
  keys: DataKeys,
  { id, wrapped }: WrappedDataKey,
  now: number,
): void {
  sql.run('UPDATE data_key SET retired_at = ? WHERE retired_at IS NULL', now);
  sql.insert('data_key', { id, wrapped, created_at: now });
  writeVouched(sql, keys, 'data_key', `${id} ${String(countKeys(sql))}`);
}

function currentId(sql: Statements): string | undefined {
  const [first, second] = readMeta(sql, 'data_key')?.split(' ') ?? [];
  return second ?? first;
}

function countKeys(sql: Statements): number {
  return Number(sql.get('SELECT count(*) AS n FROM data_key')?.['n']);
}

function dataKey(sql: Statements, id: string | undefined): WrappedDataKey | undefined {
  return id === undefined ? undefined : readDataKey(sql, id);
}

function dataKeyOf(row: Row): WrappedDataKey {
  const wrapped = row['wrapped'];
  return {
    id: text(row, 'id'),
    wrapped: wrapped instanceof Uint8Array ? wrapped : new Uint8Array(),
  };
}

function lose(): never {
  throw new StoreError(
    'ERR_STORE_DAMAGED',
    'the store has lost its data keys; restore a backup, nothing was changed',
  );
}
