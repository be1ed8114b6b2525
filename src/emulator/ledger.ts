import {
  copy,
  matches,
  type LedgerEntry,
  type LedgerFilter,
  type OpenEntry,
} from './ledger-entry.ts';
import { createWaiters } from './ledger-waiters.ts';

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
