import type { View } from '../../src/connection/decision.ts';
import type { Notice } from '../../src/connection/record.ts';
import type { AttemptResult, Order } from '../../src/refresh/attempt.ts';
import type { Engine } from '../../src/refresh/engine.ts';
import type { Flights } from '../../src/refresh/flights.ts';
import { fakeClock, settle, type FakeClock } from './fake-clock.ts';
import { someView } from './views.ts';

/*
 * An engine whose store knows nothing but when connections are due, and flights that come to what a test says: for what decides when to fly,
 * and never looks at what is flown.
 */

/** What such an engine was asked, and what it answers. */
export interface Flown {
  readonly clock: FakeClock;
  readonly engine: Engine;
  readonly flights: Flights;
  /** Ids of the connections that are due, the soonest first; a test changes it. */
  due: readonly string[];
  /** The token endpoint of a connection; the same for all, unless a test says otherwise. */
  endpointOf: (id: string) => string;
  /** What a flight comes to; thrown where it is an error, never landing where it is undefined. */
  land: (id: string) => AttemptResult | Error | undefined;
  /** Ids of those that are under way already. */
  readonly underWay: Set<string>;
  /** When the next one is due. */
  nextDueAt: number | undefined;
  /** Each flight: the instant since the start, and the connection. */
  readonly log: (readonly [afterMs: number, id: string])[];
  readonly orders: Order[];
  /** Instants and numbers with which the store was asked for what is due. */
  readonly asked: (readonly [now: number, most: number])[];
  readonly warnings: string[];
  /** Replaces parts of the store. */
  readonly store: Record<string, unknown>;
  /** Closes the keeper. */
  close(): void;
}

/** Makes one with nothing due, in which every flight is settled. */
export function flown(requestsPerSecond = 10): Flown {
  const clock = fakeClock();
  const closing = new AbortController();
  const began = clock.monotonic();
  const store: Record<string, unknown> = {
    due: (now: number, most: number) => {
      all.asked.push([now, most]);
      const endpoint = all.endpointOf;
      return Promise.resolve(all.due.map((id) => ({ connectionId: id, endpoint: endpoint(id) })));
    },
    nextDueAt: (after = -Infinity) => {
      const isLater = all.nextDueAt !== undefined && all.nextDueAt > after;
      return Promise.resolve(isLater ? all.nextDueAt : undefined);
    },
    tidy: () => Promise.resolve(),
    pendingNotices: (): Promise<Notice[]> => Promise.resolve([]),
  };
  const board = (id: string, order: Order): { readonly landing: Promise<AttemptResult> } => {
    all.log.push([clock.monotonic() - began, id]);
    all.orders.push(order);
    const landed = all.land(id);
    if (landed instanceof Error) throw landed;
    return { landing: landed ? Promise.resolve(landed) : new Promise(() => undefined) };
  };
  const engine = {
    clock,
    store,
    closing: closing.signal,
    settings: { requestsPerSecond },
    spills: { attempts: () => Promise.resolve([]), tidy: () => Promise.resolve() },
    emit: (event: string, detail: { readonly message?: string; readonly connection?: string }) =>
      all.warnings.push(
        `${event}: ${detail.connection ?? 'no connection'}: ${detail.message ?? ''}`,
      ),
  } as unknown as Engine;
  const flights = { board, isUnderWay: (id: string) => all.underWay.has(id) } as unknown as Flights;
  const all: Flown = {
    ...{ clock, engine, flights, store, due: [], underWay: new Set(), nextDueAt: undefined },
    ...{ log: [], orders: [], asked: [], warnings: [] },
    land: () => settled,
    endpointOf: () => 'one',
    close: () => {
      closing.abort();
    },
  };
  return all;
}

/** It made a request. */
export const settled = { kind: 'settled' } as AttemptResult;

/** It must wait: for itself, or with the whole endpoint. */
export function deferred(until: number, endpoint = 'one', notBefore = 0): AttemptResult {
  const view: View = someView({
    connection: { backoff: { failures: 0, notBefore } },
    endpoint: { endpoint },
  });
  return { kind: 'deferred', until, view } as AttemptResult;
}

/** What a promise has come to once time has passed; `waits` while it has come to nothing. */
export async function after<T>(
  clock: FakeClock,
  ms: number,
  promise: Promise<T>,
): Promise<T | 'waits'> {
  let seen: T | 'waits' = 'waits';
  promise.then(
    (value) => (seen = value),
    () => undefined,
  );
  await clock.advance(ms);
  await settle();
  return seen;
}
