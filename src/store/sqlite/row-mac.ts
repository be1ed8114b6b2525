import { timingSafeEqual } from 'node:crypto';
import { StoreError } from '../../errors.ts';
import type { DataKeys } from '../sealing.ts';
import type { Cell, Row } from './rows.ts';

/*
 * What is not sealed is authenticated: each row of a client, a connection and a key carries a keyed digest of its cells. Who can write the file
 * but has no key cannot send a client's secret to another endpoint or let itself in, and a bit that flips is noticed before it is believed. Sealed cells
 * vouch for themselves; only whether they are there is in the digest.
 */

/** Tables whose rows carry a MAC. */
export type AuthenticatedTable = 'client' | 'connection' | 'access_key';

/** The cells of a row, with its MAC. */
export function withMac(
  keys: DataKeys,
  table: AuthenticatedTable,
  cells: Readonly<Record<string, Cell>>,
): Record<string, Cell> {
  return { ...cells, mac: macOf(keys, table, cells) };
}

/**
 * The row, if it is one that this store wrote.
 *
 * @throws {@link StoreError} `ERR_STORE_DAMAGED`
 */
export function checkMac(keys: DataKeys, table: AuthenticatedTable, row: Row): Row {
  const found = row['mac'];
  const right = macOf(keys, table, row);
  if (
    found instanceof Uint8Array &&
    found.length === right.length &&
    timingSafeEqual(found, right)
  ) {
    return row;
  }
  throw new StoreError(
    'ERR_STORE_DAMAGED',
    `the stored ${table} ${String(row['id'])} was altered or damaged; restore a backup, nothing was changed`,
  );
}

/** Columns of each table in order of name. A row of other columns than its table has does not pass for one of this store's. */
const sortedColumns = new Map<AuthenticatedTable, readonly string[]>();

function columnsOf(table: AuthenticatedTable, row: Row): readonly string[] {
  const columns = Object.keys(row).filter((column) => column !== 'mac');
  const known = sortedColumns.get(table);
  if (known?.length === columns.length) return known;
  columns.sort();
  sortedColumns.set(table, columns);
  return columns;
}

function macOf(keys: DataKeys, table: AuthenticatedTable, row: Row): Uint8Array {
  const cells = columnsOf(table, row).map((column) => [column, plainOf(row[column])]);
  return keys.mac(JSON.stringify([table, ...cells]));
}

function plainOf(cell: Cell | bigint | undefined): unknown {
  return cell instanceof Uint8Array ? true : typeof cell === 'bigint' ? String(cell) : cell;
}
