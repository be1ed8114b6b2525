import type { Change, Leftover, View } from '../../connection/decision.ts';
import type {
  ClientRecord,
  ConnectionRecord,
  EndpointState,
  LifeEvent,
  Notice,
} from '../../connection/record.ts';
import type { Sealer } from '../../connection/secrets.ts';
import type { Clock } from '../../system/clock.ts';
import type { MasterKeySource } from '../master-key.ts';
import type { AccessStore } from '../access-store.ts';
import type { ConnectionSummary, Due, Store } from '../store.ts';
import type { WebhookStore } from '../webhook-store.ts';
import { SqliteAccess } from './access.ts';
import type { ClientTable } from './clients.ts';
import type { ConnectionTable } from './connections.ts';
import type { CopyGuard, CopyStatus } from './copies.ts';
import type { StoreFile } from './store-file.ts';
import type { KeyRing } from './key-ring.ts';
import type { KeyStatus, KeyUpkeep } from './key-upkeep.ts';
import { addLife, keepLeftover, leftoversOf, lifeOf } from './history.ts';
import type { LifeFiles } from './life.ts';
import { addNotice, hasNotices, pendingNotices, removeNotice, reserveNotice } from './outbox.ts';
import { endpointOf, number, text } from './rows.ts';
import { backupStore, findDamage } from './upkeep.ts';
import { Views } from './views.ts';
import { SqliteWebhooks } from './webhooks.ts';
import type { Writer } from './writer.ts';

/** The parts of an open SQLite store. */
export interface SqliteParts {
  /** The open file. */
  readonly file: StoreFile;
  /** Its transactions. */
  readonly writer: Writer;
  /** Its data keys. */
  readonly ring: KeyRing;
  /** Its connections. */
  readonly connections: ConnectionTable;
  /** Its clients. */
  readonly clients: ClientTable;
  /** Who vouches for its claims. */
  readonly lives: LifeFiles;
  /** Whether it is the original. */
  readonly copies: CopyGuard;
  /** Its keys, for upkeep. */
  readonly keyUpkeep: KeyUpkeep;
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
  /** Who may draw, what was drawn, and what happened. */
  readonly access: AccessStore;
  /** What receivers of webhooks are still to be told. */
  readonly webhooks: WebhookStore;
  readonly #parts: SqliteParts;
  readonly #views: Views;
  #closed: Promise<void> | undefined;

  /** Made by {@link openSqliteStore}. */
  constructor(parts: SqliteParts) {
    this.#parts = parts;
    this.#views = new Views(parts);
    parts.writer.remembrance = this.#views;
    this.sealer = parts.ring.keys;
    this.claims = parts.lives;
    this.storeId = parts.storeId;
    this.access = new SqliteAccess(parts.file, parts.writer, parts.ring.keys);
    this.webhooks = new SqliteWebhooks(parts.file, parts.writer);
  }

  async transition<T>(
    connectionId: string,
    decide: (view: View) => Change<T>,
    options: { readonly durable: boolean },
  ): Promise<T | undefined> {
    const run = (): { readonly result: T; readonly rotated: boolean } | undefined => {
      const view = this.#views.view(connectionId);
      if (view === undefined) return undefined;
      const change = decide(view);
      this.#apply(view, change);
      return { result: change.result, rotated: change.connection?.generation !== undefined };
    };
    const done = await this.#parts.writer.write(run, options.durable, true);
    if (done?.rotated === true) this.#parts.copies.rotated();
    return done?.result;
  }

