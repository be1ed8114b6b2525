/*
 * What the store keeps of a connection and of the client it belongs to. Plain immutable data: the policies beside this file read it, a
 * store's transition replaces it whole.
 */

/** What a refresh does to the refresh token; see the table of words in ARCHITECTURE.md. `unknown` is treated as `single-use`. */
export type Rotation = 'none' | 'reusable' | 'grace' | 'single-use' | 'unknown';

/** Encrypted bytes that only the store which holds their key can open. */
export type Sealed = Uint8Array;

/** How a connection began, which decides how it is renewed. */
export type Beginning = 'authorization_code' | 'device_code' | 'client_credentials' | 'import';

/** The account that consented, as far as the id token or the person told. */
export interface Subject {
  /** `iss` of the id token. */
  readonly issuer: string | undefined;
  /** `sub` (or Entra's `oid`, which is the same for all clients). */
  readonly id: string;
  /** A name people recognise, e.g. `preferred_username`. */
  readonly display: string | undefined;
}

/** The three sets of scopes that must not be confused. */
export interface Scopes {
  /** Asked for when the person consented. */
  readonly requested: readonly string[];
  /** Granted then; equal to `requested` where the server did not say. */
  readonly granted: readonly string[];
  /** Asked for at a refresh, where that is not derived from the other two. */
  readonly refresh: readonly string[] | undefined;
}

/** Access token, refresh token and what came with them at one instant. */
export interface TokenSet {
  /** The access token; undefined when none may be served, e.g. after an import of a refresh token alone. */
  readonly accessToken: Sealed | undefined;
  /** The refresh token; undefined where the grant has none. */
  readonly refreshToken: Sealed | undefined;
  /** The id token, if one came. */
  readonly idToken: Sealed | undefined;
  /** Scheme for the Authorization header, e.g. `Bearer`. */
  readonly tokenType: string;
  /** Scopes of this access token as last returned. */
  readonly scope: readonly string[];
  /** Wall time just before the request that brought this access token was sent. */
  readonly receivedAt: number;
  /** Life of the access token from `receivedAt` on: the life issued, but for a token that was imported. */
  readonly accessLifeMs: number;
  /** Set when it was imported: what it had lived before, and so the life issued, is not known. */
  readonly isImported?: true | undefined;
  /** True expiry of the access token. */
  readonly accessExpiresAt: number;
  /** When background renewal wants to refresh; drawn once per generation. */
  readonly dueAt: number;
  /** When the refresh token ends, where the server or the provider's idle limit tells. */
  readonly refreshExpiresAt: number | undefined;
  /** First eight hex digits of a keyed digest of the refresh token, to correlate without revealing. */
  readonly fingerprint: string | undefined;
}

/** Who must act on a connection that needs attention. */
export type Actor = 'owner' | 'operator' | 'administrator' | 'nobody';

/** A refresh token may have been used up by a request whose answer was lost. Left by one last try, or by a person. */
export interface Uncertain {
  /** Tells it from the other states. */
  readonly kind: 'uncertain';
  /** Since when. */
  readonly since: number;
  /** Why the answer did not come, in words. */
  readonly reason: string;
  /** False when only a person may order the last try: the option forbids it, or the store was copied or restored. */
  readonly lastTry: boolean;
  /** Where the store was copied or restored: the doubt there was before, which accepting the copy does not end. */
  readonly before?: Uncertain | undefined;
}

/** Where a connection stands. Each state holds only what it needs. */
export type ConnectionState =
  /** Kept alive. */
  | { readonly kind: 'active' }
  | Uncertain
  /** Nothing will be sent until somebody acts. */
  | {
      readonly kind: 'attention';
      readonly since: number;
      readonly actor: Actor;
      /** Stable code of errors.ts, so that every face reports the same. */
      readonly code: string;
      readonly reason: string;
      readonly remedy: string;
    }
  /** Stopped by a person; `before` returns on resume. */
  | {
      readonly kind: 'paused';
      readonly since: number;
      readonly before: Exclude<ConnectionState, { readonly kind: 'paused' | 'disconnected' }>;
    }
  /** A tombstone, until revocation is done. */
  | { readonly kind: 'disconnected'; readonly since: number };

/** A keeper as its claims name it. */
export interface Owner {
  /** Random id of the keeper's life. */
  readonly ownerId: string;
  /** Identity of the machine. */
  readonly machineId: string;
  /** Identity of the machine's current boot. */
  readonly bootId: string;
  /** Device and inode of the life file, so that a copy is not taken for the original. */
  readonly life: string;
  /** Process id, for people only. */
  readonly pid: number;
}

/** The right to send for one connection. */
export interface Claim {
  /** Who holds it. */
  readonly owner: Owner;
  /** Names this one attempt. */
  readonly attemptId: string;
  /** When it was taken. */
  readonly claimedAt: number;
}

/** Written before a request leaves: this refresh token may be used up by this attempt. */
export interface Intent {
  /** The attempt that armed it last. */
  readonly attemptId: string;
  /** Grant and generation whose refresh token is at stake. */
  readonly grantId: string;
  /** See `grantId`. */
  readonly generation: number;
  /** When the first attempt of this generation armed it; a grace counts from here. */
  readonly firstAt: number;
  /** The machine's uptime then, where the server has a grace: the wall clock may have been set since. */
  readonly firstUptimeMs: number | undefined;
  /** Boot in which that was; across a boot the clocks may not agree. */
  readonly bootId: string;
  /** Attempts of this generation that may have been sent, this one included. */
  readonly count: number;
}

