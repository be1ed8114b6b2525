import type { ConnectionRecord } from '../../connection/record.ts';
import { mapSealed } from '../../connection/secrets.ts';
import { ConfigurationError, StoreError } from '../../errors.ts';
import type { KeyRing } from './key-ring.ts';
import { Known } from './known.ts';
import { readMeta } from './meta.ts';
import { checkMac, withMac } from './row-mac.ts';
import { connectionCells, connectionOf, number, text, type Cell, type Row } from './rows.ts';
import type { Statements } from './statements.ts';
import { Tally } from './tally.ts';

/** A connection and its row as it lies in the file. */
interface Stored {
  readonly record: ConnectionRecord;
  readonly cells: Readonly<Record<string, Cell>>;
}

/** Some kilobytes each, and of use only while a connection is refreshed: so many at once are few. */
const MOST_ROWS = 256;

/** Damage to one row must not keep all others from what is asked here: nobody believes what that row claims. */
const CLAIMED = 'SELECT 1 FROM connection WHERE claim IS NOT NULL AND json_valid(claim)';

/**
 * The rows of connections: read with their MAC checked, written with it and under the data key in use. Rows are remembered, which is right
 * as long as nobody else writes; whoever opens the transaction says when to forget.
 */
export class ConnectionTable {
  /** What the changes of a transaction add up to. */
  readonly tally: Tally;
  readonly #known = new Known<Stored>(MOST_ROWS);
  readonly #ids = new Known<string>();
  readonly #sql: Statements;
  readonly #ring: KeyRing;

  /** Reads and writes inside whatever transaction is open. */
  constructor(sql: Statements, ring: KeyRing) {
    this.#sql = sql;
    this.#ring = ring;
    this.tally = new Tally(sql, ring.keys);
  }

  /** Believes nothing that was read before. */
  forget(): void {
    this.#known.clear();
    this.#ids.clear();
    this.tally.forget();
  }

