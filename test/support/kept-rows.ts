import type { View } from '../../src/connection/decision.ts';
import type { ConnectionRecord } from '../../src/connection/record.ts';
import { generic } from '../../src/providers/generic.ts';
import type { Engine } from '../../src/refresh/engine.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { fakeHttp, type FakeAnswer } from './fake-http.ts';
import { someOwner } from './views.ts';

/*
 * An engine over rows that are held in a map: decisions are made on them as a store does it, nothing is sealed, and a test writes them as
 * another process would.
 */

/** How often such a store was asked. */
interface Asked {
  reads: number;
  transitions: number;
  counters: number;
  judged: number;
  opened: number;
}

/** See {@link keptRows}. */
export interface KeptRows {
  readonly clock: FakeClock;
  readonly engine: Engine;
  readonly asked: Asked;
  /** Each event as `name: message`. */
  readonly events: string[];
  /** Replaces parts of the store. */
  readonly store: Record<string, unknown>;
  /** Replaces parts of the spill files, of which there are none. */
  readonly spills: Record<string, unknown>;
  /** How the owner of every claim stands. */
  owner: 'alive' | 'dead';
  /** How the server answers each request. */
  answer: () => FakeAnswer;
  /** Adds a connection, or changes it, as this process does. */
  put(view: View): void;
  /** Changes a connection, as another process does. */
  write(change: Partial<ConnectionRecord>, id?: string): void;
  /** Removes a connection, as another process does. */
  remove(id?: string): void;
  /** Closes the keeper. */
  close(): void;
}

/** Makes one with these connections, whose server has a grace. */
export function keptRows(...views: readonly View[]): KeptRows {
  const rows = new Map(views.map((view) => [view.connection.id, view]));
  const clock = fakeClock();
  const closing = new AbortController();
  const asked: Asked = { reads: 0, transitions: 0, counters: 0, judged: 0, opened: 0 };
  let counter = 0;
  const all: Omit<KeptRows, 'engine'> = {
    ...{ clock, asked, events: [], owner: 'alive', answer: () => 'unreachable' },
    store: storeOf(rows, asked, () => counter),
    spills: { find: () => Promise.resolve(undefined), makeReserve: () => Promise.resolve() },
    put: (view) => void rows.set(view.connection.id, view),
    write: (change, id = 'connection') => {
      const view = rows.get(id);
      if (view === undefined) throw new Error(`there is no ${id}`);
      rows.set(id, { ...view, connection: { ...view.connection, ...change } });
      counter++;
    },
    remove: (id = 'connection') => {
      rows.delete(id);
      counter++;
    },
    close: () => closing.abort(),
  };
  all.store['claims'] = {
    identify: () => Promise.resolve(someOwner),
    judge: () => {
      asked.judged++;
      return Promise.resolve(all.owner);
    },
  };
  const engine = {
    ...{ clock, store: all.store, spills: all.spills, http: fakeHttp(() => all.answer()) },
    closing: closing.signal,
    leaving: new AbortController().signal,
    random: { fraction: () => 0.5, uuid: () => crypto.randomUUID() },
    machine: { hostname: 'host', pid: 4711, bootId: someOwner.bootId },
    settings: { lastTry: true, requestsPerSecond: 10 },
    profileOf: () => ({ ...generic, rotation: 'grace', graceMs: 60_000 }),
    emit: (event: string, { message }: { readonly message?: string }) =>
      all.events.push(`${event}: ${message ?? ''}`),
  } as unknown as Engine;
  return Object.assign(all, { engine });
}

function storeOf(
  rows: Map<string, View>,
  asked: Asked,
  counter: () => number,
): Record<string, unknown> {
  return {
    changeCounter: () => {
      asked.counters++;
      return counter();
    },
    read: (id: string) => {
      asked.reads++;
      return Promise.resolve(rows.get(id));
    },
    find: (name: string) => {
      asked.reads++;
      return Promise.resolve([...rows.values()].find((view) => view.connection.name === name));
    },
    transition: (id: string, decide: (view: View) => ChangeOfAny) => {
      asked.transitions++;
      const view = rows.get(id);
      if (view === undefined) return Promise.resolve(undefined);
      const { result, connection, endpoint = view.endpoint } = decide(view);
      rows.set(id, { ...view, endpoint, connection: { ...view.connection, ...connection } });
      return Promise.resolve(result);
    },
    sealer: {
      seal: (plain: string | Uint8Array) => Buffer.from(plain),
      open: (sealed: Uint8Array) => {
        asked.opened++;
        return sealed;
      },
      fingerprint: () => 'abcdef01',
    },
  };
}

type ChangeOfAny = Partial<Pick<View, 'endpoint'>> & {
  readonly result: unknown;
  readonly connection?: Partial<ConnectionRecord>;
};
