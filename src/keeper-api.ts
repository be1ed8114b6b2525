import type {
  Actor,
  Beginning,
  LastError,
  LifeEvent,
  Notice,
  Rotation,
} from './connection/record.ts';
import type { Secret } from './secret.ts';
import type { AccessToken } from './access-token.ts';
import type { ProfileOverrides } from './providers/profile.ts';

/*
 * What a keeper offers, whether it runs in this process or answers over a daemon's socket.
 */

/** A secret as callers may give it. */
export type SecretInput = string | Secret;

/** The registration at the authorization server; every field of the provider's profile can be overridden beside it. */
export interface ClientOptions {
  /** RFC 6749 section 2.2. */
  readonly clientId: string;
  /** The client secret; absent for a public client. */
  readonly clientSecret?: SecretInput;
  /** When the secret ends, epoch milliseconds, to be warned ahead. */
  readonly clientSecretExpiresAt?: number;
  /** How the client proves itself; by default what the provider's profile says, or `none` without a secret. */
  readonly authentication?:
    'none' | 'client_secret_post' | 'client_secret_basic' | 'client_secret_basic_raw';
}

/** What every way to begin a connection takes. */
export interface BeginOptions {
  /** Name of a provider profile, e.g. `perspio`, `entra`, `generic`. */
  readonly provider: string;
  /** The registration. */
  readonly client: ClientOptions;
  /** Overrides of the profile. */
  readonly overrides?: ProfileOverrides;
  /** Scopes, instead of the profile's; a string is split at spaces. */
  readonly scope?: string | readonly string[];
  /** Perspio's API gateway key. */
  readonly subscriptionKey?: SecretInput;
  /** Perspio's tenant id, for the `tid` header. */
  readonly perspioTenantId?: string;
}

/** An import of tokens that were obtained elsewhere. */
export interface AddOptions extends BeginOptions {
  /** The tokens. */
  readonly tokens: {
    /** RFC 6749 section 1.5. */
    readonly refreshToken: SecretInput;
    /** An access token that still works, if there is one. */
    readonly accessToken?: SecretInput;
    /** When it expires, epoch milliseconds; needed with `accessToken`. */
    readonly accessExpiresAt?: number;
  };
  /** Replaces the grant of an existing connection of that name instead of refusing. */
  readonly replace?: boolean;
  /** Ends the attempt, as long as nothing is stored. */
  readonly signal?: AbortSignal;
}

/** Takes the redirect of a sign-in at an address of its own, in place of a listener on this machine that lives as long as the sign-in. */
export interface RedirectReceiver {
  /** The redirect URI as registered: https, or http to this machine. */
  readonly uri: string;
  /**
   * Called once, before the person is shown anything. `accept` tells whether the parameters of a redirect are the awaited answer; it says so
   * once at most, and never after the sign-in has ended.
   */
  listen(accept: (parameters: URLSearchParams) => boolean): void;
}

/** What the person who must consent is shown and asked. The command line, the daemon and tests each bring their own. */
export interface ConsentPrompt {
  /** Show or open the address of the authorization server. `redirectUri` is where the person will be sent back to. */
  authorize(request: { readonly url: string; readonly redirectUri: string }): Promise<void> | void;
  /**
   * Offered for a redirect that cannot reach this machine: resolves to the whole address the browser ended at, pasted by the person.
   * Never resolves where that is not offered.
   */
  pastedRedirect?(signal: AbortSignal): Promise<string>;
  /** Where the redirect comes to, unless a loopback address of this process shall take it; `redirectUri` and `redirectPort` do not count then. */
  readonly receiver?: RedirectReceiver;
  /** Show the code to type at another device. @see RFC 8628 section 3.3 */
  deviceCode?(request: {
    readonly userCode: string;
    readonly verificationUri: string;
    readonly verificationUriComplete: string | undefined;
    readonly expiresAt: number;
  }): Promise<void> | void;
  /** Asks whether this is the right account: when no id token says so, or when it differs from the one before. */
  confirmSubject?(question: {
    readonly now: string | undefined;
    readonly before: string | undefined;
  }): Promise<boolean>;
}

