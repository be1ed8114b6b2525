import { describe, expect, it } from 'vitest';
import type { ConnectionRecord, TokenSet } from '../../../src/connection/record.ts';
import { ConfigurationError, StoreError } from '../../../src/errors.ts';
import type { AttemptResult, Order } from '../../../src/refresh/attempt.ts';
import type { Flight, Flights } from '../../../src/refresh/flights.ts';
import { Memory } from '../../../src/refresh/memory.ts';
import { NewerTokens, type Newer } from '../../../src/refresh/newer-tokens.ts';
import { after } from '../../support/flown.ts';
import { keptRows, type KeptRows } from '../../support/kept-rows.ts';
import { NOW, someIntent, someTokens, someView } from '../../support/views.ts';

const HOUR_MS = 3_600_000;
const PATIENCE_MS = 20_000;
const broken = new StoreError('ERR_STORE_UNAVAILABLE', 'the disk is gone');
const failing = (): Promise<never> => Promise.reject(broken);
const newer: Newer = { kind: 'newer', generation: 1, rejected: false };
const rejected: Newer = { ...newer, rejected: true };
const due: Order = { demand: { kind: 'due' }, byHand: false, anyway: false };

type Landing = AttemptResult | Promise<AttemptResult>;
const never = new Promise<never>(() => undefined);
const stopped = { kind: 'stopped' } as AttemptResult;
const satisfied = { kind: 'satisfied' } as AttemptResult;
const settled = (kind: 'recorded' | 'superseded' | 'failed'): AttemptResult =>
  ({ kind: 'settled', verdict: { kind } }) as AttemptResult;
const deferred = (until: number): AttemptResult =>
  ({ kind: 'deferred', until, because: 'the budget is used up' }) as AttemptResult;

/** A set whose access token has the generation in its value, and lives so long from the start on. */
function set(generation: number, leftMs = HOUR_MS): TokenSet {
  const accessToken = Buffer.from(`at-${String(generation)}`);
  return someTokens({ accessToken, accessExpiresAt: NOW + leftMs });
}

interface World extends KeptRows {
  /** What each flight does, and comes to; those beyond them never land. */
  flown: readonly (() => Landing)[];
  /** Orders of the flights that were started. */
  readonly orders: readonly Order[];
  readonly flights: Flights;
  /** The value of the token that a caller gets, or the error. */
  obtain(demand?: Newer, patienceMs?: number, signal?: AbortSignal): Promise<unknown>;
  /** The generation that a person's order brings, or the error. */
  order(anyway?: boolean, patienceMs?: number, signal?: AbortSignal): Promise<unknown>;
  /** Stores a newer set. */
  store2(generation?: number, leftMs?: number): void;
}

/** A keeper whose one connection holds an access token that lives so long from now on, and whose flights come to what a test says. */
function waiting(leftMs: number, change: Partial<ConnectionRecord> = {}): World {
  const rows = keptRows(someView({ connection: { tokens: set(1, leftMs), ...change } }));
  const { engine, clock } = rows;
  const memory = new Memory(engine);
  const orders: Order[] = [];
  let airborne: Flight | undefined;
  const fly = async (): Promise<AttemptResult> => {
    const step = world.flown[orders.length - 1];
    try {
      return await (step?.() ?? never);
    } finally {
      airborne = undefined;
      await memory.refreshed('connection');
    }
  };
  const board = (_id: string, order: Order): Flight => {
    if (airborne !== undefined) return airborne;
    if (engine.closing.aborted) throw new ConfigurationError('ERR_KEEPER_CLOSED', 'closed');
    orders.push(order);
    const started = { order, holder: undefined };
    airborne = { ...started, landing: Promise.resolve().then(fly) };
    airborne.landing.catch(() => undefined);
    return airborne;
  };
  const join = (flight: Flight, wait: (landing: unknown) => unknown): unknown =>
    wait(flight.landing);
  const flights = { board, join } as unknown as Flights;
  const tokens = new NewerTokens(engine, flights, memory);
  const patience = (ms: number, signal: AbortSignal | undefined) => ({
    ...{ deadline: clock.monotonic() + ms, signal },
  });
  const told = (error: unknown): unknown => error;
  const world: World = Object.assign(rows, {
    ...{ flown: [], orders, flights },
    obtain: async (demand = newer, ms = PATIENCE_MS, signal?: AbortSignal) => {
      const known = await memory.read('a');
      return tokens
        .obtain(known, demand, patience(ms, signal))
        .then(({ token: { value } }) => value, told);
    },
    order: (anyway = false, ms = PATIENCE_MS, signal?: AbortSignal) =>
      tokens
        .order('a', anyway, patience(ms, signal))
        .then(({ connection }) => connection.generation, told),
    store2: (generation = 2, ms = HOUR_MS) =>
      rows.write({ generation, tokens: set(generation, ms) }),
  });
  return world;
}

