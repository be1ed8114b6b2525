import {
  copy,
  matches,
  type LedgerEntry,
  type LedgerFilter,
  type OpenEntry,
} from './ledger-entry.ts';

/** Those who wait for a number of matching rows; only rows that change are looked at again. */
export interface Waiters {
  /** Resolves with copies of the rows once there are `count`; `matching` are those that match now. @throws the signal's reason when it aborts first. */
  wait(
    count: number,
    filter: LedgerFilter,
    matching: readonly OpenEntry[],
    signal: AbortSignal | undefined,
  ): Promise<LedgerEntry[]>;
  /** Takes note of a row that is new or has changed. */
  look(row: OpenEntry): void;
  /** No row is left that was there before. */
  forget(): void;
}

interface Waiter {
  readonly filter: LedgerFilter;
  readonly count: number;
  readonly matching: Set<OpenEntry>;
  resolve(entries: LedgerEntry[]): void;
}

/** Makes them; nobody waits yet. */
export function createWaiters(): Waiters {
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
        const onAbort = (): void => {
          waiters.delete(waiter);
          reject(signal?.reason as Error);
        };
        const waiter: Waiter = {
          ...{ filter, count, matching: new Set(matching) },
          resolve(entries) {
            signal?.removeEventListener('abort', onAbort);
            resolve(entries);
          },
        };
        waiters.add(waiter);
        signal?.addEventListener('abort', onAbort, { once: true });
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