/** A connection begun by consent, or by client credentials. */
export interface ConnectOptions extends BeginOptions {
  /** RFC 6749 section 4.1 (with PKCE), RFC 8628 or RFC 6749 section 4.4; by default `code`. */
  readonly grant?: 'code' | 'device' | 'client-credentials';
  /** How the person is asked; needed for `code` and `device`. */
  readonly prompt?: ConsentPrompt;
  /** Port of the loopback listener; by default any free one. */
  readonly redirectPort?: number;
  /** The whole redirect URI when it is registered with a path; its host must be loopback. */
  readonly redirectUri?: string;
  /** Renews the grant of an existing connection of that name, which keeps its id and history, instead of refusing. */
  readonly reconnect?: boolean;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

/**
 * Consent asked for once more, with the registration, secrets and scopes that a connection has. `grant` is by default the one that it
 * began with; for imported tokens `code`.
 */
export type ReconnectOptions = Pick<
  ConnectOptions,
  'grant' | 'prompt' | 'redirectPort' | 'redirectUri' | 'scope' | 'signal'
>;

/** Demands on a token. */
export interface TokenOptions {
  /**
   * Least remaining life of the token, in milliseconds; above the life that the server issues it is an error. A token of the last minute,
   * or of the last tenth of a shorter life, always meets it, so that calls in a row cause one refresh.
   */
  readonly minLifeMs?: number;
  /** Longest wait for a refresh; by default 30 000. Ends the caller's wait, never the refresh. */
  readonly timeoutMs?: number;
  /** Ends the caller's wait, never the refresh. */
  readonly signal?: AbortSignal;
}

/** Which connections are listed. */
export interface ListOptions {
  /** Those whose names come after this one; by default from the first on. */
  readonly afterName?: string;
  /** At most so many; by default all. */
  readonly limit?: number;
}

/** Demands on a refresh ordered by hand. */
export interface RefreshOptions {
  /** Insists although the outcome of an earlier request is uncertain, or the connection needs attention. */
  readonly anyway?: boolean;
  /** Longest wait; by default 60 000. */
  readonly timeoutMs?: number;
  /** Ends the caller's wait, never the refresh. */
  readonly signal?: AbortSignal;
}

/** Demands on what may take long and has no other options. */
export interface WaitOptions {
  /** Ends the wait, which then rejects with the signal's reason. What was begun goes on, or is taken up by the next call. */
  readonly signal?: AbortSignal;
}

/** How a connection is ended. */
export interface DisconnectOptions extends WaitOptions {
  /**
   * Removes it even where the server cannot be told to revoke its refresh token, which may then stay valid there until it expires unused; by default
   * it stays, stopped, until the server was told.
   */
  readonly anyway?: boolean;
}

/** What a disconnect came to. */
export interface Disconnected {
  /** Whether the server was told, and has forgotten its refresh tokens. */
  readonly revoked: boolean;
  /** Whether it is gone here. If not it is stopped, and to disconnect it again tries once more; or somebody has connected it again meanwhile. */
  readonly removed: boolean;
  /** Both in words, and what to do. */
  readonly message: string;
}

/** Where a connection stands, for people and programs; holds no secret. */
export interface ConnectionStatus {
  /** Never changes. */
  readonly id: string;
  /** May change. */
  readonly name: string;
  /** Name of the profile. */
  readonly provider: string;
  /** Client id of the registration. */
  readonly clientId: string;
  /** Where it is refreshed. */
  readonly tokenEndpoint: string;
  /** What a refresh does to the refresh token. */
  readonly rotation: Rotation;
  /** How it began. */
  readonly beginning: Beginning;
  /** The account behind it by a name for people, such as an e-mail address; where the server told none, by its id. */
  readonly account: string | undefined;
  /** The id by which a renewal must prove that the account is the same: Entra's `oid`, elsewhere `sub`. It stays when the name changes. */
  readonly accountId: string | undefined;
  /** Where it stands. */
  readonly state: 'active' | 'uncertain' | 'attention' | 'paused' | 'disconnected';
  /** Freshness of the access token at this instant. */
  readonly freshness: 'fresh' | 'due' | 'expired' | 'none';
  /** Since when it stands there, where the state knows. */
  readonly since: number | undefined;
  /** Who must act, if somebody must. */
  readonly actor: Actor | undefined;
  /** Why. */
  readonly reason: string | undefined;
  /** What to do. */
  readonly remedy: string | undefined;
  /** Identifies the consent. */
  readonly grantId: string;
  /** Counter of token sets. */
  readonly generation: number;
  /** Whether a refresh token is held. */
  readonly hasRefreshToken: boolean;
  /** Requested at consent. */
  readonly requestedScopes: readonly string[];
  /** Granted at consent. */
  readonly grantedScopes: readonly string[];
  /** Of the current access token. */
  readonly tokenScopes: readonly string[];
  /** When the current token set came. */
  readonly receivedAt: number | undefined;
  /** True expiry of the access token. */
  readonly accessExpiresAt: number | undefined;
  /** Expiry of the refresh token where known. */
  readonly refreshExpiresAt: number | undefined;
  /** When the next request will be made by a running keeper; undefined when none will. */
  readonly nextRefreshAt: number | undefined;
  /** The last thing that went wrong since the last success. */
  readonly lastError: LastError | undefined;
  /** Who is refreshing now, in words. */
  readonly refreshingBy: string | undefined;
  /** When it was first connected. */
  readonly createdAt: number;
}

/** The life of a connection told for people. */
export interface Explanation {
  /** Where it stands. */
  readonly status: ConnectionStatus;
  /** The one most likely cause of the present state, in plain words. */
  readonly cause: string;
  /** How sure that is. */
  readonly confidence: 'certain' | 'likely' | 'possible';
  /** What to do, and who. */
  readonly fix: string;
  /** History, newest first. */
  readonly life: readonly LifeEvent[];
}

/** A registration, for people; holds no secret. */
export interface ClientStatus {
  /** Never changes. */
  readonly id: string;
  /** Name of the profile. */
  readonly provider: string;
  /** Client id. */
  readonly clientId: string;
  /** Where it is used. */
  readonly tokenEndpoint: string;
  /** How it proves itself. @see RFC 6749 section 2.3 */
  readonly authentication: string;
  /**
   * What it overrides of its profile besides the token endpoint, by the path of the member, such as `api.base`; lists are joined by spaces. Values that
   * may be secrets, of headers and extra parameters, are `…`.
   */
  readonly overrides: Readonly<Record<string, string | number | boolean>>;
  /** Whether a secret is held. */
  readonly hasSecret: boolean;
  /** When the secret ends, where told. */
  readonly secretExpiresAt: number | undefined;
  /** Since when the server refuses it. */
  readonly refusedAt: number | undefined;
  /** What the server said. */
  readonly refusal: string | undefined;
  /** Number of its connections. */
  readonly connections: number;
}

/** A handle on one connection. Making it costs no I/O; each method looks the name up and rejects with {@link NotFoundError}. */
export interface Connection {
  /** The name it was made with. */
  readonly name: string;
  /**
   * Hands out an access token that works, refreshing when needed. While the token lives nothing can make this wait or fail.
   *
   * @throws {@link AuthorizationRequiredError} when a person must consent again.
   * @throws {@link ClientRejectedError} when the operator must act.
   * @throws {@link ServerUnavailableError} when the server cannot be used now.
   * @throws {@link OutcomeUncertainError} when the refresh token may have been used up.
   * @throws {@link ResponseInvalidError} when the answer broke the protocol.
   * @throws {@link RefreshBlockedError} when another process holds the refresh until the deadline.
   * @throws {@link StoreError} when the store cannot be used.
   */
  token(options?: TokenOptions): Promise<AccessToken>;
  /**
   * Calls the API with the token and the provider's headers. Only the provider's origins are allowed; a 401 that names the token forces
   * one refresh per generation and one repetition where the body can be sent again.
   */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
  /** Makes one refresh now, whatever is left of the token's life. @throws as {@link Connection.token} */
  refresh(options?: RefreshOptions): Promise<ConnectionStatus>;
  /** Where it stands. */
  status(): Promise<ConnectionStatus>;
  /** Its life, one plain cause and the fix. */
  explain(): Promise<Explanation>;
  /** Stops refreshing until {@link Connection.resume}; a living token is still served. */
  pause(): Promise<void>;
  /** Undoes {@link Connection.pause}; lets a connection that needed attention be tried again. */
  resume(): Promise<void>;
  /** Gives it another name; this handle keeps the old one. */
  rename(name: string): Promise<void>;
  /** Revokes what the server lets us revoke, then forgets the tokens. Resolves to what was done. */
  disconnect(options?: DisconnectOptions): Promise<Disconnected>;
}

/** Events of a keeper, in pairs where something begins and ends. */
export interface KeeperEvents {
  /** A request is about to be made. */
  refreshing: { readonly connection: string; readonly generation: number };
  /** A new token set is on disk. */
  refreshed: {
    readonly connection: string;
    readonly generation: number;
    readonly accessExpiresAt: number;
  };
  /** A request brought no token set. */
  refresh_failed: {
    readonly connection: string;
    readonly outcome: string;
    readonly message: string;
    readonly retryAt: number | undefined;
  };
  /** A message for whoever must act was delivered. */
  notice: Notice;
  /** Something odd that needs nobody now. */
  warning: { readonly connection: string | undefined; readonly message: string };
}

/** The running system in one process, or the daemon's seen from afar. */
export interface Keeper extends AsyncDisposable {
  /** Imports tokens obtained elsewhere as a new connection. @throws {@link ConfigurationError} `ERR_CONNECTION_EXISTS` */
  add(name: string, options: AddOptions): Promise<Connection>;
  /** Begins a connection by consent or client credentials. @throws {@link ConfigurationError} `ERR_CONNECTION_EXISTS` */
  connect(name: string, options: ConnectOptions): Promise<Connection>;
  /**
   * Renews the grant of a connection with the registration that it has; its id and history stay.
   *
   * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN`
   */
  reconnect(name: string, options?: ReconnectOptions): Promise<Connection>;
  /** A handle; no I/O. */
  connection(name: string): Connection;
  /** Connections in order of name, all of them unless told otherwise. */
  list(options?: ListOptions): Promise<readonly ConnectionStatus[]>;
  /** All registrations. */
  clients(): Promise<readonly ClientStatus[]>;
  /** Replaces a registration's secret; its connections resume. @returns how many there are. */
  setClientSecret(
    clientId: string,
    secret: SecretInput,
    options?: { readonly tokenEndpoint?: string; readonly expiresAt?: number },
  ): Promise<number>;
  /**
   * Forgets a registration that no connection uses, with its secret.
   *
   * @throws {@link NotFoundError} `ERR_CLIENT_UNKNOWN`; {@link ConfigurationError} `ERR_ARGUMENT` while a connection uses it.
   */
  removeClient(clientId: string, options?: { readonly tokenEndpoint?: string }): Promise<void>;
  /** Renews in the background what is due, until {@link Keeper.close}. */
  start(): void;
  /** Refreshes once what is due now, and delivers the messages that wait. @returns the names, with the error where one failed. */
  refreshDue(
    options?: WaitOptions,
  ): Promise<readonly { readonly connection: string; readonly error: Error | undefined }[]>;
  /**
   * Listens. What a listener throws becomes an unhandled rejection, once the requests under way are answered and recorded.
   *
   * @returns a function that ends it.
   */
  on<E extends keyof KeeperEvents>(
    event: E,
    listener: (event: KeeperEvents[E]) => void,
  ): () => void;
  /**
   * Waits for requests in flight, `patienceMs` at most, 30 s by default, delivers the notices that wait, in what is left of that or 2 s, then
   * closes. Rejects while an answer could be recorded nowhere.
   */
  close(options?: { readonly patienceMs?: number }): Promise<void>;
}