/** What a flight does that brings a set. */
function bringing(world: World, generation = 2, leftMs = HOUR_MS): () => AttemptResult {
  return () => {
    world.store2(generation, leftMs);
    return settled('recorded');
  };
}

const coded = (code: string): unknown => expect.objectContaining({ code });

describe('a caller whose token has ended', () => {
  it('gets the one that a flight of its own order brings', async () => {
    const world = waiting(0);
    world.flown = [bringing(world)];
    expect(await after(world.clock, 0, world.obtain())).toBe('at-2');
    expect(world.orders).toEqual([{ demand: newer, byHand: false, anyway: false }]);
  });

  it('waits on when others stored sets that had ended by then, however many', async () => {
    const world = waiting(0);
    const late = (generation: number) => () => {
      world.store2(generation, 0);
      return settled('superseded');
    };
    world.flown = [late(2), late(3), late(4), bringing(world, 5)];
    expect(await after(world.clock, 0, world.obtain(rejected))).toBe('at-5');
    const plain = [2, 3, 4].map((generation) => ({ ...newer, generation }));
    expect(world.orders.map(({ demand }) => demand)).toEqual([rejected, ...plain]);
  });

  it('gives up after two that were asked for and had ended when they came', async () => {
    const world = waiting(0);
    world.flown = [bringing(world, 2, 0), bringing(world, 3, 0)];
    expect(await after(world.clock, 0, world.obtain())).toMatchObject({
      code: 'ERR_SERVER_FAILED',
      message: expect.stringContaining('so late that the access token has ended') as string,
    });
    expect(world.orders).toHaveLength(2);
  });

  it('is told of a set that had ended when it was issued, without another request', async () => {
    const world = waiting(0);
    const lastError = { at: NOW, outcome: 'refreshed', message: 'it has already expired' };
    const issuing = (): AttemptResult => {
      world.write({ generation: 2, tokens: set(2, 0), lastError });
      return settled('recorded');
    };
    world.flown = [issuing, bringing(world, 3)];
    expect(await after(world.clock, 0, world.obtain())).toEqual(coded('ERR_RESPONSE_INVALID'));
  });

  it('gets one by the refresh token that was imported alone meanwhile', async () => {
    const world = waiting(0);
    const importing = (): AttemptResult => {
      world.write({
        generation: 2,
        grantId: 'other',
        tokens: someTokens({ accessToken: undefined }),
      });
      return satisfied;
    };
    world.flown = [importing, bringing(world, 3)];
    expect(await after(world.clock, 0, world.obtain())).toBe('at-3');
  });

  it.each([
    ['failed and may be repeated now', {}],
    [
      'left the last try',
      { state: { kind: 'uncertain', since: NOW, reason: 'reset', lastTry: true } },
    ],
  ] as const)('asks once more when a request %s', async (_what, change) => {
    const world = waiting(0);
    const fail = (): AttemptResult => {
      world.write({ ...change, backoff: { failures: 1, notBefore: NOW } });
      return settled('failed');
    };
    world.flown = [fail, bringing(world)];
    expect(await after(world.clock, 0, world.obtain())).toBe('at-2');
  });

  it.each([settled('recorded'), satisfied])(
    'looks again when a newer set could not be read: %o',
    async (result) => {
      const world = waiting(0, { backoff: { failures: 1, notBefore: NOW + HOUR_MS } });
      const { read } = world.store as { read: unknown };
      const unreadable = (): AttemptResult => {
        world.store['read'] = failing;
        return result;
      };
      const readable = (): AttemptResult => {
        world.store['read'] = read;
        world.store2();
        return satisfied;
      };
      world.flown = [unreadable, readable];
      expect(await after(world.clock, 0, world.obtain())).toBe('at-2');
    },
  );

  it('boards another flight where somebody resumed the connection that one found stopped', async () => {
    const world = waiting(0);
    world.flown = [() => stopped, bringing(world)];
    expect(await after(world.clock, 0, world.obtain())).toBe('at-2');
  });

  it('waits for its turn where that comes within its patience, even at the end of it', async () => {
    const world = waiting(0);
    world.flown = [() => deferred(NOW + PATIENCE_MS), bringing(world)];
    const order = world.order();
    expect(await after(world.clock, PATIENCE_MS - 1, order)).toBe('waits');
    expect(await after(world.clock, 1, order)).toBe(2);
    const other = waiting(0);
    other.flown = [() => deferred(NOW + PATIENCE_MS + 1)];
    expect(await after(other.clock, 0, other.order())).toMatchObject({
      code: 'ERR_SERVER_FAILED',
      message: 'a: the budget is used up; try again later',
      retryAt: NOW + PATIENCE_MS + 1,
    });
  });

  it('waits for its turn no longer than its own signal, and the keeper, let it', async () => {
    const world = waiting(0);
    world.flown = [() => deferred(NOW + 10_000)];
    const leaving = new AbortController();
    const obtained = world.obtain(newer, PATIENCE_MS, leaving.signal);
    const others = world.obtain();
    expect(await after(world.clock, 1_000, obtained)).toBe('waits');
    leaving.abort('left');
    expect(await after(world.clock, 0, obtained)).toBe('left');
    expect(await after(world.clock, 0, others)).toBe('waits');
    world.close();
    expect(await after(world.clock, 0, others)).toEqual(coded('ERR_KEEPER_CLOSED'));
  });

  it.each([
    ['with its own reason', new Error('left'), 'left'],
    ['with none', null, 'the caller gave up'],
  ])('stops waiting for a flight when it aborts %s', async (_how, reason, message) => {
    const leaving = new AbortController();
    const world = waiting(0);
    const obtained = world.obtain(newer, PATIENCE_MS, leaving.signal);
    const ordered = world.order(false, PATIENCE_MS, leaving.signal);
    expect(await after(world.clock, 1_000, obtained)).toBe('waits');
    leaving.abort(reason);
    expect(await after(world.clock, 0, obtained)).toMatchObject({ message });
    expect(await after(world.clock, 0, ordered)).toMatchObject({ message });
  });

  it('is told when its patience is over, and that the refresh goes on', async () => {
    const world = waiting(0);
    const [obtained, ordered] = [world.obtain(), world.order()];
    expect(await after(world.clock, PATIENCE_MS - 1, obtained)).toBe('waits');
    expect(await after(world.clock, 1, obtained)).toEqual(coded('ERR_DEADLINE'));
    expect(await after(world.clock, 0, ordered)).toEqual(coded('ERR_DEADLINE'));
    expect(world.orders).toHaveLength(1);
  });
});

