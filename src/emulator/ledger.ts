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

/** The record of every request that reached the emulator: the judge in tests. */
export interface Ledger {
  /** Copies of the matching entries, oldest first. */
  entries(filter?: LedgerFilter): LedgerEntry[];
  /** How many entries match. */
  count(filter?: LedgerFilter): number;
  /** Forgets every entry. */
  clear(): void;
  /**
   * Resolves with the matching entries as soon as there are `count` of them; entries still pending count as well.
   *
   * @throws the signal's reason when it aborts first.
   */
  waitFor(count: number, filter?: LedgerFilter, signal?: AbortSignal): Promise<LedgerEntry[]>;
}

/** A row that is still being written. */
export type OpenEntry = { -readonly [Name in keyof LedgerEntry]: LedgerEntry[Name] };

/** The ledger as the emulator's own parts see it. */
export interface LedgerWriter extends Ledger {
  /** Adds a row for a request that has just arrived. */
  open(facts: Pick<LedgerEntry, 'at' | 'endpoint' | 'method' | 'path' | 'connection'>): OpenEntry;
  /** Writes members into a row and wakes those who wait for them. */
  note(entry: OpenEntry, facts: LedgerFilter): void;
}

/** Makes an empty ledger. */
export function createLedger(): LedgerWriter {
  let sequence = 0;
  let rows: OpenEntry[] = [];
  const waiters = createWaiters();
  const select = (filter: LedgerFilter): OpenEntry[] => rows.filter((row) => matches(row, filter));
  return {
    entries: (filter = {}) => copy(select(filter)),
    count: (filter = {}) => select(filter).length,
    clear() {
      rows = [];
      waiters.forget();
    },
    waitFor: (count, filter = {}, signal) => waiters.wait(count, filter, select(filter), signal),
    open(facts) {
      const row: OpenEntry = {
        sequence: ++sequence,
        ...facts,
        replay: false,
        committed: false,
        outcome: 'pending',
        held: false,
        delivered: false,
      };
      rows.push(row);
      waiters.look(row);
      return row;
    },
    note(entry, facts) {
      Object.assign(entry, facts);
      waiters.look(entry);
    },
  };
}

/** Those who wait for a number of matching rows; only rows that change are looked at again. */
interface Waiters {
  wait(
    count: number,
    filter: LedgerFilter,
    matching: readonly OpenEntry[],
    signal: AbortSignal | undefined,
  ): Promise<LedgerEntry[]>;
  look(row: OpenEntry): void;
  forget(): void;
}

interface Waiter {
  readonly filter: LedgerFilter;
  readonly count: number;
  readonly matching: Set<OpenEntry>;
  resolve(entries: LedgerEntry[]): void;
}

function createWaiters(): Waiters {
  const waiters = new Set<Waiter>();
  const settle = (waiter: Waiter): void => {
    if (waiter.matching.size < waiter.count) return;
    waiters.delete(waiter);
    waiter.resolve(copy([...waiter.matching]));
  };
  return {
    wait: (count, filter, matching, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const waiter = { filter, count, matching: new Set(matching), resolve };
        waiters.add(waiter);
        signal?.addEventListener('abort', () => {
          if (waiters.delete(waiter)) reject(signal.reason as Error);
        });
        settle(waiter);
      }),
    look(row) {
      for (const waiter of waiters) {
        if (matches(row, waiter.filter)) waiter.matching.add(row);
        else waiter.matching.delete(row);
        settle(waiter);
      }
    },
    forget() {
      for (const waiter of waiters) waiter.matching.clear();
    },
  };
}

function copy(rows: readonly OpenEntry[]): LedgerEntry[] {
  return rows.toSorted((a, b) => a.sequence - b.sequence).map((row) => ({ ...row }));
}

function matches(row: LedgerEntry, filter: LedgerFilter): boolean {
  for (const name in filter) {
    const member = name as keyof LedgerEntry;
    if (row[member] !== filter[member]) return false;
  }
  return true;
}
