/** The doors of the emulator that a request can come to. */
export type EndpointName =
  | 'authorize'
  | 'sign-in'
  | 'token'
  | 'device-code'
  | 'device-sign-in'
  | 'discovery'
  | 'instance-discovery'
  | 'keys'
  | 'logout'
  | 'admin-consent'
  | 'userinfo'
  | 'revocation'
  | 'error-lookup'
  | 'api'
  | 'unknown';

/** What the ledger holds about one request. Tokens appear as fingerprints only: the first 16 hex digits of their SHA-256. */
export interface LedgerEntry {
  /** Counts requests in order of arrival, from 1; `clear` does not start it again. */
  readonly sequence: number;
  /** When it arrived, on the emulator's clock. */
  readonly at: number;
  /** The door it came to. */
  readonly endpoint: EndpointName;
  /** HTTP method. */
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  /** Ordinal of the TCP connection it came on, counted over both listeners from 1. */
  readonly connection: number;
  /** The `client-request-id` header. */
  readonly clientRequestId?: string;
  /** The `grant_type`. */
  readonly grantType?: string;
  /** The client the request names, or, at the API, the one its token was issued to. */
  readonly clientId?: string;
  /** The scope asked for. */
  readonly scope?: string;
  /** The `claims` parameter: the answer to a challenge, or capabilities. */
  readonly claims?: string;
  /** The family that the presented or issued refresh token, or the presented access token, belongs to. */
  readonly grantId?: string;
  /** User name of the person the grant is of. */
  readonly user?: string;
  /** The refresh token (token endpoint) or access token (API) that was presented. */
  readonly presentedFingerprint?: string;
  /** Generation of the refresh token presented. */
  readonly presentedGeneration?: number;
  /** Whether the presented refresh token had been exchanged before, whatever the rotation makes of that. */
  readonly replay: boolean;
  /** Whether the server carried the request out: tokens were issued, a family was revoked. False for a refusal that changed nothing. */
  readonly committed: boolean;
  /** `pending`, `issued` (tokens), `answered`, `faulted` (a fault stood in for the server), or the `error` the server answered. */
  readonly outcome: string;
  /** The AADSTS number of a refusal. */
  readonly aadsts?: number;
  /** Kind of the fault put on this request. */
  readonly fault?: string;
  /** Generation of the refresh token issued. */
  readonly issuedGeneration?: number;
  /** Fingerprint of the refresh token issued. */
  readonly issuedFingerprint?: string;
  /** Fingerprint of the access token issued. */
  readonly accessTokenFingerprint?: string;
  /** HTTP status sent; absent when none was. */
  readonly status?: number;
  /** Whether a fault holds the request now, until `release()`. */
  readonly held: boolean;
  /** Whether the whole answer was handed to the client's connection. */
  readonly delivered: boolean;
}

/** Selects entries whose members all equal those given. */
export type LedgerFilter = Partial<LedgerEntry>;

/** A row that is still being written. */
export type OpenEntry = { -readonly [Name in keyof LedgerEntry]: LedgerEntry[Name] };

/** Copies of rows, oldest first. */
export function copy(rows: readonly OpenEntry[]): LedgerEntry[] {
  return rows.toSorted((a, b) => a.sequence - b.sequence).map((row) => ({ ...row }));
}

/** Whether the members of a row equal those of the filter. */
export function matches(row: LedgerEntry, filter: LedgerFilter): boolean {
  for (const name in filter) {
    const member = name as keyof LedgerEntry;
    if (row[member] !== filter[member]) return false;
  }
  return true;
}
