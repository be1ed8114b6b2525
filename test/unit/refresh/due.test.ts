import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/errors.ts';
import { DueRounds, renewAllDue, type Renewed } from '../../../src/refresh/due.ts';
import { after, deferred, flown, settled } from '../../support/flown.ts';

const connections = (renewed: readonly Renewed[]): readonly string[] =>
  renewed.map(({ connectionId }) => connectionId);
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `c${String(i)}`);

describe('a round', () => {
  it('flies once for everything that is due now, the soonest first', async () => {
    const world = flown();
    world.due = ['b', 'a', 'c'];
    const renewed = await new DueRounds(world.engine, world.flights, false).fly(2_000);
    expect(renewed).toEqual(
      ['b', 'a', 'c'].map((connectionId) => ({ connectionId, result: settled })),
    );
    expect(world.log.map(([, id]) => id)).toEqual(['b', 'a', 'c']);
    expect(world.asked).toEqual([[world.clock.now(), 10_000]]);
    expect(world.orders[0]).toEqual({ demand: { kind: 'due' }, byHand: false, anyway: false });
  });

  it.each([
    [10, 10],
    [2.5, 3],
    [1_000, 64],
  ])('begins no more at once than a budget of %d a second lets pass: %d', async (budget, most) => {
    const world = flown(budget);
    world.due = ids(most + 1);
    world.endpointOf = (id) => id;
    world.land = () => undefined;
    const rounds = new DueRounds(world.engine, world.flights, false);
    const round = rounds.fly(2_000);
    await after(world.clock, 1_999, round);
    expect(world.log).toHaveLength(most);
    await after(world.clock, 1, round);
    expect(world.log).toHaveLength(most + 1);
  });

  it('leaves under way what hangs longer than it has patience', async () => {
    const world = flown();
    world.due = ['hangs', 'lands'];
    world.land = (id) => (id === 'hangs' ? undefined : settled);
    const round = new DueRounds(world.engine, world.flights, false).fly(2_000);
    expect(await after(world.clock, 1_999, round)).toBe('waits');
    expect(await after(world.clock, 1, round)).toEqual([
      { connectionId: 'hangs', result: { kind: 'under_way' } },
      { connectionId: 'lands', result: settled },
    ]);
  });

  it('does not begin again, in the background, what is under way', async () => {
    const world = flown();
    world.due = ['a', 'b'];
    world.underWay.add('a');
    const renewed = await new DueRounds(world.engine, world.flights, true).fly(2_000);
    expect(renewed[0]).toEqual({ connectionId: 'a', result: { kind: 'under_way' } });
    expect(world.log.map(([, id]) => id)).toEqual(['b']);
  });

  it.each([true, false])(
    'leaves to the next round the others of an endpoint that lets one hang (%s)',
    async (isInBackground) => {
      const world = flown(1);
      world.due = ['hangs', 'a2', 'b1'];
      world.endpointOf = (id) => (id === 'b1' ? 'b' : 'a');
      world.land = (id) => (id === 'hangs' ? undefined : settled);
      const rounds = new DueRounds(world.engine, world.flights, isInBackground);
      await after(world.clock, 2_000, rounds.fly(2_000));
      expect(world.log.map(([, id]) => id)).toEqual(['hangs', 'b1']);
      world.underWay.add('hangs');
      // An order leaves it out once it has waited for it.
      await rounds.fly(2_000, new Set(isInBackground ? [] : ['hangs']));
      expect(world.log.map(([, id]) => id)).toEqual(['hangs', 'b1', 'a2', 'b1']);
    },
  );

  it('tells what could not be tried, and tries the others', async () => {
    const world = flown();
    world.due = ['a', 'b'];
    const failure = new Error('no store');
    world.land = (id) => (id === 'a' ? failure : settled);
    const renewed = await new DueRounds(world.engine, world.flights, false).fly(2_000);
    expect(renewed).toEqual([
      { connectionId: 'a', result: failure },
      { connectionId: 'b', result: settled },
    ]);
  });

  it('leaves out what it is told to, and ends when it is told to', async () => {
    const world = flown();
    world.due = ['a', 'b'];
    const rounds = new DueRounds(world.engine, world.flights, false);
    const renewed = await rounds.fly(2_000, new Set(['a']));
    expect(connections(renewed)).toEqual(['b']);
    expect(await rounds.fly(2_000, undefined, AbortSignal.abort())).toEqual([]);
    world.close();
    expect(await rounds.fly(2_000)).toEqual([]);
    expect(world.log).toHaveLength(1);
  });

  it('gives the turns of an endpoint that must wait to the others', async () => {
    const world = flown(2);
    world.due = ['a1', 'b1', 'a2', 'b2', 'a3', 'b3'];
    world.endpointOf = (id) => id.slice(0, 1);
    const now = world.clock.now();
    world.land = (id) => (id.startsWith('a') ? deferred(now + 9_000, 'a') : settled);
    const rounds = new DueRounds(world.engine, world.flights, false);
    expect(connections(await rounds.fly(2_000))).toEqual(['a1', 'b1', 'b2', 'b3']);
    expect(connections(await rounds.fly(2_000))).toEqual(['a1', 'a2']);
  });

  it('goes on in the same order with what the endpoint left waiting, without asking the store again', async () => {
    const world = flown(2);
    world.due = ['a', 'b', 'c', 'd', 'e'];
    const rounds = new DueRounds(world.engine, world.flights, false);
    const now = world.clock.now();
    for (const left of ['abcde', 'bcde', 'cde', 'de', 'e']) {
      const next = left.slice(0, 1);
      world.land = (id) => (id === next ? settled : deferred(now + 100));
      expect(connections(await rounds.fly(2_000))).toEqual([...left.slice(0, 2)]);
    }
    expect(world.asked).toHaveLength(1);
  });

  it('asks the store again after a second, or twenty times as long as that took', async () => {
    const world = flown();
    world.due = ['a'];
    world.land = () => deferred(world.clock.now() + 100);
    const rounds = new DueRounds(world.engine, world.flights, false);
    const { due } = world.store as { due: (now: number, most: number) => Promise<unknown> };
    world.store['due'] = async (now: number, most: number) => {
      await world.clock.advance(200);
      return due(now, most);
    };
    const asks = async (afterMs: number): Promise<number> => {
      await world.clock.advance(afterMs);
      await rounds.fly(2_000);
      return world.asked.length;
    };
    expect(await asks(0)).toBe(1);
    expect([await asks(3_999), await asks(1)]).toEqual([1, 2]);
    world.store['due'] = due;
    expect([await asks(4_000), await asks(999), await asks(1)]).toEqual([3, 3, 4]);
  });

  it('asks the store again after half a minute, however long that took', async () => {
    const world = flown();
    world.due = ['a'];
    world.land = () => deferred(world.clock.now() + 100);
    const { due } = world.store as { due: (now: number, most: number) => Promise<unknown> };
    world.store['due'] = async (now: number, most: number) => {
      await world.clock.advance(60_000);
      return due(now, most);
    };
    const rounds = new DueRounds(world.engine, world.flights, false);
    await rounds.fly(2_000);
    await world.clock.advance(29_999);
    await rounds.fly(2_000);
    expect(world.asked).toHaveLength(1);
    await world.clock.advance(1);
    await rounds.fly(2_000);
    expect(world.asked).toHaveLength(2);
  });

  it('takes the endpoint that a connection has by then for the one that makes it wait', async () => {
    const world = flown(1);
    world.due = ['moved', 'a1', 'b1'];
    world.endpointOf = (id) => (id === 'b1' ? 'b' : 'a');
    const now = world.clock.now();
    world.land = (id) => (id === 'moved' ? deferred(now + 9_000, 'b') : settled);
    const rounds = new DueRounds(world.engine, world.flights, false);
    expect(connections(await rounds.fly(2_000))).toEqual(['moved', 'a1']);
    expect(rounds.left().map(({ connectionId }) => connectionId)).toEqual(['moved', 'b1']);
  });

  it('says nothing of a connection that was removed since it was found due', async () => {
    const world = flown();
    world.due = ['a', 'gone', 'b'];
    const gone = new NotFoundError('ERR_CONNECTION_UNKNOWN', 'removed meanwhile');
    world.land = (id) => (id === 'gone' ? gone : settled);
    const rounds = new DueRounds(world.engine, world.flights, false);
    expect(connections(await rounds.fly(2_000))).toEqual(['a', 'b']);
  });

  it.each([
    [1, ['a1', 'a2']],
    [0, ['a1']],
    [-1, ['a1']],
  ])(
    'takes no endpoint for one that waits where a connection waits for itself (%d ms)',
    async (ms, seen) => {
      const world = flown(1);
      world.due = ['a1', 'a2'];
      const now = world.clock.now();
      world.land = () => deferred(now + 9_000, 'one', now + ms);
      const rounds = new DueRounds(world.engine, world.flights, false);
      expect(connections(await rounds.fly(2_000))).toEqual(seen);
    },
  );
});