  /** A connection by id. */
  find(id: string): ConnectionRecord | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return known.record;
    const row = this.#sql.get('SELECT * FROM connection WHERE id = ?', id);
    if (row === undefined) return undefined;
    const record = this.#read(row);
    if (record.id !== id) throw damagedIndex('ids');
    this.#known.set(id, { record, cells: row as Record<string, Cell> });
    return record;
  }

  /**
   * A connection by name. What an index of names says is not believed alone: a name that the first does not know is looked for in the
   * second, lest damage hide a connection, and the row must have the name, lest somebody be served the token of another.
   */
  named(name: string): ConnectionRecord | undefined {
    const id = this.#ids.get(name) ?? this.#idOf(name);
    if (id === undefined) return undefined;
    const record = this.find(id);
    if (record?.name !== name) throw damagedIndex('names');
    this.#ids.set(name, id);
    return record;
  }

  #idOf(name: string): string | undefined {
    const row =
      this.#sql.get('SELECT id FROM connection WHERE name = ?', name) ??
      this.#sql.get(
        'SELECT id FROM connection INDEXED BY connection_name_again WHERE name = ?',
        name,
      );
    return row && text(row, 'id');
  }

  /** Those after a name, in order of name. A negative limit is none. */
  page(afterName: string, limit: number): readonly ConnectionRecord[] {
    return this.#sql
      .all('SELECT * FROM connection WHERE name > ? ORDER BY name LIMIT ?', afterName, limit)
      .map((row) => this.#read(row));
  }

  /** Ids after one, in their order; all of them where nothing is said. A negative limit is none. */
  ids(after = '', limit = -1): readonly string[] {
    return this.#sql
      .all('SELECT id FROM connection WHERE id > ? ORDER BY id LIMIT ?', after, limit)
      .map((row) => text(row, 'id'));
  }

  /** How many belong to a client. */
  count(clientId: string): number {
    const row = this.#sql.get('SELECT count(*) AS n FROM connection WHERE client = ?', clientId);
    return row === undefined ? 0 : number(row, 'n');
  }

  /** Whether any claim names this owner. */
  isClaimant(ownerId: string): boolean {
    const row = this.#sql.get(`${CLAIMED} AND claim ->> '$.owner.ownerId' = ? LIMIT 1`, ownerId);
    return row !== undefined;
  }

  /** Whether a token set was received, or a claim taken, after an instant. Reads rows only where that may be. */
  remembersAfter(at: number): boolean {
    const claimed = this.#sql.get(`${CLAIMED} AND claim ->> '$.claimedAt' > ? LIMIT 1`, at);
    if (claimed !== undefined) return true;
    const latest = Number(readMeta(this.#sql, 'latest_received') ?? Infinity);
    if (latest <= at) return false;
    const received = this.#sql.get(
      `SELECT 1 FROM connection
        WHERE json_valid(token_set) AND token_set ->> '$.receivedAt' > ? LIMIT 1`,
      at,
    );
    return received !== undefined;
  }

  /** Adds a connection. @throws {@link ConfigurationError} `ERR_CONNECTION_EXISTS` */
  add(record: ConnectionRecord): void {
    this.#refuseTakenName(record.name);
    this.#sql.insert('connection', this.#cells(this.#sealed(record)));
    this.#noteReceived(undefined, record);
    if (record.tokens !== undefined) this.tally.rotated();
  }

  /** Writes what differs between two states of a connection, and what lies under a retired data key. @returns whether anything did. */
  replace(before: ConnectionRecord, after: ConnectionRecord): boolean {
    if (after.name !== before.name) this.#refuseTakenName(after.name);
    const known = this.#known.get(before.id);
    const stored =
      known?.record === before ? known : { record: before, cells: connectionCells(before) };
    const record = this.#sealed(after);
    const cells = this.#cells(record, stored);
    const changed: Record<string, Cell> = {};
    for (const column of Object.keys(cells)) {
      const cell = cells[column];
      if (cell !== undefined && cell !== stored.cells[column]) changed[column] = cell;
    }
    // The MAC is always among them.
    if (Object.keys(changed).length < 2) return false;
    this.#sql.update('connection', before.id, changed);
    this.#known.set(before.id, { record, cells });
    if (after.name !== before.name) this.#ids.clear();
    this.#noteReceived(before, after);
    if (after.generation !== before.generation) this.tally.rotated();
    return true;
  }

  /** Removes a connection with all that belongs to it. */
  remove(id: string): void {
    this.#sql.run('DELETE FROM connection WHERE id = ?', id);
    this.forget();
  }

  #sealed(record: ConnectionRecord): ConnectionRecord {
    return mapSealed(record, (bytes, context) => this.#ring.reseal(bytes, context));
  }

  #cells(record: ConnectionRecord, before?: Stored): Record<string, Cell> {
    return withMac(this.#ring.keys, 'connection', connectionCells(record, before));
  }

  #read(row: Row): ConnectionRecord {
    return connectionOf(checkMac(this.#ring.keys, 'connection', row));
  }

  /** Keeps the latest instant at which any token set was received. */
  #noteReceived(before: ConnectionRecord | undefined, { tokens }: ConnectionRecord): void {
    if (tokens === undefined || tokens.receivedAt === before?.tokens?.receivedAt) return;
    this.tally.received(tokens.receivedAt);
  }

  #refuseTakenName(name: string): void {
    if (this.named(name) === undefined) return;
    throw new ConfigurationError(
      'ERR_CONNECTION_EXISTS',
      `a connection named ${name} exists already; choose another name, or reconnect it`,
      { connection: name },
    );
  }
}

function damagedIndex(of: string): StoreError {
  return new StoreError(
    'ERR_STORE_DAMAGED',
    `the index of ${of} in the store is damaged; restore a backup, nothing was changed`,
  );
}
