import type { DatabaseSync } from 'node:sqlite';
import { freshEndpoint } from '../../connection/gate.ts';
import { ConfigurationError } from '../../errors.ts';
import type {
  ClientRecord,
  ConnectionRecord,
  EndpointState,
  LifeEvent,
  Notice,
} from '../../connection/record.ts';
import type { Clock } from '../../system/clock.ts';
import {
  clientSecretContext,
  leftoverContext,
  mapSealed,
  type SealContext,
  type Sealer,
} from '../../connection/secrets.ts';
import type { Change, Leftover, View } from '../../connection/decision.ts';
import { dataKeyIdOf, type DataKeys } from '../sealing.ts';
import { LONGEST_RESERVATION_MS, type ConnectionSummary, type Store } from '../store.ts';
import type { LifeFiles } from './life.ts';
import { readCurrentKey } from './keys.ts';
import {
  clientCells,
  clientOf,
  connectionCells,
  connectionOf,
  endpointOf,
  leftoverOf,
  lifeEventOf,
  noticeOf,
  number,
  text,
} from './rows.ts';
import type { Statements } from './statements.ts';
import { backupStore, readKeyStatus, type KeyStatus } from './upkeep.ts';
import type { Writer } from './writer.ts';

/** Lines of history kept for each connection. */
const LIFE_LINES = 500;
/** Takes the instant, and until when a reservation may last. */
const NOT_RESERVED = '(coalesce(reserved_until, 0) <= ? OR reserved_until > ?)';

/** The parts of an open SQLite store. */
export interface SqliteParts {
  /** The open file. */
  readonly database: DatabaseSync;
  /** Its prepared statements. */
  readonly statements: Statements;
  /** Its transactions. */
  readonly writer: Writer;
  /** Its data keys. */
  readonly keys: DataKeys;
  /** Who vouches for its claims. */
  readonly lives: LifeFiles;
  /** Its id. */
  readonly storeId: string;
  /** Time. */
  readonly clock: Clock;
}

/** The store in one SQLite file, shared by the processes of one machine. */
export class SqliteStore implements Store {
  readonly sealer: Sealer;
  readonly claims: LifeFiles;
  readonly storeId: string;
  readonly #parts: SqliteParts;
  readonly #sql: Statements;

  /** Made by {@link openSqliteStore}. */
  constructor(parts: SqliteParts) {
    this.#parts = parts;
    this.#sql = parts.statements;
    this.sealer = parts.keys;
    this.claims = parts.lives;
    this.storeId = parts.storeId;
  }

