import type { WrappedDataKey } from '../sealing.ts';
import { text, type Row } from './rows.ts';
import type { Statements } from './statements.ts';

/** A data key by id; undefined when the store has none of that id. */
export function readDataKey(sql: Statements, id: string): WrappedDataKey | undefined {
  const row = sql.get('SELECT id, wrapped FROM data_key WHERE id = ?', id);
  return row === undefined ? undefined : dataKeyOf(row);
}

/** The store's oldest data key. */
export function readFirstKey(sql: Statements): WrappedDataKey | undefined {
  const row = sql.get('SELECT id, wrapped FROM data_key ORDER BY created_at, rowid LIMIT 1');
  return row === undefined ? undefined : dataKeyOf(row);
}

/** The data key to seal with, if it is another one than `knownId`. */
export function readCurrentKey(
  sql: Statements,
  knownId: string | undefined,
): WrappedDataKey | undefined {
  const row = sql.get(`SELECT value FROM meta WHERE key = 'data_key'`);
  const id = row === undefined ? undefined : text(row, 'value');
  return id === undefined || id === knownId ? undefined : readDataKey(sql, id);
}

function dataKeyOf(row: Row): WrappedDataKey {
  const wrapped = row['wrapped'];
  return {
    id: text(row, 'id'),
    wrapped: wrapped instanceof Uint8Array ? wrapped : new Uint8Array(),
  };
}
