import { describe, expect, it } from 'vitest';
import type { ConnectionRecord } from '../../../src/connection/record.ts';
import type { AttemptResult, Order } from '../../../src/refresh/attempt.ts';
import { Flights, isCovered, type Flight } from '../../../src/refresh/flights.ts';
import { settle } from '../../support/fake-clock.ts';
import { after } from '../../support/flown.ts';
import { keptRows, type KeptRows } from '../../support/kept-rows.ts';
import { NOW, someIntent, someOwner, someTokens, someView } from '../../support/views.ts';

const newer = (generation = 1, rejected = false): Order['demand'] => ({
  ...{ kind: 'newer', generation, rejected },
});
const order = (change: Partial<Order> = {}): Order => ({
  ...{ demand: newer(), byHand: false, anyway: false, ...change },
});
const due = order({ demand: { kind: 'due' } });
const claim = { owner: someOwner, attemptId: 'theirs', claimedAt: NOW };

/** The flights of a keeper with one connection. */
function airport(change: Partial<ConnectionRecord> = {}): KeptRows & {
  readonly flights: Flights;
  readonly landed: (readonly [id: string, settled: boolean])[];
  /** Boards, and waits for the flight to its end. */
  fly(by?: Order): { readonly flight: Flight; readonly result: Promise<AttemptResult> };
} {
  const rows = keptRows(someView({ connection: change }));
  const landed: (readonly [string, boolean])[] = [];
  const flights = new Flights(rows.engine, (...told) => {
    landed.push(told);
    return Promise.resolve();
  });
  const fly = (by = order()): { flight: Flight; result: Promise<AttemptResult> } => {
    const flight = flights.board('connection', by);
    return { flight, result: flights.join(flight, (landing) => landing) };
  };
  return Object.assign(rows, { flights, landed, fly });
}

describe('a flight that finds the claim of another keeper', () => {
  it('waits for it, and lands a tenth of its wait after that keeper stored a newer set, without a turn at writing', async () => {
    const { clock, fly, write, asked, landed } = airport({ claim });
    const { flight, result } = fly();
    expect(await after(clock, 100, result)).toBe('waits');
    expect(flight.holder).toEqual(claim);
    write({ generation: 2, claim: undefined });
    expect(await after(clock, 10, result)).toMatchObject({
      kind: 'satisfied',
      view: { connection: { generation: 2 } },
    });
    expect([asked.transitions, landed]).toEqual([1, [['connection', false]]]);
  });

  it('reads nothing while nobody writes, and tries nothing when what was written leaves the claim as it was', async () => {
    const { clock, fly, write, asked } = airport({ claim });
    const { result } = fly();
    await after(clock, 100, result);
    expect(asked).toMatchObject({ reads: 1, transitions: 1 });
    write({ intent: someIntent() });
    await after(clock, 100, result);
    expect(asked).toMatchObject({ reads: 2, transitions: 1 });
  });

  it.each<[string, Partial<ConnectionRecord>, number]>([
    ['the claim was given back', { claim: undefined }, 4],
    ['another grant came', { grantId: 'other' }, 2],
    ['it was paused', { state: { kind: 'paused', since: NOW, before: { kind: 'active' } } }, 2],
  ])('tries again at once when %s', async (_what, change, transitions) => {
    const { clock, fly, write, asked } = airport({ claim });
    const { result } = fly();
    await after(clock, 100, result);
    write(change);
    await after(clock, 10, result);
    expect(asked.transitions).toBe(transitions);
  });

  it('takes a newer set even of a provider that it does not know', async () => {
    const world = airport({ generation: 2 });
    const profileOf = (): never => {
      throw new Error('no such provider');
    };
    Object.assign(world.engine, { profileOf });
    expect(await after(world.clock, 0, world.fly().result)).toMatchObject({ kind: 'satisfied' });
  });

  it('takes a newer set that came while the claim stands', async () => {
    const { clock, fly, write } = airport({ claim });
    const { result } = fly();
    await after(clock, 100, result);
    write({ generation: 2 });
    expect(await after(clock, 10, result)).toMatchObject({ kind: 'satisfied' });
  });

  it('looks four times a second whether the holder lives, and goes on in its place when it does not', async () => {
    const world = airport({ claim });
    const { flight, result } = world.fly();
    await after(world.clock, 5_000, result);
    expect(world.asked.judged).toBe(20);
    world.owner = 'dead';
    expect(await after(world.clock, 300, result)).toMatchObject({
      kind: 'settled',
      verdict: { kind: 'failed', connection: { lastError: { outcome: 'not_sent' } } },
    });
    expect(flight.holder).toBeUndefined();
    expect(world.landed).toEqual([['connection', true]]);
  });

  it('fails when the connection is removed meanwhile', async () => {
    const { clock, fly, remove, flights } = airport({ claim });
    const { result } = fly();
    result.catch(() => undefined);
    await after(clock, 100, result);
    expect(flights.isUnderWay('connection')).toBe(true);
    remove();
    await clock.advance(10);
    await expect(result).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
    expect(flights.isUnderWay('connection')).toBe(false);
  });

  it('lands at once where nobody waits for it, or the background alone', async () => {
    const { clock, flights, fly, asked } = airport({ claim, tokens: someTokens({ dueAt: NOW }) });
    const { landing } = flights.board('connection', order());
    expect(await after(clock, 0, landing)).toMatchObject({ kind: 'held', claim });
    expect(await after(clock, 0, fly(due).result)).toMatchObject({ kind: 'held', claim });
    expect(asked.transitions).toBe(2);
  });

  it('lands when the last one stops waiting, or the keeper closes', async () => {
    const { clock, flights, close, fly } = airport({ claim });
    const flight = flights.board('connection', order());
    const leaving = Promise.withResolvers<undefined>();
    const left = flights.join(flight, () => leaving.promise);
    expect(await after(clock, 100, flight.landing)).toBe('waits');
    leaving.resolve(undefined);
    await left;
    expect(await after(clock, 10, flight.landing)).toMatchObject({ kind: 'held' });
    const { result } = fly();
    expect(await after(clock, 100, result)).toBe('waits');
    close();
    expect(await after(clock, 0, result)).toMatchObject({ kind: 'held' });
  });
});