  async insert(record: ConnectionRecord, life: LifeEvent): Promise<void> {
    await this.#write(() => {
      this.#parts.connections.add(record);
      addLife(this.#sql, record.id, life);
    });
    this.#parts.copies.rotated();
  }

  read(connectionId: string): Promise<View | undefined> {
    return this.#reading(() => this.#views.view(connectionId));
  }

  find(name: string): Promise<View | undefined> {
    return this.#reading(() => this.#views.find(name));
  }

  ids(
    options: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    return this.#reading(() => this.#parts.connections.ids(options.after, options.limit));
  }

  list(
    options: { readonly afterName?: string; readonly limit?: number } = {},
  ): Promise<readonly ConnectionSummary[]> {
    return this.#reading(() => {
      const clients = new Map(this.#parts.clients.all().map((client) => [client.id, client]));
      const { afterName = '', limit = -1 } = options;
      return this.#parts.connections.page(afterName, limit).flatMap((connection) => {
        const client = clients.get(connection.clientId);
        return client === undefined ? [] : [{ connection, client }];
      });
    });
  }

  rename(connectionId: string, name: string): Promise<void> {
    return this.#write(() => {
      const { connections } = this.#parts;
      const before = connections.find(connectionId);
      if (before !== undefined) connections.replace(before, { ...before, name });
    });
  }

  remove(connectionId: string, grantId: string, life: LifeEvent): Promise<boolean> {
    const { connections } = this.#parts;
    return this.#write(() => {
      const record = connections.find(connectionId);
      if (record?.grantId !== grantId) return record === undefined;
      // The history goes as well, but not before this line of it was told.
      addLife(this.#sql, connectionId, life);
      connections.remove(connectionId);
      return true;
    });
  }

  hasRemoved(connectionId: string): Promise<boolean> {
    // The feed outlives what it tells of.
    const known = `SELECT 1 FROM feed WHERE connection = ?1
      AND NOT EXISTS (SELECT 1 FROM connection WHERE id = ?1) LIMIT 1`;
    return this.#reading(() => this.#sql.get(known, connectionId) !== undefined);
  }

  putClient(client: ClientRecord): Promise<ClientRecord> {
    return this.#write(() => this.#parts.clients.put(client));
  }

  tryClient(client: ClientRecord): Promise<ClientRecord> {
    const { clients } = this.#parts;
    return this.#write(() => {
      const isNew = clients.find(client.id) === undefined;
      const found = clients.put(client);
      if (isNew && found.id === client.id) clients.removeUnused(client.id);
      return found;
    });
  }

  clients(): Promise<readonly ClientRecord[]> {
    return this.#reading(() => this.#parts.clients.all());
  }

  setClientSecret(
    registration: { readonly tokenEndpoint: string; readonly clientId: string },
    secret: (client: ClientRecord, revision: number) => Uint8Array,
    secretExpiresAt: number | undefined,
  ): Promise<number> {
    const { tokenEndpoint, clientId } = registration;
    const { clients, connections } = this.#parts;
    const lifted = { secretExpiresAt, refusedAt: undefined, refusal: undefined };
    return this.#write(() => {
      let concerned = 0;
      for (const client of clients.registration(tokenEndpoint, clientId)) {
        const revision = client.revision + 1;
        clients.replace({ ...client, ...lifted, revision, secret: secret(client, revision) });
        concerned += connections.count(client.id);
      }
      return concerned;
    });
  }

  countConnections({
    tokenEndpoint,
    clientId,
  }: {
    readonly tokenEndpoint: string;
    readonly clientId: string;
  }): Promise<number> {
    const { clients, connections } = this.#parts;
    return this.#reading(() =>
      clients
        .registration(tokenEndpoint, clientId)
        .reduce((sum, { id }) => sum + connections.count(id), 0),
    );
  }

  removeUnusedClients({
    tokenEndpoint,
    clientId,
  }: {
    readonly tokenEndpoint: string;
    readonly clientId: string;
  }): Promise<number> {
    const { clients } = this.#parts;
    return this.#write(() => {
      const all = clients.registration(tokenEndpoint, clientId);
      return all.filter(({ id }) => clients.removeUnused(id)).length;
    });
  }

  due(now: number, most: number): Promise<readonly Due[]> {
    return this.#reading(() => {
      const rows = this.#sql.all(
        `SELECT id, endpoint FROM (
          SELECT connection.id, token_endpoint AS endpoint, row_number() OVER (
              PARTITION BY token_endpoint ORDER BY coalesce(access_expires_at, 0), next_step_at
            ) AS turn, coalesce(access_expires_at, 0) AS end, next_step_at
            FROM connection JOIN client ON client.id = connection.client
            WHERE next_step_at <= ? AND refused_at IS NULL
        ) WHERE turn <= ? ORDER BY end, next_step_at`,
        now,
        most,
      );
      return rows.map((row) => ({
        connectionId: text(row, 'id'),
        endpoint: text(row, 'endpoint'),
      }));
    });
  }

  nextDueAt(after = -Infinity): Promise<number | undefined> {
    return this.#reading(() => {
      const row = this.#sql.get(
        `SELECT next_step_at FROM connection JOIN client ON client.id = connection.client
          WHERE next_step_at > ? AND refused_at IS NULL ORDER BY next_step_at LIMIT 1`,
        after,
      );
      return row === undefined ? undefined : number(row, 'next_step_at');
    });
  }

  remembersAfter(at: number): Promise<boolean> {
    return this.#reading(() => this.#parts.connections.remembersAfter(at));
  }

  life(connectionId: string, limit: number): Promise<readonly LifeEvent[]> {
    return this.#reading(() => lifeOf(this.#sql, connectionId, limit));
  }

  pendingNotices(now: number, limit: number): Promise<readonly Notice[]> {
    return this.#reading(() => {
      this.#views.hasNothingToTell ||= !hasNotices(this.#sql);
      return this.#views.hasNothingToTell ? [] : pendingNotices(this.#sql, now, limit);
    });
  }

  reserveNotice(id: number, now: number, until: number): Promise<boolean> {
    return this.#parts.writer.write(() => reserveNotice(this.#sql, id, now, until), false);
  }

  noticeDelivered(id: number): Promise<void> {
    return this.#write(() => {
      removeNotice(this.#sql, id);
    });
  }

  leftovers(connectionId: string): Promise<readonly Leftover[]> {
    return this.#reading(() => leftoversOf(this.#sql, connectionId));
  }

  removeLeftover(connectionId: string, attemptId: string): Promise<void> {
    return this.#write(() => {
      this.#sql.run(
        'DELETE FROM leftover WHERE connection = ? AND attempt = ?',
        connectionId,
        attemptId,
      );
    });
  }

  endpoints(): Promise<readonly EndpointState[]> {
    return this.#reading(() =>
      this.#sql.all('SELECT state FROM endpoint ORDER BY endpoint').map(endpointOf),
    );
  }

  changeCounter(): number {
    return this.#parts.writer.reading(() => this.#views.counter);
  }

  async tidy(): Promise<void> {
    await this.#parts.lives.clean();
    await this.#parts.copies.tidy();
  }

  /** What is known of the keys, for people. */
  keyStatus(): Promise<KeyStatus> {
    return this.#reading(() => this.#parts.keyUpkeep.status());
  }

  /** As {@link KeyUpkeep.rotateDataKey}. */
  rotateDataKey(): Promise<number> {
    return this.#parts.keyUpkeep.rotateDataKey();
  }

  /** As {@link KeyUpkeep.resealAll}. */
  resealAll(): Promise<number> {
    return this.#parts.keyUpkeep.resealAll();
  }

  /** As {@link KeyUpkeep.changeMasterKey}. */
  changeMasterKey(source: MasterKeySource): Promise<void> {
    return this.#parts.keyUpkeep.changeMasterKey(source);
  }

  /** Copies the store into a new file. @throws as {@link backupStore} */
  backup(target: string): Promise<void> {
    return backupStore(this.#sql.database, target, this.#parts.clock);
  }

  /** Makes sure that the store can be written now. @throws {@link StoreError} that says why not. */
  checkWritable(): Promise<void> {
    return this.#reading(() => {
      this.#parts.file.makeWritable();
    });
  }

  /** Whether the store was noticed to be a copy, and waits for the operator. */
  copyStatus(): Promise<CopyStatus> {
    return this.#reading(() => this.#parts.copies.status());
  }

  /**
   * The operator's word that nothing else uses this copy's refresh tokens: what was held because of the copy goes on.
   *
   * @returns how many connections that were.
   */
  acceptCopy(): Promise<number> {
    return this.#parts.copies.accept();
  }

  /** Reads the whole file and says what is damaged, one line each; none when nothing is. */
  findDamage(): Promise<readonly string[]> {
    this.#views.forget();
    return this.#reading(() => findDamage(this.#sql, this.#parts, this.#parts.ring));
  }

  /** Waits for what is being written, then closes files and locks. Closing again does nothing. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { writer, lives, copies } = this.#parts;
    await writer.idle();
    try {
      await copies.close();
    } finally {
      await lives.close().finally(() => this.#sql.database.close());
    }
  }

  get #sql(): StoreFile['statements'] {
    return this.#parts.file.statements;
  }

  #write<T>(run: () => T): Promise<T> {
    return this.#parts.writer.write(() => {
      this.#views.useKeys();
      return run();
    }, true);
  }

  #reading<T>(read: () => T): Promise<T> {
    return new Promise((resolve) => {
      resolve(this.#parts.writer.reading(read));
    });
  }

  #apply(view: View, change: Change<unknown>): void {
    const { ring, connections } = this.#parts;
    const { connection } = view;
    this.#views.useKeys();
    if (change.connection !== undefined) {
      connections.replace(connection, { ...connection, ...change.connection });
    }
    if (change.endpoint !== undefined) this.#views.putEndpoint(view.endpoint, change.endpoint);
    if (change.client !== undefined) this.#views.changeClients(view.client, change.client);
    for (const event of change.life ?? []) addLife(this.#sql, connection.id, event);
    for (const notice of change.notices ?? []) {
      addNotice(this.#sql, connection.id, notice);
      this.#views.hasNothingToTell = false;
    }
    for (const left of change.leftovers ?? []) keepLeftover(this.#sql, ring, connection.id, left);
  }
}
