import type { Change, Leftover, View } from '../../src/connection/decision.ts';
import type {
  ClientRecord,
  ConnectionRecord,
  EndpointState,
  LifeEvent,
  Notice,
  Sealed,
} from '../../src/connection/record.ts';
import type { Sealer } from '../../src/connection/secrets.ts';
import { ConfigurationError } from '../../src/errors.ts';
import type { ClaimAuthority, ConnectionSummary, Due, Store } from '../../src/store/store.ts';
import type { Database, Image, StoredNotice } from './database.ts';
import {
  apply,
  byName,
  isFree,
  isSameClient,
  noticeOf,
  refuseTakenName,
  registered,
  steps,
  viewOf,
  withRow,
} from './image.ts';

/** How a process reaches the disk: when, and whether at all. */
export interface StorePort<By> {
  /** Who writes. */
  readonly by: By;
  /** Runs a write when its turn comes; rejects instead when the store refuses. */
  write<T>(run: () => T): Promise<T>;
  /** The same for a read. */
  read<T>(run: () => T): Promise<T>;
  /** Whether a decision is made twice, as when the store is busy; what it came to at first is dropped. */
  decidesTwice?(): boolean;
}

/** A store in memory over a simulated disk: one handle a process. */
export class SimStore<By> implements Store {
  readonly sealer: Sealer;
  readonly claims: ClaimAuthority;
  readonly storeId: string;
  readonly #database: Database<By>;
  readonly #port: StorePort<By>;
  #own = 0;
  #closed = false;

  constructor(
    database: Database<By>,
    port: StorePort<By>,
    parts: { readonly sealer: Sealer; readonly claims: ClaimAuthority; readonly storeId: string },
  ) {
    this.#database = database;
    this.#port = port;
    this.sealer = parts.sealer;
    this.claims = parts.claims;
    this.storeId = parts.storeId;
  }

