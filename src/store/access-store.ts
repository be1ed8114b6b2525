/*
 * Who may draw tokens through a daemon, what was drawn, and what happened: kept beside the connections, so that several daemons of one store
 * agree. No rule lives here: `daemon/access/` decides.
 */

/** What a caller may do. `token`: be given tokens; `proxy`: have calls made; `read`: see; `manage`: change. */
export type Verb = 'token' | 'proxy' | 'read' | 'manage';

/** What a key may be used for. Whatever is not named is refused. */
export interface Policy {
  /** Names of connections; `*` stands for any characters. */
  readonly connections: readonly string[];
  /** What may be done with them. */
  readonly verbs: readonly Verb[];
  /** Hosts that the proxy may call, with their port where it is not the usual one; undefined: those of the connection. */
  readonly hosts?: readonly string[] | undefined;
  /** Methods that the proxy may use; undefined: all. */
  readonly methods?: readonly string[] | undefined;
  /** Paths that the proxy may call; `*` stands for any characters; undefined: all. */
  readonly paths?: readonly string[] | undefined;
  /** Most requests in a stretch of time; undefined: no limit. */
  readonly rate?: { readonly requests: number; readonly perMs: number } | undefined;
}

/** A key that somebody was given, as the store knows it: the key itself is not here. */
export interface AccessKey {
  /** The part of the key that names it. */
  readonly id: string;
  /** Whom it was made for. */
  readonly name: string;
  /** SHA-256 of the key's secret part. */
  readonly digest: Uint8Array;
  /** What it is good for. */
  readonly policy: Policy;
  /** When it was made. */
  readonly createdAt: number;
  /** From when on it is refused; undefined: never by itself. */
  readonly expiresAt: number | undefined;
  /** Since when it is revoked. */
  readonly revokedAt: number | undefined;
}

/** Something that a caller asked for, granted or not. */
export interface Draw {
  /** When; of several alike, the last. */
  readonly at: number;
  /** Name of the key's holder; `owner` through the owner's socket; `unknown` where no key was good. */
  readonly caller: string;
  /** Id of the key, if there was one. */
  readonly keyId: string | undefined;
  /** Name of the connection, if one was named. */
  readonly connection: string | undefined;
  /** What was asked for. */
  readonly verb: Verb;
  /** The operation, and for the proxy method and target without query. */
  readonly what: string;
  /** Why it was refused; undefined when it was granted. */
  readonly refusedBecause: string | undefined;
  /** How many alike this stands for. */
  readonly count: number;
}

/** Which draws are wanted. */
export interface DrawFilter {
  /** Of one connection. */
  readonly connection?: string | undefined;
  /** Of one caller. */
  readonly caller?: string | undefined;
  /** Refused ones alone. */
  readonly refused?: boolean | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** Something that happened to a connection, in the order in which it was recorded. */
export interface FeedEvent {
  /** Grows with each; never used twice. */
  readonly id: number;
  /** When. */
  readonly at: number;
  /** A line of history (`refreshed`, `attention`, …) or `notice`. */
  readonly event: string;
  /** Id of the connection; undefined for a notice about a client. */
  readonly connectionId: string | undefined;
  /** Its name then. */
  readonly connection: string | undefined;
  /** Its generation afterwards; undefined for a notice. */
  readonly generation: number | undefined;
  /** In words. */
  readonly detail: string | undefined;
  /** Of a notice: what happened. */
  readonly kind?: string;
  /** Of a notice: who must act. */
  readonly actor?: string;
}

/** Keys, draws and events of a store. */
export interface AccessStore {
  /**
   * Adds a key.
   *
   * @throws {@link ConfigurationError} `ERR_ARGUMENT` when a key of that name is in use.
   */
  addKey(key: AccessKey): Promise<void>;
  /** The key of an id, revoked and expired ones too. @throws {@link StoreError} `ERR_STORE_DAMAGED` when it was altered. */
  key(id: string): AccessKey | undefined;
  /** All keys in order of name. */
  keys(): Promise<readonly AccessKey[]>;
  /** Revokes the keys of a name that are not revoked yet. @returns how many. */
  revokeKeys(name: string, now: number): Promise<number>;
  /**
   * Adds rows to the audit. The newest `keep` of what was granted stay, and a tenth as many of what was refused; a hundredth more may stand for
   * a while. The commit survives the process, not a loss of power.
   */
  addDraws(draws: readonly Draw[], keep: number): Promise<void>;
  /** Rows of the audit, the newest first. */
  draws(filter: DrawFilter): Promise<readonly Draw[]>;
  /** Events after one, oldest first, `limit` at most. */
  events(afterId: number, limit: number): readonly FeedEvent[];
  /** Id of the oldest event that is kept and of the newest; 0 where there was none yet. */
  eventRange(): { readonly first: number; readonly last: number };
}
