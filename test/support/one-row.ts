import type { Change, Leftover, View } from '../../src/connection/decision.ts';
import type { LifeEvent } from '../../src/connection/record.ts';
import type { SealContext } from '../../src/connection/secrets.ts';
import { StoreError } from '../../src/errors.ts';
import type { Engine } from '../../src/refresh/engine.ts';
import type { Spill } from '../../src/refresh/spill.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { someAttempt, someTokens, someView } from './views.ts';

/*
 * An engine whose store holds the rows of one connection in memory, and whose files of answers lie in memory too: for what brings an answer
 * into the store, where each step may fail when a test says so.
 */

/** What such an engine holds, and what was done with it. */
export interface OneRow {
  readonly clock: FakeClock;
  readonly engine: Engine;
  /** The rows; undefined once the connection is removed. A test changes them. */
  view: View | undefined;
  /** What keeps the store from writing. */
  trouble: Error | undefined;
  /** What keeps a file from being written, read or removed. */
  readonly fileTrouble: { write?: Error; find?: Error; remove?: Error };
  /** Whether the owner of a claim lives. */
  owner: 'alive' | 'dead' | 'unknown';
  /** Instants, since the start, at which the store was to write. */
  readonly tried: number[];
  /** Each step outside, in order: writes of the row and of files, and what was told to whom. */
  readonly steps: string[];
  /** Events, with all they hold. */
  readonly events: (readonly [event: string, detail: unknown])[];
  /** Lines of the log. */
  readonly logged: (readonly [message: string, fields: unknown])[];
  /** Answers in files, by attempt. */
  readonly files: Map<string, Spill>;
  /** The connection's history, newest first. */
  readonly life: LifeEvent[];
  /** Connections that were removed. */
  readonly removed: Set<string>;
  /** What was put away. */
  readonly leftovers: Leftover[];
  /** Closes the keeper. */
  close(): void;
}

/** What a store says whose disk takes nothing. */
export const fullDisk = new StoreError('ERR_STORE_FULL', 'the disk is full');

/** An answer of an attempt for generation 1, on its way into generation 2. */
export function someSpill(change: Partial<Spill> = {}): Spill {
  const tokens = someTokens({
    accessToken: Uint8Array.of(3),
    refreshToken: seal('rt-2', { record: 'connection', field: 'refreshToken', generation: 2 }),
    fingerprint: 'abcdef02',
  });
  const unusableType = undefined;
  return { connectionId: 'connection', attempt: someAttempt(), tokens, unusableType, ...change };
}

/** Makes one in which nothing fails. */
export function oneRow(view: View | undefined = someView()): OneRow {
  const clock = fakeClock();
  const closing = new AbortController();
  const all: Omit<OneRow, 'engine'> = {
    ...{ clock, view, trouble: undefined, fileTrouble: {}, owner: 'dead', files: new Map() },
    ...{
      tried: [],
      steps: [],
      events: [],
      logged: [],
      life: [],
      leftovers: [],
      removed: new Set(),
    },
    close: () => {
      closing.abort();
    },
  };
  const engine = {
    ...{ clock, store: storeOf(all), spills: spillsOf(all), closing: closing.signal },
    random: { fraction: () => 0.5 },
    machine: { hostname: 'host', pid: 4711 },
    settings: { lastTry: true, requestsPerSecond: 10 },
    profileOf: () => ({ rotation: 'single-use', graceMs: undefined }),
    emit: (event: string, detail: unknown) => {
      all.steps.push(event);
      all.events.push([event, detail]);
    },
    log: { info: (message: string, fields: unknown) => all.logged.push([message, fields]) },
  } as unknown as Engine;
  return Object.assign(all, { engine });
}

function storeOf(all: Omit<OneRow, 'engine'>): unknown {
  const began = all.clock.monotonic();
  const apply = <T>(
    id: string,
    decide: (view: View) => Change<T>,
    { durable }: { readonly durable: boolean },
  ): T | undefined => {
    if (all.trouble !== undefined) throw all.trouble;
    if (all.view?.connection.id !== id) return undefined;
    const { connection, result, life = [], leftovers = [] } = decide(all.view);
    all.view = { ...all.view, connection: { ...all.view.connection, ...connection } };
    all.life.unshift(...life);
    all.leftovers.unshift(...leftovers);
    all.steps.push(durable ? 'row written durably' : 'row written');
    return result;
  };
  return {
    transition: async (...args: Parameters<typeof apply>) => {
      all.tried.push(all.clock.monotonic() - began);
      return Promise.resolve(apply(...args));
    },
    read: (id: string) => Promise.resolve(all.view?.connection.id === id ? all.view : undefined),
    hasRemoved: (id: string) => Promise.resolve(all.removed.has(id)),
    life: () => Promise.resolve(all.life),
    claims: { judge: () => Promise.resolve(all.owner) },
    sealer: { seal, open, fingerprint: (token: string) => `print of ${token}` },
  };
}

function spillsOf({ files, fileTrouble, steps }: Omit<OneRow, 'engine'>): unknown {
  const step = async (kind: 'write' | 'find' | 'remove', name: string): Promise<void> => {
    steps.push(name);
    await Promise.resolve();
    if (fileTrouble[kind] !== undefined) throw fileTrouble[kind];
  };
  return {
    attempts: () => Promise.resolve([...files.keys()]),
    tidy: () => Promise.resolve(),
    find: async (attemptId: string) => {
      if (fileTrouble.find !== undefined) throw fileTrouble.find;
      return Promise.resolve(files.get(attemptId));
    },
    write: async (spill: Spill) => {
      await step('write', 'file written');
      files.set(spill.attempt.attemptId, spill);
    },
    remove: async (attemptId: string) => {
      await step('remove', 'file removed');
      files.delete(attemptId);
    },
  };
}

/** Nothing is really sealed: who opens it in another place is told so all the same. */
function seal(plain: string | Uint8Array, context: SealContext): Uint8Array {
  return Buffer.from(JSON.stringify([Buffer.from(plain).toString(), context]));
}

function open(sealed: Uint8Array, context: SealContext): Uint8Array {
  const text = Buffer.from(sealed).toString();
  if (!text.endsWith(`,${JSON.stringify(context)}]`))
    throw new StoreError('ERR_STORE_DAMAGED', 'sealed to another place');
  const [plain] = JSON.parse(text) as [string];
  return Buffer.from(plain);
}