  transition<T>(
    connectionId: string,
    decide: (view: View) => Change<T>,
    { durable }: { readonly durable: boolean },
  ): Promise<T | undefined> {
    return this.#write(() => {
      const image = this.#database.image;
      const row = image.rows.get(connectionId);
      const view = row && viewOf(image, row);
      if (row === undefined || view === undefined) return undefined;
      if (this.#port.decidesTwice?.() === true) decide(view);
      const change = decide(view);
      if (Object.keys(change).length > 1) this.#commit(apply(image, row, view, change), durable);
      return change.result;
    });
  }

  insert(connection: ConnectionRecord, life: LifeEvent): Promise<void> {
    return this.#write(() => {
      const image = this.#database.image;
      refuseTakenName(image, connection.name);
      this.#commit(withRow(image, { connection, life: [life], leftovers: [] }), true);
    });
  }

  read(connectionId: string): Promise<View | undefined> {
    return this.#read((image) => {
      const row = image.rows.get(connectionId);
      return row && viewOf(image, row);
    });
  }

  find(name: string): Promise<View | undefined> {
    return this.#read((image) => {
      const row = byName(image, name);
      return row && viewOf(image, row);
    });
  }

  ids(
    options: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    const { after = '', limit } = options;
    return this.#read((image) =>
      [...image.rows.keys()]
        .filter((id) => id > after)
        .sort()
        .slice(0, limit),
    );
  }

  list(
    options: { readonly afterName?: string; readonly limit?: number } = {},
  ): Promise<readonly ConnectionSummary[]> {
    const { afterName = '', limit } = options;
    return this.#read((image) =>
      [...image.rows.values()]
        .filter(({ connection }) => connection.name > afterName)
        .sort((one, other) => (one.connection.name < other.connection.name ? -1 : 1))
        .slice(0, limit)
        .flatMap((row) => viewOf(image, row) ?? [])
        .map(({ connection, client }) => ({ connection, client })),
    );
  }

  rename(connectionId: string, name: string): Promise<void> {
    return this.#write(() => {
      const image = this.#database.image;
      const row = image.rows.get(connectionId);
      if (row === undefined || row.connection.name === name) return;
      refuseTakenName(image, name);
      this.#commit(withRow(image, { ...row, connection: { ...row.connection, name } }), true);
    });
  }

  remove(connectionId: string, grantId: string, _life: LifeEvent): Promise<boolean> {
    return this.#write(() => {
      const image = this.#database.image;
      const rows = new Map(image.rows);
      const row = rows.get(connectionId);
      if (row !== undefined && row.connection.grantId !== grantId) return false;
      const removed = new Set(image.removed);
      if (rows.delete(connectionId)) removed.add(connectionId);
      const notices = image.notices.filter((notice) => notice.connectionId !== connectionId);
      this.#commit({ ...image, rows, notices, removed }, true);
      return true;
    });
  }

  hasRemoved(connectionId: string): Promise<boolean> {
    return this.#read((image) => image.removed.has(connectionId));
  }

  putClient(client: ClientRecord): Promise<ClientRecord> {
    return this.#write(() => {
      const image = this.#database.image;
      const known = [...image.clients.values()].find((other) => isSameClient(client, other));
      if (known !== undefined) return known;
      this.#commit({ ...image, clients: new Map(image.clients).set(client.id, client) }, true);
      return client;
    });
  }

  tryClient(client: ClientRecord): Promise<ClientRecord> {
    return this.#write(() => {
      const image = this.#database.image;
      const known = [...image.clients.values()].find((other) => isSameClient(client, other));
      if (known === undefined) this.#commit(image, true);
      return known ?? client;
    });
  }

  clients(): Promise<readonly ClientRecord[]> {
    return this.#read((image) =>
      [...image.clients.values()].sort((one, other) =>
        `${one.provider} ${one.clientId}` < `${other.provider} ${other.clientId}` ? -1 : 1,
      ),
    );
  }

  setClientSecret(
    registration: { readonly tokenEndpoint: string; readonly clientId: string },
    secret: (client: ClientRecord, revision: number) => Sealed,
    secretExpiresAt: number | undefined,
  ): Promise<number> {
    return this.#write(() => {
      const image = this.#database.image;
      const clients = new Map(image.clients);
      for (const client of registered(image, registration)) {
        const revision = client.revision + 1;
        clients.set(client.id, {
          ...client,
          secret: secret(client, revision),
          secretExpiresAt,
          revision,
          refusedAt: undefined,
          refusal: undefined,
        });
      }
      this.#commit({ ...image, clients }, true);
      const ids = new Set(registered(image, registration).map(({ id }) => id));
      return [...image.rows.values()].filter(({ connection }) => ids.has(connection.clientId))
        .length;
    });
  }

  countConnections(registration: {
    readonly tokenEndpoint: string;
    readonly clientId: string;
  }): Promise<number> {
    return this.#read((image) => {
      const ids = new Set(registered(image, registration).map(({ id }) => id));
      const all = [...image.rows.values()];
      return all.filter(({ connection }) => ids.has(connection.clientId)).length;
    });
  }

  removeUnusedClients(registration: {
    readonly tokenEndpoint: string;
    readonly clientId: string;
  }): Promise<number> {
    return this.#write(() => {
      const image = this.#database.image;
      const used = new Set([...image.rows.values()].map(({ connection }) => connection.clientId));
      const unused = registered(image, registration).filter(({ id }) => !used.has(id));
      const clients = new Map(image.clients);
      for (const { id } of unused) clients.delete(id);
      this.#commit({ ...image, clients }, true);
      return unused.length;
    });
  }

  due(now: number, most: number): Promise<readonly Due[]> {
    return this.#read((image) => {
      const turns = new Map<string, number>();
      return steps(image)
        .filter(({ at }) => at <= now)
        .sort((one, other) => one.expiresAt - other.expiresAt || one.at - other.at)
        .filter(({ endpoint }) => {
          const turn = (turns.get(endpoint) ?? 0) + 1;
          turns.set(endpoint, turn);
          return turn <= most;
        })
        .map(({ connectionId, endpoint }) => ({ connectionId, endpoint }));
    });
  }

  nextDueAt(after = -Infinity): Promise<number | undefined> {
    return this.#read((image) => {
      const all = steps(image)
        .map(({ at }) => at)
        .filter((at) => at > after);
      return all.length === 0 ? undefined : Math.min(...all);
    });
  }

  remembersAfter(at: number): Promise<boolean> {
    return this.#read((image) =>
      [...image.rows.values()].some(({ connection: { tokens, claim } }) => {
        return (tokens?.receivedAt ?? 0) > at || (claim?.claimedAt ?? 0) > at;
      }),
    );
  }

  life(connectionId: string, limit: number): Promise<readonly LifeEvent[]> {
    return this.#read((image) =>
      (image.rows.get(connectionId)?.life ?? []).toReversed().slice(0, limit),
    );
  }

  pendingNotices(now: number, limit: number): Promise<readonly Notice[]> {
    return this.#read((image) =>
      image.notices
        .filter((notice) => isFree(notice, now))
        .slice(0, limit)
        .map((notice) => noticeOf(image, notice)),
    );
  }

  reserveNotice(id: number, now: number, until: number): Promise<boolean> {
    return this.#write(() => {
      const found = this.#database.image.notices.find((notice) => notice.id === id);
      if (found === undefined || !isFree(found, now)) return false;
      this.#replaceNotice({ ...found, reservedUntil: until }, false);
      return true;
    });
  }

  noticeDelivered(id: number): Promise<void> {
    return this.#write(() => {
      const found = this.#database.image.notices.find((notice) => notice.id === id);
      if (found !== undefined) this.#replaceNotice({ ...found, delivered: true }, true);
    });
  }

  leftovers(connectionId: string): Promise<readonly Leftover[]> {
    return this.#read((image) =>
      [...(image.rows.get(connectionId)?.leftovers ?? [])].sort((a, b) => b.at - a.at),
    );
  }

  removeLeftover(connectionId: string, attemptId: string): Promise<void> {
    return this.#write(() => {
      const image = this.#database.image;
      const row = image.rows.get(connectionId);
      if (row === undefined) return;
      const leftovers = row.leftovers.filter((leftover) => leftover.attemptId !== attemptId);
      this.#commit(withRow(image, { ...row, leftovers }), true);
    });
  }

  endpoints(): Promise<readonly EndpointState[]> {
    return this.#read((image) =>
      [...image.endpoints.values()].sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1)),
    );
  }

  changeCounter(): number {
    return this.#database.commits - this.#own;
  }

  /** Keepers leave nothing behind here. */
  tidy(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #write<T>(write: () => T): Promise<T> {
    return this.#closed ? Promise.reject(closedError()) : this.#port.write(write);
  }

  #read<T>(read: (image: Image) => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError());
    return this.#port.read(() => read(this.#database.image));
  }

  #commit(image: Image, durable: boolean): void {
    this.#own++;
    this.#database.commit(this.#port.by, image, durable);
  }

  #replaceNotice(notice: StoredNotice, durable: boolean): void {
    const image = this.#database.image;
    const notices = image.notices.map((other) => (other.id === notice.id ? notice : other));
    this.#commit({ ...image, notices }, durable);
  }
}

function closedError(): ConfigurationError {
  return new ConfigurationError('ERR_KEEPER_CLOSED', 'the simulated store is closed');
}