describe('a caller whose token lives', () => {
  it('waits five seconds for a newer one, and its whole patience where the API refused it', async () => {
    const world = waiting(HOUR_MS);
    const refused = world.obtain(rejected);
    const obtained = world.obtain();
    expect(await after(world.clock, 4_999, obtained)).toBe('waits');
    expect(await after(world.clock, 1, obtained)).toBe('at-1');
    expect(await after(world.clock, PATIENCE_MS - 5_001, refused)).toBe('waits');
    expect(await after(world.clock, 1, refused)).toBe('at-1');
  });

  it('is told why there is none when its token ends while it waits, without another request', async () => {
    const world = waiting(2_000);
    const landing = Promise.withResolvers<AttemptResult>();
    world.flown = [() => landing.promise];
    const obtained = world.obtain();
    expect(await after(world.clock, 3_000, obtained)).toBe('waits');
    landing.resolve(deferred(NOW + HOUR_MS));
    expect(await after(world.clock, 0, obtained)).toEqual(coded('ERR_SERVER_FAILED'));
    expect(world.orders).toHaveLength(1);
  });

  it('waits on when its token ends while the flight hangs', async () => {
    const world = waiting(2_000);
    const landing = Promise.withResolvers<AttemptResult>();
    world.flown = [() => landing.promise];
    const obtained = world.obtain();
    expect(await after(world.clock, 10_000, obtained)).toBe('waits');
    world.store2();
    landing.resolve(settled('recorded'));
    expect(await after(world.clock, 0, obtained)).toBe('at-2');
  });

  it('is served it when the store fails, with a warning, and for a second nobody waits again', async () => {
    const world = waiting(HOUR_MS);
    world.flown = [failing, () => never];
    expect(await after(world.clock, 0, world.obtain())).toBe('at-1');
    expect(world.events).toEqual(['warning: the refresh failed: the disk is gone']);
    expect(await after(world.clock, 999, world.obtain())).toBe('at-1');
    await after(world.clock, 1, world.obtain());
    expect(await after(world.clock, 0, world.obtain())).toBe('waits');
    const ended = waiting(0);
    ended.flown = [failing];
    expect(await after(ended.clock, 0, ended.obtain())).toBe(broken);
    expect(ended.events).toEqual([]);
  });

  it('is served it where the file of the answer that it waits for cannot be read', async () => {
    const state = { kind: 'uncertain', since: NOW, reason: 'reset', lastTry: false } as const;
    for (const [leftMs, told] of [
      [HOUR_MS, 'at-1'],
      [0, broken],
    ] as const) {
      const world = waiting(leftMs, { state, intent: someIntent() });
      world.spills['find'] = failing;
      expect(await after(world.clock, 0, world.obtain())).toBe(told);
    }
  });
});