describe('an order for all that is due', () => {
  it('waits a moment for an endpoint, and tries each only until its turn is over', async () => {
    const world = flown();
    world.due = ['late', 'now'];
    const from = world.clock.now();
    world.land = (id) =>
      id === 'late' && world.clock.now() < from + 2_000 ? deferred(from + 2_000) : settled;
    const order = renewAllDue(world.engine, world.flights);
    expect(await after(world.clock, 1_999, order)).toBe('waits');
    expect(await after(world.clock, 1, order)).toEqual([
      { connectionId: 'late', result: settled },
      { connectionId: 'now', result: settled },
    ]);
    expect(world.log).toEqual([
      [0, 'late'],
      [0, 'now'],
      [2_000, 'late'],
    ]);
  });

  it('tries again after the shortest of several waits', async () => {
    const world = flown();
    world.due = ['a', 'b'];
    const from = world.clock.now();
    const waits: Readonly<Record<string, number>> = { a: 300, b: 700 };
    world.land = (id) => {
      const until = from + (waits[id] ?? 0);
      return world.clock.now() < until ? deferred(until, id, until) : settled;
    };
    const order = renewAllDue(world.engine, world.flights);
    expect(await after(world.clock, 5_000, order)).toHaveLength(2);
    expect(world.log.map(([at]) => at)).toEqual([0, 0, 300, 300, 700]);
  });

  it('waits for a server that lets many hang no longer than once before the others have their turns', async () => {
    const world = flown();
    const hung = Array.from({ length: 30 }, (_, i) => `h${String(i)}`);
    world.due = [...hung, 'b1', 'b2'];
    world.endpointOf = (id) => id.slice(0, 1);
    world.land = (id) => (id.startsWith('h') ? undefined : settled);
    const order = renewAllDue(world.engine, world.flights);
    expect(await after(world.clock, 179_999, order)).toBe('waits');
    const renewed = await after(world.clock, 1, order);
    const begun = world.log.map(([at, id]) => `${id} at ${String(at / 1_000)}`);
    const batch = (from: number, at: number): string[] =>
      hung.slice(from, from + 10).map((id) => `${id} at ${String(at)}`);
    expect(begun).toEqual([
      ...batch(0, 0),
      ...['b1 at 60', 'b2 at 60'],
      ...batch(10, 60),
      ...batch(20, 120),
    ]);
    expect(renewed).toHaveLength(32);
    expect(renewed).toContainEqual({ connectionId: 'h29', result: { kind: 'under_way' } });
  });

  it('that ends while a server lets many hang says nothing of those it did not try', async () => {
    const world = flown(1);
    world.due = ['h1', 'h2', 'b1'];
    world.endpointOf = (id) => id.slice(0, 1);
    world.land = (id) => (id.startsWith('h') ? undefined : settled);
    const order = renewAllDue(world.engine, world.flights);
    await after(world.clock, 59_999, order);
    expect(world.log).toHaveLength(1);
    world.land = (id) => {
      if (id === 'b1') world.close();
      return id.startsWith('h') ? undefined : settled;
    };
    const renewed = await after(world.clock, 1, order);
    expect(connections(renewed as readonly Renewed[])).toEqual(['h1', 'b1']);
  });

  it('leaves what must wait longer for another time', async () => {
    const world = flown();
    world.due = ['a'];
    const waits = deferred(world.clock.now() + 2_001);
    world.land = () => waits;
    const order = renewAllDue(world.engine, world.flights);
    expect(await after(world.clock, 0, order)).toEqual([{ connectionId: 'a', result: waits }]);
  });

  it('tries at once what may be tried already', async () => {
    const world = flown();
    world.due = ['a'];
    const past = deferred(world.clock.now() - 5);
    world.land = () => (world.log.length < 3 ? past : settled);
    const order = renewAllDue(world.engine, world.flights);
    expect(await after(world.clock, 0, order)).toEqual([{ connectionId: 'a', result: settled }]);
  });

  it('tries one that waits for itself again as soon as it may, whatever its endpoint makes others wait', async () => {
    const world = flown();
    world.due = ['x', 'a1', 'a2'];
    world.endpointOf = (id) => id.slice(0, 1);
    const from = world.clock.now();
    world.land = (id) => {
      const [until, notBefore] = id === 'x' ? [from + 400, from + 400] : [from + 300, 0];
      if (id === 'a1' || world.clock.now() >= until) return settled;
      return deferred(until, id.slice(0, 1), notBefore);
    };
    const order = renewAllDue(world.engine, world.flights);
    const renewed = await after(world.clock, 400, order);
    expect(renewed).toEqual(
      ['x', 'a1', 'a2'].map((connectionId) => ({ connectionId, result: settled })),
    );
  });

  it('waits for what is under way already', async () => {
    const world = flown();
    world.due = ['a'];
    world.underWay.add('a');
    const order = renewAllDue(world.engine, world.flights);
    expect(await after(world.clock, 0, order)).toEqual([{ connectionId: 'a', result: settled }]);
  });

  it('waits for an answer as long as a caller would', async () => {
    const world = flown();
    world.due = ['a'];
    world.land = () => undefined;
    const order = renewAllDue(world.engine, world.flights);
    expect(await after(world.clock, 59_999, order)).toBe('waits');
    expect(await after(world.clock, 1, order)).toEqual([
      { connectionId: 'a', result: { kind: 'under_way' } },
    ]);
  });

  it.each(['the order', 'the keeper'])('ends with %s', async (which) => {
    const world = flown();
    world.due = ['a'];
    const waits = deferred(world.clock.now() + 1_000);
    world.land = () => waits;
    const controller = new AbortController();
    const order = renewAllDue(world.engine, world.flights, controller.signal);
    expect(await after(world.clock, 0, order)).toBe('waits');
    if (which === 'the order') controller.abort();
    else world.close();
    expect(await after(world.clock, 0, order)).toHaveLength(1);
    expect(world.log).toHaveLength(1);
  });
});
