import type { EndpointName } from '../ledger-entry.ts';

/** A `Retry-After` value: a number of seconds, any text as it stands, or an HTTP date so far ahead of the emulator's clock. */
export type RetryAfter = number | string | { readonly dateInMs: number };

/** Faults in place of the server's answer. With `afterCommit` the server first carries the request out, so the outcome is ambiguous. */
export type RefusalFault = { readonly afterCommit?: boolean } & (
  | /** 429 as plain text. Default `Retry-After: 60`; null leaves the header out. */ {
      readonly kind: 'throttled';
      readonly retryAfter?: RetryAfter | null;
    }
  | /** 503 with `temporarily_unavailable` (90033); without `Retry-After` unless given. */ {
      readonly kind: 'unavailable';
      readonly retryAfter?: RetryAfter | null;
    }
  | /** 504 with an HTML page. */ { readonly kind: 'gateway-timeout' }
  | /** 500, or another status, with an HTML page. */ {
      readonly kind: 'server-error';
      readonly status?: number;
      readonly retryAfter?: RetryAfter | null;
    }
  | /** An error in Entra's shape; what is not given follows from the number. */ {
      readonly kind: 'aadsts';
      readonly code: number;
      readonly error?: string;
      readonly suberror?: string;
      readonly claims?: string;
      readonly status?: number;
    }
  | /** 307 to `location`, by default another path of the same host. */ {
      readonly kind: 'redirect';
      readonly location?: string;
      readonly status?: number;
    }
  | /** 400 without a body. */ { readonly kind: 'empty-400' }
  | /** 403 with an HTML page, as a proxy sends. */ { readonly kind: 'html-403' }
  | /** Any answer at all. */ {
      readonly kind: 'raw';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
);

/** Faults of the connection. */
export interface ConnectionFault {
  /**
   * `cut-…` closes the connection without an answer; `half-answer` closes it in the middle of the body; `hang-…` never answers;
   * `hold-…` waits for `release()` and then goes on as if nothing had happened; `ledger.waitFor(1, { held: true })` tells when it waits. The suffix tells on which side of the commit it strikes.
   */
  readonly kind:
    | 'cut-before-commit'
    | 'cut-after-commit'
    | 'half-answer'
    | 'hang-before-commit'
    | 'hang-after-commit'
    | 'hold-before-commit'
    | 'hold-after-commit';
}

/** Faults in the body of an answer that the server did give. */
export type BodyFault =
  | {
      /**
       * `not-json`: 200 with an HTML page. `trailing-comma`, `bom`, `duplicate-keys` (a first, wrong `access_token`), `gzip-body`,
       * `form-encoded`, `percent-encoded-scope`, `no-refresh-token`, `empty-refresh-token`: as they say.
       */
      readonly kind:
        | 'not-json'
        | 'trailing-comma'
        | 'bom'
        | 'duplicate-keys'
        | 'gzip-body'
        | 'form-encoded'
        | 'percent-encoded-scope'
        | 'no-refresh-token'
        | 'empty-refresh-token';
    }
  | /** `expires_in` as the value given; by default the right number as a string; null leaves it out. */ {
      readonly kind: 'expires-in';
      readonly value?: unknown;
    }
  | /** `token_type` as the value given; by default `bearer`; null leaves it out. */ {
      readonly kind: 'token-type';
      readonly value?: unknown;
    }
  | /** Members set to any value; null removes one. */ {
      readonly kind: 'members';
      readonly members: Readonly<Record<string, unknown>>;
    }
  | /** One byte every `msPerByte` milliseconds, 10 by default. */ {
      readonly kind: 'slow-body';
      readonly msPerByte?: number;
    }
  | /** Padded with a harmless member to `bytes`, 1 MiB by default. */ {
      readonly kind: 'oversize-body';
      readonly bytes?: number;
    };

/** Faults of the API and its gateway; they apply to requests of the API unless the match says otherwise. */
export type ApiFault =
  | {
      /** `api-key-missing`, `api-key-invalid`: 401 of the gateway. `token-rejected`: 401 with an `invalid_token` challenge. */
      readonly kind: 'api-key-missing' | 'api-key-invalid' | 'token-rejected';
    }
  | /** `quota-exceeded`: 403. `rate-limited`: 429. Both with `Retry-After`, 60 by default. */ {
      readonly kind: 'quota-exceeded' | 'rate-limited';
      readonly retryAfter?: RetryAfter;
    }
  | /** 401 asking for `claims`, a JSON text. */ {
      readonly kind: 'claims-challenge';
      readonly claims?: string;
    };

/** Everything that can be made to go wrong, as data. */
export type FaultDefinition = RefusalFault | ConnectionFault | BodyFault | ApiFault;

/** The name of a fault. */
export type FaultKind = FaultDefinition['kind'];

/** Names of the faults that need no further members. */
export type PlainFaultKind = Exclude<FaultKind, 'aadsts' | 'raw' | 'members'>;

/** A fault: its definition, the name of one that needs no more, or an AADSTS number. */
export type Fault = FaultDefinition | PlainFaultKind | number;

/** Which requests a fault strikes; members left out match everything. */
export interface FaultMatch {
  /** Default: `api` for faults of the API, `token` for all others. */
  readonly endpoint?: EndpointName;
  /** The `grant_type` of the request. */
  readonly grantType?: string;
  /** The client that the request names. */
  readonly clientId?: string;
  /** The family of the refresh token presented. */
  readonly grantId?: string;
}

/** Faults that strike by chance. */
export interface RandomFaults extends FaultMatch {
  /** Chance that a matching request is struck, 0 to 1. */
  readonly rate: number;
  /** What strikes, each equally often. */
  readonly kinds: readonly Fault[];
  /** Makes the draws repeatable; 1 by default. */
  readonly seed?: number;
}

/** Where tests script what goes wrong. Scripted faults come before standing ones, and those before chance. */
export interface Faults {
  /** Strikes the next matching request, or the next `times`. */
  next(fault: Fault, match?: FaultMatch & { readonly times?: number }): void;
  /** Strikes every matching request until `clear`. */
  always(fault: Fault, match?: FaultMatch): void;
  /** Strikes matching requests by chance until `clear`. */
  random(faults: RandomFaults): void;
  /** Forgets all faults planned; what has struck already stays. */
  clear(): void;
  /** Lets held requests go on: all, or the `count` that have waited longest. Returns how many there were. */
  release(count?: number): number;
  /** How many requests are held now. */
  readonly held: number;
}
