import type { AnswerDialect } from '../oauth/outcome.ts';
import type { Rotation } from '../connection/record.ts';

/** Whom a server's refusal asks to act, and what to do; advice for people that decides nothing by itself. */
export interface RefusalAdvice {
  /** Who must act. */
  readonly actor: 'owner' | 'operator' | 'administrator' | 'nobody';
  /** What happened, in plain words. */
  readonly cause: string;
  /** What that person should do. */
  readonly remedy: string;
}

/**
 * The habits of one authorization server and the API behind it. Data without logic; every field can be overridden per client.
 */
export interface Provider {
  /** Name used on the command line and in the store. */
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  /** Where the habits are documented. */
  readonly documentation: string;
  /** Issuer identifier, RFC 8414 section 2, if the provider has one. May hold `{entraTenantId}`. */
  readonly issuer?: string;
  /** RFC 6749 section 3.2. May hold `{entraTenantId}`. */
  readonly tokenEndpoint?: string;
  /** RFC 6749 section 3.1. May hold `{entraTenantId}`. */
  readonly authorizationEndpoint?: string;
  /** RFC 8628 section 3.1. May hold `{entraTenantId}`. */
  readonly deviceAuthorizationEndpoint?: string;
  /** RFC 9126; where given, authorization requests are pushed there first. May hold `{entraTenantId}`. */
  readonly pushedAuthorizationRequestEndpoint?: string;
  /** Whether every authorization answer carries `iss`, so that one without it is refused. @see RFC 9207 section 2.4 */
  readonly authorizationResponseIss?: boolean;
  /** RFC 7009, if the server has it; absent means a refresh token cannot be revoked there. */
  readonly revocationEndpoint?: string;
  /** Where the keys that sign id tokens are. May hold `{entraTenantId}`. */
  readonly jwksUri?: string;
  /** Values for the placeholders above, e.g. the one tenant of Perspio. */
  readonly entraTenantId?: string;
  /** How a client with a secret proves itself unless told otherwise. */
  readonly clientAuthentication:
    'client_secret_post' | 'client_secret_basic' | 'client_secret_basic_raw';
  /** What a refresh does to the refresh token. */
  readonly rotation: Rotation;
  /** For `grace`: how long the old refresh token stays good, from its first use. */
  readonly graceMs?: number;
  /** How long an unused refresh token lives. */
  readonly idleLimitMs?: number;
  /** Scopes of each leg; see RFC 6749 section 3.3. */
  readonly scopes: {
    /** Asked for at the authorization endpoint. */
    readonly authorization: readonly string[];
    /** Asked for at each refresh; absent: the granted set plus `offline_access` where that was requested. */
    readonly refresh?: readonly string[];
    /** Asked for with client credentials. */
    readonly clientCredentials: readonly string[];
  };
  /** Whether a refresh names its scopes at all. */
  readonly sendScopeOnRefresh: boolean;
  /** On `consent_required` for the refresh scope, ask once more for the set that was granted. */
  readonly retryWithGrantedScope?: boolean;
  /** Extra parameters of the authorization request, e.g. Google's `access_type`. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** Extra parameters of every token request. */
  readonly tokenParameters?: Readonly<Record<string, string>>;
  /** Redirect URI host that the provider documents for native clients. */
  readonly loopbackHost: '127.0.0.1' | 'localhost';
  /** How its answers deviate from the standard. */
  readonly dialect: AnswerDialect;
  /** The API the access token is for. */
  readonly api?: {
    /** Origins that may be sent the access token. */
    readonly origins: readonly string[];
    /** Base for relative URLs. */
    readonly base: string;
    /** Headers that every call needs: name on the wire to the name of the connection's setting that holds the value. */
    readonly headers?: Readonly<Record<string, ApiHeader>>;
    /** How many calls the API allows, as documented; for people and for pacing. */
    readonly limits?: readonly ApiLimit[];
  };
  /** Advice by Entra error code; unknown codes fall back to {@link Provider.adviceByError}. */
  readonly adviceByCode?: Readonly<Record<number, RefusalAdvice>>;
  /** Advice by Entra's `suberror`; wins over that of a code that names somebody else. */
  readonly adviceBySuberror?: Readonly<Record<string, RefusalAdvice>>;
  /** Advice by `error`. */
  readonly adviceByError?: Readonly<Record<string, RefusalAdvice>>;
}

/** Where an API header's value comes from. */
export type ApiHeader =
  { readonly setting: 'subscriptionKey' | 'perspioTenantId' } | { readonly value: string };

/** So many calls in so long a time. */
export interface ApiLimit {
  /** The number of calls. */
  readonly requests: number;
  /** The time, in milliseconds. */
  readonly windowMs: number;
  /** Whose calls are counted together: those of one client, or of all clients of the customer. */
  readonly sharedBy: 'client' | 'tenant';
}