/** The last thing that went wrong, for people. */
export interface LastError {
  /** When. */
  readonly at: number;
  /** Kind of the outcome, e.g. `throttled`. */
  readonly outcome: string;
  /** In words, without a secret. */
  readonly message: string;
}

/** How long to leave the server alone. */
export interface Backoff {
  /** Failures in a row. */
  readonly failures: number;
  /** No request before this instant. */
  readonly notBefore: number;
}

/** Everything the store keeps of one connection. */
export interface ConnectionRecord {
  /** Never changes. */
  readonly id: string;
  /** Unique among the connections of a store; may change. */
  readonly name: string;
  /** The {@link ClientRecord} it belongs to. */
  readonly clientId: string;
  /** How it began. */
  readonly beginning: Beginning;
  /** The account behind it, where known. */
  readonly subject: Subject | undefined;
  /** Asked, granted, asked at refresh. */
  readonly scopes: Scopes;
  /** Perspio's tenant id for the `tid` header. */
  readonly perspioTenantId: string | undefined;
  /** The API gateway's key. */
  readonly subscriptionKey: Sealed | undefined;
  /** Renewed by connecting again, importing or disconnecting. */
  readonly grantId: string;
  /** Counter of token sets; never goes back. */
  readonly generation: number;
  /** The set that lives now. */
  readonly tokens: TokenSet | undefined;
  /** Where it stands. */
  readonly state: ConnectionState;
  /** Who may send now. */
  readonly claim: Claim | undefined;
  /** Whose request may have used the refresh token up. */
  readonly intent: Intent | undefined;
  /** How long to leave the server alone. */
  readonly backoff: Backoff;
  /** The last thing that went wrong since the last success. */
  readonly lastError: LastError | undefined;
  /** When it was first connected. */
  readonly createdAt: number;
}

/** Everything the store keeps of one registration at an authorization server. */
export interface ClientRecord {
  /** Never changes. */
  readonly id: string;
  /** Name of the provider profile. */
  readonly provider: string;
  /** RFC 6749 section 2.2. */
  readonly clientId: string;
  /** Where this registration is used; with `clientId` it identifies the registration. */
  readonly tokenEndpoint: string;
  /** RFC 6749 section 2.3. */
  readonly authentication:
    'none' | 'client_secret_post' | 'client_secret_basic' | 'client_secret_basic_raw';
  /** The client secret, if it has one. */
  readonly secret: Sealed | undefined;
  /** When the secret ends, where the operator told. */
  readonly secretExpiresAt: number | undefined;
  /** Fields of the provider profile that this registration overrides, as JSON data. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Counter of secrets; part of what the secret is sealed to. */
  readonly revision: number;
  /** Since when the server refuses this client; undefined while it does not. */
  readonly refusedAt: number | undefined;
  /** What the server said then. */
  readonly refusal: string | undefined;
}

/** What all processes of a store know of one token endpoint. */
export interface EndpointState {
  /** The token endpoint's URL. */
  readonly endpoint: string;
  /** Failures in a row, over all connections. */
  readonly failures: number;
  /** No request before this instant. */
  readonly blockedUntil: number;
  /** Why, in words. */
  readonly blockedBecause: string | undefined;
  /** Until when the server itself asked to be left alone; the rest of `blockedUntil` is the breaker's. */
  readonly askedUntil?: number | undefined;
  /** Instants of the newest requests, oldest first, as many as the budget allows in its window. */
  readonly recent: readonly number[];
  /** How many requests each of `recent` stands for, where a large budget makes it the last of several; left out where each is one. */
  readonly counts?: readonly number[] | undefined;
}

/** What a line of history written by this version may tell; docs/daemon.md says what each means. */
export type LifeKind =
  | 'connected'
  | 'reconnected'
  | 'refreshed'
  | 'recovered'
  | 'refresh_failed'
  | 'answer_lost'
  | 'late_answer'
  | 'uncertain'
  | 'attention'
  | 'client_refused'
  | 'paused'
  | 'resumed'
  | 'renamed'
  | 'disconnected'
  | 'removed'
  | 'copy_accepted';

/** One line of a connection's history. */
export interface LifeEvent {
  /** When. */
  readonly at: number;
  /** What happened, e.g. `connected`, `refreshed`, `refresh_failed`, `uncertain`, `attention`, `renamed`. */
  readonly event: string;
  /** Grant at that time. */
  readonly grantId: string;
  /** Generation after the event. */
  readonly generation: number;
  /** Which keeper, e.g. `host pid 4711`. */
  readonly by: string;
  /** Fingerprint of the refresh token held afterwards. */
  readonly fingerprint: string | undefined;
  /** In words, without a secret. */
  readonly detail: string | undefined;
}

/** A message that somebody must get, kept until it is delivered. */
export interface Notice {
  /** Unique; also the order. */
  readonly id: number;
  /** Connection concerned; undefined for one about a client. */
  readonly connection: string | undefined;
  /** What happened: `uncertain`, `attention`, `client_refused`, `recovered`. */
  readonly kind: string;
  /** Who must act. */
  readonly actor: Actor;
  /** When it arose. */
  readonly at: number;
  /** What happened and what to do, in words. */
  readonly message: string;
}
