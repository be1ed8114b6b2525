/*
 * What the daemon answers, where undefined is null. Not imported from the daemon: its types need Node's, which a browser's code must not know.
 * test/unit/dashboard/types.test.ts holds each of them against the schema of the answer, so that one that changes there does not compile.
 */

/** Who must act. */
export type Actor = 'owner' | 'operator' | 'administrator' | 'nobody';

/** A connection as a row of the list. */
export interface Glance {
  /** Name. */
  readonly name: string;
  /** Account behind it. */
  readonly account: string | null;
  /** Name of the provider's profile. */
  readonly provider: string;
  /** Client id of the registration. */
  readonly clientId: string;
  /** How it began. */
  readonly beginning: string;
  /** Where it stands. */
  readonly state: 'active' | 'uncertain' | 'attention' | 'paused' | 'disconnected';
  /** Who must act. */
  readonly actor: Actor | null;
  /** Why. */
  readonly reason: string | null;
  /** Since when. */
  readonly since: number | null;
  /** Counter of token sets. */
  readonly generation: number;
  /** When the tokens came. */
  readonly receivedAt: number | null;
  /** When the access token ends. */
  readonly accessExpiresAt: number | null;
  /** When the next request is made. */
  readonly nextRefreshAt: number | null;
  /** When the last try failed, since the last success. */
  readonly failedAt: number | null;
  /** Why it failed. */
  readonly failure: string | null;
  /** Whether a request is under way. */
  readonly isRefreshing: boolean;
}

/** Something that happened. */
export interface FeedEvent {
  /** Grows with each. */
  readonly id: number;
  /** When. */
  readonly at: number;
  /** What, in the words of the store. */
  readonly event: string;
  /** To which connection. */
  readonly connection: string | null;
  /** Its generation afterwards. */
  readonly generation: number | null;
  /** In words. */
  readonly detail: string | null;
}

/** What happened since. */
export interface Changes {
  /** Now, by the daemon's clock. */
  readonly at: number;
  /** Id of the newest event. */
  readonly last: number;
  /** False: read everything again. */
  readonly isWhole: boolean;
  /** What happened, oldest first. */
  readonly events: readonly FeedEvent[];
  /** Those it happened to, as they are now. */
  readonly connections: readonly Glance[];
  /** Names that are no more. */
  readonly gone: readonly string[];
}

/** A line of a connection's history. */
export interface LifeEvent {
  /** When. */
  readonly at: number;
  /** What. */
  readonly event: string;
  /** Generation afterwards. */
  readonly generation: number;
  /** Which process. */
  readonly by: string;
  /** In words. */
  readonly detail: string | null;
}

/** All about one connection. */
export interface Explanation {
  /** Where it stands. */
  readonly status: Omit<Glance, 'failedAt' | 'failure' | 'isRefreshing'> & {
    /** Of the account; it stays when its name changes. */
    readonly accountId: string | null;
    /** Where it is refreshed. */
    readonly tokenEndpoint: string;
    /** What a refresh does to the refresh token. */
    readonly rotation: string;
    /** Freshness of the access token. */
    readonly freshness: 'fresh' | 'due' | 'expired' | 'none';
    /** What to do. */
    readonly remedy: string | null;
    /** Whether a refresh token is held. */
    readonly hasRefreshToken: boolean;
    /** Of the current access token. */
    readonly tokenScopes: readonly string[];
    /** When the refresh token ends. */
    readonly refreshExpiresAt: number | null;
    /** What went wrong last. */
    readonly lastError: { readonly at: number; readonly message: string } | null;
    /** Who is refreshing. */
    readonly refreshingBy: string | null;
    /** When it was first connected. */
    readonly createdAt: number;
  };
  /** Most likely cause of where it stands. */
  readonly cause: string;
  /** How sure that is. */
  readonly confidence: 'certain' | 'likely' | 'possible';
  /** What to do, and who. */
  readonly fix: string;
  /** History, newest first. */
  readonly life: readonly LifeEvent[];
}

/** A link at which a person consents: a secret, until it was used. */
export interface ConsentLink {
  /** Its address. */
  readonly url: string;
  /** Where the sign-in leads back to. */
  readonly redirectUri: string;
  /** Until when it is good. */
  readonly expiresAt: number;
}

/** A registration. */
export interface Client {
  /** Never changes. */
  readonly id: string;
  /** Name of the provider's profile. */
  readonly provider: string;
  /** Client id. */
  readonly clientId: string;
  /** Where it is used. */
  readonly tokenEndpoint: string;
  /** How it proves itself. */
  readonly authentication: string;
  /** What it overrides of its profile, by path. */
  readonly overrides: Readonly<Record<string, string | number | boolean>>;
  /** Whether a secret is held. */
  readonly hasSecret: boolean;
  /** When the secret ends. */
  readonly secretExpiresAt: number | null;
  /** Since when the server refuses it. */
  readonly refusedAt: number | null;
  /** What the server said. */
  readonly refusal: string | null;
  /** Number of its connections. */
  readonly connections: number;
}

/** A token endpoint. */
export interface Endpoint {
  /** Its address. */
  readonly endpoint: string;
  /** Failures in a row. */
  readonly failures: number;
  /** No request before this; 0: none is held back. */
  readonly blockedUntil: number;
  /** Why. */
  readonly blockedBecause: string | null;
  /** Requests of the last second. */
  readonly lastSecond: number;
  /** Requests a second at most. */
  readonly budget: number;
  /** Refreshes measured. */
  readonly refreshes: number;
  /** Half of them took less. */
  readonly medianMs: number | null;
  /** Nine tenths of them took less. */
  readonly slowestTenthMs: number | null;
}

/** A receiver of webhooks. */
export interface Webhook {
  /** Its name in the settings. */
  readonly name: string;
  /** Events on their way to it. */
  readonly waiting: number;
  /** Events that it could not be told. */
  readonly dead: number;
}

/** An event that a receiver could not be told. */
export interface DeadLetter {
  /** Never changes. */
  readonly id: string;
  /** Name of the receiver. */
  readonly webhook: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** Why the last attempt failed. */
  readonly reason: string;
  /** Since when it is not tried any more. */
  readonly deadAt: number;
  /** What happened, in the words of the store. */
  readonly event: string;
  /** When that was. */
  readonly at: number;
  /** To which connection. */
  readonly connection: string | null;
}

/** A page of them, the newest first. */
export interface DeadLetters {
  /** As many as were asked for, if there are. */
  readonly deadLetters: readonly DeadLetter[];
  /** All receivers. */
  readonly webhooks: readonly Webhook[];
  /** Leads to the next page. */
  readonly next: string | null;
}