  transition<T>(
    connectionId: string,
    decide: (view: View) => Change<T>,
    options: { readonly durable: boolean },
  ): Promise<T | undefined> {
    return this.#parts.writer.write(() => {
      const view = this.#view(connectionId);
      if (view === undefined) return undefined;
      const change = decide(view);
      this.#followKeyRotation();
      this.#apply(view, change);
      return change.result;
    }, options.durable);
  }

  insert(record: ConnectionRecord, life: LifeEvent): Promise<void> {
    return this.#parts.writer.write(() => {
      this.#followKeyRotation();
      this.#refuseTakenName(record.name);
      this.#sql.insert('connection', connectionCells(this.#current(record)));
      this.#addLife(record.id, life);
    }, true);
  }

  read(connectionId: string): Promise<View | undefined> {
    return this.#reading(() => this.#view(connectionId));
  }

  resolve(name: string): Promise<string | undefined> {
    return this.#reading(() => {
      const row = this.#sql.get('SELECT id FROM connection WHERE name = ?', name);
      return row === undefined ? undefined : text(row, 'id');
    });
  }

  list(
    options: { readonly afterName?: string; readonly limit?: number } = {},
  ): Promise<readonly ConnectionSummary[]> {
    return this.#reading(() => {
      const clients = new Map(this.#clients().map((client) => [client.id, client]));
      const rows = this.#sql.all(
        'SELECT * FROM connection WHERE name > ? ORDER BY name LIMIT ?',
        options.afterName ?? '',
        options.limit ?? -1,
      );
      return rows.map(connectionOf).flatMap((connection) => {
        const client = clients.get(connection.clientId);
        return client === undefined ? [] : [{ connection, client }];
      });
    });
  }

  rename(connectionId: string, name: string): Promise<void> {
    return this.#parts.writer.write(() => {
      this.#refuseTakenName(name);
      this.#sql.update('connection', connectionId, { name });
    }, true);
  }

  remove(connectionId: string): Promise<void> {
    return this.#parts.writer.write(() => {
      this.#sql.run('DELETE FROM connection WHERE id = ?', connectionId);
    }, true);
  }

  putClient(client: ClientRecord): Promise<ClientRecord> {
    return this.#parts.writer.write(() => {
      this.#followKeyRotation();
      this.#sql.insert('client', clientCells(this.#currentClient(client)), 'OR IGNORE');
      const row = this.#sql.get(
        `SELECT * FROM client WHERE provider = ? AND client_id = ? AND token_endpoint = ?
          AND authentication = ? AND overrides = ?`,
        client.provider,
        client.clientId,
        client.tokenEndpoint,
        client.authentication,
        JSON.stringify(client.overrides),
      );
      if (row === undefined) throw new TypeError('the client that was just put is not there');
      return clientOf(row);
    }, true);
  }

  clients(): Promise<readonly ClientRecord[]> {
    return this.#reading(() => this.#clients());
  }

  setClientSecret(
    registration: { readonly tokenEndpoint: string; readonly clientId: string },
    secret: (client: ClientRecord, revision: number) => Uint8Array,
    secretExpiresAt: number | undefined,
  ): Promise<number> {
    const { tokenEndpoint, clientId } = registration;
    return this.#parts.writer.write(() => {
      this.#followKeyRotation();
      let connections = 0;
      for (const client of this.#registration(tokenEndpoint, clientId)) {
        const revision = client.revision + 1;
        this.#sql.update('client', client.id, {
          secret: this.#reseal(
            secret(client, revision),
            clientSecretContext({ id: client.id, revision }),
          ),
          secret_expires_at: secretExpiresAt ?? null,
          revision,
          refused_at: null,
          refusal: null,
        });
        const row = this.#sql.get(
          'SELECT count(*) AS n FROM connection WHERE client = ?',
          client.id,
        );
        connections += row === undefined ? 0 : number(row, 'n');
      }
      return connections;
    }, true);
  }

  due(now: number, limit: number): Promise<readonly string[]> {
    return this.#reading(() => {
      const rows = this.#sql.all(
        `SELECT connection.id FROM connection JOIN client ON client.id = connection.client
          WHERE next_step_at <= ? AND refused_at IS NULL
          ORDER BY coalesce(access_expires_at, 0), next_step_at LIMIT ?`,
        now,
        limit,
      );
      return rows.map((row) => text(row, 'id'));
    });
  }

  nextDueAt(): Promise<number | undefined> {
    return this.#reading(() => {
      const row = this.#sql.get(
        `SELECT next_step_at FROM connection JOIN client ON client.id = connection.client
          WHERE next_step_at IS NOT NULL AND refused_at IS NULL ORDER BY next_step_at LIMIT 1`,
      );
      return row === undefined ? undefined : number(row, 'next_step_at');
    });
  }

  life(connectionId: string, limit: number): Promise<readonly LifeEvent[]> {
    return this.#reading(() =>
      this.#sql
        .all(
          'SELECT * FROM life WHERE connection = ? ORDER BY id DESC LIMIT ?',
          connectionId,
          limit,
        )
        .map(lifeEventOf),
    );
  }

  pendingNotices(now: number, limit: number): Promise<readonly Notice[]> {
    return this.#reading(() =>
      this.#sql
        .all(
          `SELECT notice.*, connection.name AS name FROM notice
            LEFT JOIN connection ON connection.id = notice.connection
            WHERE delivered_at IS NULL AND ${NOT_RESERVED}
            ORDER BY notice.id LIMIT ?`,
          now,
          now + LONGEST_RESERVATION_MS,
          limit,
        )
        .map(noticeOf),
    );
  }

  reserveNotice(id: number, now: number, until: number): Promise<boolean> {
    return this.#parts.writer.write(() => {
      const reserved = this.#sql.run(
        `UPDATE notice SET reserved_until = ?
          WHERE id = ? AND delivered_at IS NULL AND ${NOT_RESERVED}`,
        until,
        id,
        now,
        now + LONGEST_RESERVATION_MS,
      );
      return reserved > 0;
    }, false);
  }

  noticeDelivered(id: number, now: number): Promise<void> {
    return this.#parts.writer.write(() => {
      this.#sql.run('UPDATE notice SET delivered_at = ? WHERE id = ?', now, id);
    }, true);
  }

  leftovers(connectionId: string): Promise<readonly Leftover[]> {
    return this.#reading(() =>
      this.#sql
        .all('SELECT * FROM leftover WHERE connection = ? ORDER BY at DESC', connectionId)
        .map(leftoverOf),
    );
  }

  removeLeftover(connectionId: string, attemptId: string): Promise<void> {
    return this.#parts.writer.write(() => {
      this.#sql.run(
        'DELETE FROM leftover WHERE connection = ? AND attempt = ?',
        connectionId,
        attemptId,
      );
    }, true);
  }

  endpoints(): Promise<readonly EndpointState[]> {
    return this.#reading(() =>
      this.#sql.all('SELECT state FROM endpoint ORDER BY endpoint').map(endpointOf),
    );
  }

  changeCounter(): number {
    const row = this.#sql.get('PRAGMA data_version');
    return row === undefined ? 0 : number(row, 'data_version');
  }

  /**
   * Seals everything anew under a new data key, one connection a transaction, while others go on working. When it was interrupted the next
   * call finishes it first.
   *
   * @returns how many connections were sealed anew.
   */
  async rotateDataKey(): Promise<number> {
    const { keys, writer, clock } = this.#parts;
    const fresh = keys.create();
    await writer.write(() => {
      this.#sql.run('UPDATE data_key SET retired_at = ? WHERE retired_at IS NULL', clock.now());
      this.#sql.insert('data_key', {
        id: fresh.id,
        wrapped: fresh.wrapped,
        created_at: clock.now(),
      });
      this.#sql.insert('meta', { key: 'data_key', value: fresh.id }, 'OR REPLACE');
    }, true);
    keys.use(fresh);
    return this.resealAll();
  }

  /** Seals anew what still lies under a retired data key. @returns how many connections that were. */
  async resealAll(): Promise<number> {
    let resealed = 0;
    for (const { connection } of await this.list()) {
      if (await this.#resealConnection(connection.id)) resealed++;
    }
    await this.#parts.writer.write(() => {
      this.#followKeyRotation();
      for (const client of this.#clients()) {
        this.#sql.update('client', client.id, {
          secret: this.#currentClient(client).secret ?? null,
        });
      }
    }, true);
    return resealed;
  }

  /** What is known of the keys, for people. */
  keyStatus(): Promise<KeyStatus> {
    return this.#reading(() => readKeyStatus(this.#sql));
  }

  /** Copies the store into a new file. @throws {@link StoreError} when that cannot be written */
  backup(target: string): Promise<void> {
    return backupStore(this.#parts.database, target);
  }

  async close(): Promise<void> {
    await this.#parts.lives.close((ownerId) => this.isClaimant(ownerId));
    this.#parts.database.close();
  }

  tidy(): Promise<void> {
    return this.#parts.lives.clean((ownerId) => this.isClaimant(ownerId));
  }

  /** Tells whether any claim names this owner. */
  isClaimant(ownerId: string): boolean {
    const row = this.#sql.get(
      `SELECT 1 FROM connection WHERE claim IS NOT NULL AND claim ->> '$.owner.ownerId' = ? LIMIT 1`,
      ownerId,
    );
    return row !== undefined;
  }

  #reading<T>(read: () => T): Promise<T> {
    return new Promise((resolve) => {
      resolve(this.#parts.writer.reading(read));
    });
  }

  #view(connectionId: string): View | undefined {
    const row = this.#sql.get('SELECT * FROM connection WHERE id = ?', connectionId);
    if (row === undefined) return undefined;
    const clientRow = this.#sql.get('SELECT * FROM client WHERE id = ?', text(row, 'client'));
    if (clientRow === undefined) return undefined;
    const client = clientOf(clientRow);
    const endpoint = this.#sql.get(
      'SELECT state FROM endpoint WHERE endpoint = ?',
      client.tokenEndpoint,
    );
    return {
      connection: connectionOf(row),
      client,
      endpoint: endpoint === undefined ? freshEndpoint(client.tokenEndpoint) : endpointOf(endpoint),
    };
  }

  #apply(view: View, change: Change<unknown>): void {
    const { id } = view.connection;
    if (change.connection !== undefined) this.#replace(view.connection, change.connection);
    if (change.endpoint !== undefined) {
      const { endpoint } = change.endpoint;
      this.#sql.insert(
        'endpoint',
        { endpoint, state: JSON.stringify(change.endpoint) },
        'OR REPLACE',
      );
    }
    if (change.client !== undefined && Object.keys(change.client).length > 0) {
      const { refusedAt, refusal } = change.client;
      for (const client of this.#registration(view.client.tokenEndpoint, view.client.clientId)) {
        const cells = { refused_at: refusedAt ?? null, refusal: refusal ?? null };
        this.#sql.update('client', client.id, cells);
      }
    }
    for (const event of change.life ?? []) this.#addLife(id, event);
    for (const { kind, actor, at, message } of change.notices ?? []) {
      this.#sql.insert('notice', { connection: id, kind, actor, at, message });
    }
    for (const leftover of change.leftovers ?? []) this.#keep(id, leftover);
  }

  #replace(before: ConnectionRecord, change: Partial<ConnectionRecord>): void {
    const cellsBefore = connectionCells(before);
    const after = connectionCells(this.#current({ ...before, ...change }));
    const changed = Object.entries(after).filter(([column, cell]) => cellsBefore[column] !== cell);
    if (changed.length > 0) this.#sql.update('connection', before.id, Object.fromEntries(changed));
  }

  #keep(connection: string, leftover: Leftover): void {
    const { kind, grantId: grant_id, attemptId: attempt, at } = leftover;
    const sealed = this.#reseal(leftover.sealed, leftoverContext(attempt));
    this.#sql.insert('leftover', { connection, attempt, kind, grant_id, sealed, at }, 'OR REPLACE');
  }

  #addLife(connection: string, event: LifeEvent): void {
    this.#sql.insert('life', {
      connection,
      at: event.at,
      event: event.event,
      grant_id: event.grantId,
      generation: event.generation,
      by_keeper: event.by,
      fingerprint: event.fingerprint ?? null,
      detail: event.detail ?? null,
    });
    if (event.generation % 64 !== 0) return;
    this.#sql.run(
      `DELETE FROM life WHERE connection = ?1 AND id <=
        (SELECT id FROM life WHERE connection = ?1 ORDER BY id DESC LIMIT 1 OFFSET ${String(LIFE_LINES)})`,
      connection,
    );
  }

  #clients(): readonly ClientRecord[] {
    return this.#sql.all('SELECT * FROM client ORDER BY provider, client_id').map(clientOf);
  }

  #registration(tokenEndpoint: string, clientId: string): readonly ClientRecord[] {
    return this.#sql
      .all(
        'SELECT * FROM client WHERE token_endpoint = ? AND client_id = ?',
        tokenEndpoint,
        clientId,
      )
      .map(clientOf);
  }

  #refuseTakenName(name: string): void {
    if (this.#sql.get('SELECT 1 FROM connection WHERE name = ?', name) === undefined) return;
    throw new ConfigurationError(
      'ERR_CONNECTION_EXISTS',
      `a connection named ${name} exists already; choose another name, or reconnect it`,
      { connection: name },
    );
  }

  /** Another process may have rotated the data key since: what is written now must not lie under the retired one. */
  #followKeyRotation(): void {
    const { keys } = this.#parts;
    const current = readCurrentKey(this.#sql, keys.currentId);
    if (current !== undefined) keys.use(current);
  }

  #current(record: ConnectionRecord): ConnectionRecord {
    return mapSealed(record, (sealed, context) => this.#reseal(sealed, context));
  }

  #currentClient(client: ClientRecord): ClientRecord {
    if (client.secret === undefined) return client;
    return { ...client, secret: this.#reseal(client.secret, clientSecretContext(client)) };
  }

  #reseal(sealed: Uint8Array, context: SealContext): Uint8Array {
    const { keys } = this.#parts;
    if (dataKeyIdOf(sealed) === keys.currentId) return sealed;
    return keys.seal(keys.open(sealed, context), context);
  }

  #resealConnection(connectionId: string): Promise<boolean> {
    return this.#parts.writer.write(() => {
      this.#followKeyRotation();
      const row = this.#sql.get('SELECT * FROM connection WHERE id = ?', connectionId);
      if (row === undefined) return false;
      const before = connectionOf(row);
      const after = this.#current(before);
      for (const left of this.#sql.all(
        'SELECT * FROM leftover WHERE connection = ?',
        connectionId,
      )) {
        this.#keep(connectionId, leftoverOf(left));
      }
      if (after !== before) this.#sql.update('connection', connectionId, connectionCells(after));
      return after !== before;
    }, true);
  }
}