describe('a flight that must wait', () => {
  const until = NOW + 5_000;
  const blocked = { endpoint: { blockedUntil: until } };

  it.each<[string, Parameters<typeof someView>[0], number]>([
    ['itself', { connection: { backoff: { failures: 1, notBefore: until } } }, until],
    ['its endpoint', blocked, until],
    ['the budget', { endpoint: { recent: Array.from({ length: 10 }, () => NOW) } }, NOW + 1_000],
  ])(
    'for %s hears so without a turn at writing, whoever ordered it',
    async (_what, rows, until) => {
      for (const by of [order(), due]) {
        const world = airport();
        const view = someView(rows);
        const tokens = someTokens({ dueAt: NOW });
        world.put({ ...view, connection: { ...view.connection, tokens } });
        expect(await after(world.clock, 0, world.fly(by).result)).toMatchObject({
          ...{ kind: 'deferred', until },
        });
        expect([world.asked.transitions, world.landed]).toEqual([0, [['connection', false]]]);
      }
    },
  );

  it('flies as soon as it need not, and may then send only where it finds it so in its turn', async () => {
    const world = airport();
    world.put(someView(blocked));
    await after(world.clock, 5_000, world.fly().result);
    expect(await after(world.clock, 0, world.fly().result)).toMatchObject({ kind: 'settled' });
    const late = airport();
    late.store['read'] = () => {
      late.put(someView(blocked));
      return Promise.resolve(someView());
    };
    const { result } = late.fly();
    expect(await after(late.clock, 0, result)).toMatchObject({ kind: 'deferred', until });
    expect([late.asked.transitions, late.events]).toEqual([1, []]);
  });
});

describe('the flights of a keeper', () => {
  it('are one for all who board while it is under way, and those go on after all was told', async () => {
    const told = Promise.withResolvers<undefined>();
    const { engine, clock } = airport();
    const flights = new Flights(engine, () => told.promise);
    const flight = flights.board('connection', order());
    expect(flights.board('connection', due)).toBe(flight);
    expect(flight.order).toEqual(order());
    expect(await after(clock, 0, flight.landing)).toBe('waits');
    told.resolve(undefined);
    expect(await after(clock, 0, flight.landing)).toMatchObject({ kind: 'settled' });
    expect(flights.isUnderWay('connection')).toBe(false);
  });

  it('begin no more once it closes', () => {
    const { flights, close } = airport();
    close();
    expect(() => flights.board('connection', order())).toThrow(
      expect.objectContaining({
        code: 'ERR_KEEPER_CLOSED',
        message: 'this keeper is closed; open another',
      }),
    );
  });

  it.each<[string, 'lost' | { text: string }]>([
    ['lost', 'lost'],
    ['unreadable', { text: 'no JSON' }],
  ])('ask once more at once in a grace when an answer is %s', async (_what, first) => {
    const world = airport();
    const answers = [first, { json: { access_token: 'at-2', token_type: 'bearer' } }];
    let asked = 0;
    world.answer = () => answers[asked++] ?? 'lost';
    const { result } = world.fly();
    expect(await after(world.clock, 0, result)).toMatchObject({
      kind: 'settled',
      verdict: { kind: 'recorded', connection: { generation: 2 } },
    });
    expect(asked).toBe(2);
    await settle();
    expect(world.landed).toEqual([['connection', true]]);
  });
});

const byHand = order({ byHand: true });
const anyway = order({ byHand: true, anyway: true });

it.each<[string, string, boolean, Order, Order]>([
  ['a caller', 'an equal one', true, order(), order()],
  ['a caller', 'one that has a newer set', true, order(), order({ demand: newer(2) })],
  ['a caller that has a newer set', 'another', false, order({ demand: newer(2) }), order()],
  ['a caller', 'one that was refused', true, order(), order({ demand: newer(1, true) })],
  ['a caller that was refused', 'another', false, order({ demand: newer(1, true) }), order()],
  ['the background', 'the background', true, due, due],
  ['the background', 'a caller', false, due, order()],
  ['a caller', 'the background', false, order(), due],
  ['a person', 'a caller', false, byHand, order()],
  ['a caller', 'a person', false, order(), byHand],
  ['a person who insists', 'a person', false, anyway, byHand],
  ['a person', 'one who insists', true, byHand, anyway],
  ['the background', 'a person who insists', true, due, anyway],
])('what %s wants is done by a flight for %s: %s', (_who, _by, isDone, one, other) => {
  expect(isCovered(one, other)).toBe(isDone);
});