it.each<[string, boolean, number, Newer, unknown]>([
  ['waits while the token lives', true, HOUR_MS, newer, 'at-1'],
  ['is made when an API refused the token', true, HOUR_MS, rejected, 'at-2'],
  ['is made when the token has ended', true, 0, newer, 'at-2'],
  ['that a person alone may order is not made', false, 0, rejected, coded('ERR_OUTCOME_UNCERTAIN')],
])('the last try of an uncertain connection %s', async (_what, lastTry, leftMs, demand, told) => {
  const state = { kind: 'uncertain', since: NOW, reason: 'reset', lastTry } as const;
  const world = waiting(leftMs, { state });
  world.flown = [bringing(world)];
  expect(await after(world.clock, 0, world.obtain(demand))).toEqual(told);
  expect(world.orders).toHaveLength(told === 'at-2' ? 1 : 0);
});

describe('where a flight of a weaker order is under way', () => {
  /** The background's flight. */
  function underWay(): World & { readonly landing: PromiseWithResolvers<AttemptResult> } {
    const world = waiting(0);
    const landing = Promise.withResolvers<AttemptResult>();
    world.flown = [() => landing.promise, bringing(world)];
    world.flights.board('connection', due);
    return Object.assign(world, { landing });
  }

  it.each(['obtain', 'order'] as const)(
    'who wants more boards another when that made no request: %s',
    async (ask) => {
      const world = underWay();
      const asked = world[ask]();
      expect(await after(world.clock, 1_000, asked)).toBe('waits');
      world.landing.resolve(deferred(NOW + HOUR_MS));
      expect(await after(world.clock, 0, asked)).toBe(ask === 'order' ? 2 : 'at-2');
      const own = { demand: newer, byHand: ask === 'order', anyway: false };
      expect(world.orders).toEqual([due, own]);
    },
  );

  it('a caller takes what its request came to, and a person too, but one who insists does not', async () => {
    for (const ask of ['obtain', 'order', 'insist'] as const) {
      const world = underWay();
      const asked = ask === 'obtain' ? world.obtain() : world.order(ask === 'insist');
      await after(world.clock, 1_000, asked);
      world.write({ backoff: { failures: 1, notBefore: NOW + HOUR_MS } });
      world.landing.resolve(settled('failed'));
      const told = await after(world.clock, 0, asked);
      expect(told).toEqual(ask === 'insist' ? 2 : coded('ERR_SERVER_FAILED'));
      expect(world.orders[1]).toEqual(
        ask === 'insist' ? { demand: newer, byHand: true, anyway: true } : undefined,
      );
    }
  });
});
