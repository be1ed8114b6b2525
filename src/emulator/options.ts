import type { Clock } from '../system/clock.ts';
import type { Random } from '../system/random.ts';

/**
 * What happens to a refresh token when it is exchanged: `none` (no new one is given), `reusable` (a new one, and the old stays valid,
 * as Entra does), `grace` (the old one stays valid for a time counted from its first use), `single-use` (the old one is dead at once).
 */
export type Rotation = 'none' | 'reusable' | 'grace' | 'single-use';

/** A client registered at the emulated authorization server. */
export interface EmulatorClient {
  /** The `client_id`. */
  readonly clientId: string;
  /** The secret. A client with neither secret nor `publicJwk` is public and must not authenticate. */
  readonly clientSecret?: string;
  /** When the secret expires; never by default. */
  readonly secretExpiresAt?: number;
  /** Public key, as a JWK, that verifies the client's `private_key_jwt` assertions (PS256, RS256 or ES256). */
  readonly publicJwk?: Readonly<Record<string, unknown>>;
  /** Registered redirect URIs; on loopback the port is ignored. Default: `/`, `/callback` and `/consent/callback` on `localhost` and `127.0.0.1`. */
  readonly redirectUris?: readonly string[];
  /** Scopes for which an administrator consented for everybody. Default: every scope of PerspioTalk. */
  readonly preconsented?: readonly string[];
  /** Rotation for this client's refresh tokens; the emulator's own by default. */
  readonly rotation?: Rotation;
}

/** A person who can sign in. */
export interface EmulatorUser {
  /** User name, such as `demo@perspio.io`. */
  readonly username: string;
  /** Password asked for on the sign-in page. Default `demo-password`. */
  readonly password?: string;
  /** Shown on the sign-in page and in the `name` claim; the user name by default. */
  readonly name?: string;
}

/** An API that tokens can be issued for. */
export interface EmulatorResource {
  /** Identifier URI, such as `api://perspiotalk`. */
  readonly uri: string;
  /** Names of its delegated scopes, without the URI. */
  readonly scopes: readonly string[];
  /** Names of its application roles, all granted to every confidential client. */
  readonly roles?: readonly string[];
}

/** Limits of the API Management gateway in front of the emulated PerspioTalk. */
export interface ApiLimits {
  /** Requests allowed for an application in any `rateWindowMs`. Default 20. */
  readonly rate?: number;
  /** Default 90 seconds. */
  readonly rateWindowMs?: number;
  /** Requests allowed for the Perspio tenant in a window of `quotaWindowMs` aligned to the clock. Default 10,000. */
  readonly quota?: number;
  /** Default one hour. */
  readonly quotaWindowMs?: number;
  /** Answer bytes allowed in the quota's window. Default 40 MB. */
  readonly bandwidthBytes?: number;
}

/** How the emulator is to behave. All members are optional; the defaults are Perspio's directory at Microsoft Entra ID. */
export interface EmulatorOptions {
  /** The clock under the emulator's own movable one; the machine's by default. Its timers pace every delay. */
  readonly clock?: Clock;
  /** Source of tokens, ids and chance; the operating system's by default. */
  readonly random?: Random;
  /** Makes every draw repeatable; not with `random`. */
  readonly seed?: number;
  /** Loopback address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Port of the authorization server; 0, the default, picks a free one. */
  readonly port?: number;
  /** Port of the API; 0, the default, picks a free one. */
  readonly apiPort?: number;
  /** Serve HTTPS under a throw-away authority, see `caCertificate`. Default false. */
  readonly tls?: boolean;
  /** Directory id in every path. Default: Perspio's. */
  readonly entraTenantId?: string;
  /** Default `reusable`. */
  readonly rotation?: Rotation;
  /** Whether reuse under `grace` or `single-use` revokes every token of the family, access tokens included. Default true. */
  readonly revokesFamily?: boolean;
  /** How long a used refresh token stays valid under `grace`. Default 30 seconds. */
  readonly graceMs?: number;
  /** Life of access tokens: a number, or limits to draw between. Default 3600 to 5399 seconds, as Entra. */
  readonly accessLifeSeconds?: number | readonly [least: number, most: number];
  /** Adds `refresh_in` to token answers; left out by default. */
  readonly refreshInSeconds?: number;
  /** Time from the arrival of a token request to its commit. Default 0. */
  readonly commitDelayMs?: number;
  /** Time from the commit of a token request to its answer. Default 0. */
  readonly answerDelayMs?: number;
  /** How long an unused refresh token lives. Default 90 days. */
  readonly idleLimitMs?: number;
  /** Refuse a refresh without `scope` (900144); by default the granted scope applies. */
  readonly refreshScopeRequired?: boolean;
  /** Issue random strings instead of signed JWTs as access tokens: much cheaper, for storms of requests. Default false. */
  readonly opaqueAccessTokens?: boolean;
  /** Default: confidential `perspio-demo` with secret `demo~secret+1`, and public `perspio-public`. */
  readonly clients?: readonly EmulatorClient[];
  /** Default: `demo@perspio.io` and `other@perspio.io`. */
  readonly users?: readonly EmulatorUser[];
  /** Default: PerspioTalk and Microsoft Graph. */
  readonly resources?: readonly EmulatorResource[];
  /** User name for whom authorize and device requests are granted at once, without a page. */
  readonly autoSignIn?: string;
  /** Seconds between device polls, as announced. Default 5. */
  readonly deviceIntervalSeconds?: number;
  /** Token requests one client may send a second; unlimited by default. More: 429 for client credentials, 50196 for people's grants. */
  readonly tokenRequestsPerSecond?: number;
  /** What separates the parts of `error_description`: `space` (since 2024, the default) or `crlf` (before). */
  readonly errorSeparator?: 'space' | 'crlf';
  /** Send `iss` with authorization answers and announce it (RFC 9207), which Entra does not. Default false. */
  readonly announceIss?: boolean;
  /** Offer a revocation endpoint (RFC 7009), which Entra does not. Default false. */
  readonly revocationEndpoint?: boolean;
  /** The key the API gateway demands. Default `demo-subscription-key`. */
  readonly subscriptionKey?: string;
  /** The `tid` header the API accepts. Default `in-demo`. */
  readonly perspioTenantId?: string;
  /** Limits of the API gateway. */
  readonly apiLimits?: ApiLimits;
}
