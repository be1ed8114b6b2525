import type { Change, Leftover, View } from '../connection/decision.ts';
import type {
  ClientRecord,
  ConnectionRecord,
  EndpointState,
  LifeEvent,
  Notice,
  Owner,
  Sealed,
} from '../connection/record.ts';
import type { Sealer } from '../connection/secrets.ts';

/*
 * What a store promises. The rules of refreshing live in pure functions of `connection/`; a store runs such a function atomically
 * against what it holds, and nothing else. So SQLite and PostgreSQL cannot differ in a rule, only in how they make a step atomic.
 */

/** Vouches for the owners of claims. */
export interface ClaimAuthority {
  /**
   * Makes sure that others can tell that this keeper lives, and names it. Call before each claim and again before each intent: when the
   * owner changed in between (somebody removed its proof), the attempt must start over.
   */
  identify(): Promise<Owner>;
  /** Tells whether the owner of a claim lives. `unknown` means that nobody can tell; such a claim is left alone. */
  judge(owner: Owner): Promise<'alive' | 'dead' | 'unknown'>;
}

/** No reservation of a message lasts longer; one that ends further ahead was made before the clock was set back, and does not count. */
export const LONGEST_RESERVATION_MS = 300_000;

/** Answers that nobody could read, kept for each connection: a server that sends nothing else for days must not fill the disk. */
export const MOST_UNREAD = 16;

/** A row for lists: no secret, nothing to decrypt. */
export interface ConnectionSummary {
  /** The connection. */
  readonly connection: ConnectionRecord;
  /** Its client. */
  readonly client: ClientRecord;
}

/** A connection whose next step is due. */
export interface Due {
  /** Id of the connection. */
  readonly connectionId: string;
  /** Its token endpoint. */
  readonly endpoint: string;
}

/** A connection's rows and everything needed to keep it alive. One store serves many keepers at once. */
export interface Store {
  /** Seals and opens. */
  readonly sealer: Sealer;
  /** Vouches for claims. */
  readonly claims: ClaimAuthority;
  /** Random id given at creation. */
  readonly storeId: string;

  /**
   * Runs `decide` on the rows of a connection and applies what it returns, atomically. `decide` is synchronous and pure, and may be run
   * again when the store was busy. With `durable` the commit is on disk when the promise resolves; without, it is visible to all and
   * survives the process, not the machine.
   *
   * @returns what `decide` put in `result`, or undefined when the connection does not exist.
   * @throws {@link StoreError} when nothing could be written; then nothing was.
   */
  transition<T>(
    connectionId: string,
    decide: (view: View) => Change<T>,
    options: { readonly durable: boolean },
  ): Promise<T | undefined>;

  /**
   * Adds a connection with its first line of history.
   *
   * @throws {@link ConfigurationError} `ERR_CONNECTION_EXISTS` when the name is taken.
   */
  insert(record: ConnectionRecord, life: LifeEvent): Promise<void>;
  /** Reads a connection with its client and endpoint; undefined when there is none. */
  read(connectionId: string): Promise<View | undefined>;
  /** As {@link Store.read}, by name. */
  find(name: string): Promise<View | undefined>;
  /** Ids of connections in their order, `limit` of them after `after`. Damage to a connection hides neither it nor others. */
  ids(options?: { readonly after?: string; readonly limit?: number }): Promise<readonly string[]>;
  /** Connections in order of name, `limit` of them after `afterName`. */
  list(options?: {
    readonly afterName?: string;
    readonly limit?: number;
  }): Promise<readonly ConnectionSummary[]>;
  /**
   * Gives a connection another name; history stays.
   *
   * @throws {@link ConfigurationError} `ERR_CONNECTION_EXISTS` when the name is taken.
   */
  rename(connectionId: string, name: string): Promise<void>;
  /**
   * Removes a tombstone with all that belongs to it, unless the connection got another grant since.
   *
   * @param grantId - that of the tombstone.
   * @param life - the last that is heard of it.
   * @returns whether it is gone.
   */
  remove(connectionId: string, grantId: string, life: LifeEvent): Promise<boolean>;

  /**
   * Whether a connection was here and was removed. False of one that the store has never known, as a restored backup knows nothing of what was
   * connected since, and of one whose removal was too long ago.
   */
  hasRemoved(connectionId: string): Promise<boolean>;

  /** Adds the client, or hands back the one with the same provider, registration and overrides. */
  putClient(client: ClientRecord): Promise<ClientRecord>;
  /**
   * The client with the same provider, registration and overrides, or the one given where there is none. Leaves all as it was, but writes, so that
   * what keeps {@link Store.putClient} from storing it is known.
   */
  tryClient(client: ClientRecord): Promise<ClientRecord>;
  /** All clients. */
  clients(): Promise<readonly ClientRecord[]>;
  /** How many connections belong to a registration. */
  countConnections(registration: {
    readonly tokenEndpoint: string;
    readonly clientId: string;
  }): Promise<number>;
  /** Replaces the secret of every client of a registration and lifts its refusal. @returns how many connections that concerns. */
  setClientSecret(
    registration: { readonly tokenEndpoint: string; readonly clientId: string },
    secret: (client: ClientRecord, revision: number) => Sealed,
    secretExpiresAt: number | undefined,
  ): Promise<number>;
  /** Removes the clients of a registration that no connection names, with their secrets. @returns how many that were. */
  removeUnusedClients(registration: {
    readonly tokenEndpoint: string;
    readonly clientId: string;
  }): Promise<number>;

  /** What is due at `now`, the soonest-expiring first, `most` of each token endpoint; costs in proportion to what is due. */
  due(now: number, most: number): Promise<readonly Due[]>;
  /** When the next step of any connection is due, of those due later than `after` if that is given; undefined when none ever is. */
  nextDueAt(after?: number): Promise<number | undefined>;
  /** Whether any token set was received, or any claim taken, after an instant. Costs next to nothing where none was. */
  remembersAfter(at: number): Promise<boolean>;

  /** A connection's history, newest first. */
  life(connectionId: string, limit: number): Promise<readonly LifeEvent[]>;
  /** Messages neither delivered nor reserved at `now`, oldest first; at `Infinity`, which no reservation reaches, all that are not delivered. */
  pendingNotices(now: number, limit: number): Promise<readonly Notice[]>;
  /**
   * Reserves a message for delivery by this keeper until `until`, at most {@link LONGEST_RESERVATION_MS} ahead, so that a keeper which
   * dies over it loses nothing.
   *
   * @returns false when it is delivered or reserved already.
   */
  reserveNotice(id: number, now: number, until: number): Promise<boolean>;
  /** Forgets a message that was delivered. */
  noticeDelivered(id: number): Promise<void>;
  /** Sealed things kept for a connection, newest first; of answers that nobody could read no more than {@link MOST_UNREAD}. */
  leftovers(connectionId: string): Promise<readonly Leftover[]>;
  /** Forgets a sealed thing. */
  removeLeftover(connectionId: string, attemptId: string): Promise<void>;
  /** All token endpoints known. */
  endpoints(): Promise<readonly EndpointState[]>;

  /**
   * A number that differs from the last one when another process may have written. Cheap and synchronous: callers poll it before they
   * trust what they remember.
   */
  changeCounter(): number;
  /** Removes what keepers that ended without closing left behind and nobody needs any more. */
  tidy(): Promise<void>;
  /** Closes files and locks. The store is unusable afterwards. */
  close(): Promise<void>;
}
