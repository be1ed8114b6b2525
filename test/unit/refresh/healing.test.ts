import { describe, expect, it } from 'vitest';
import type { View } from '../../../src/connection/decision.ts';
import type { Rotation } from '../../../src/connection/record.ts';
import { ConfigurationError } from '../../../src/errors.ts';
import type { AttemptResult } from '../../../src/refresh/attempt.ts';
import type { Engine } from '../../../src/refresh/engine.ts';
import type { Flights } from '../../../src/refresh/flights.ts';
import { Healing } from '../../../src/refresh/healing.ts';
import { deferred, settled } from '../../support/flown.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { NOW, someIntent, someView } from '../../support/views.ts';

/** Healing whose flights come to what a test says, in a store with one connection. */
interface Ward {
  readonly clock: FakeClock;
  readonly healing: Healing;
  /** When each flight began, in milliseconds since the start. */
  readonly begun: number[];
  readonly orders: unknown[];
  /** What the next flights come to. */
  land: AttemptResult | Error;
  /** What the store holds; thrown where it is an error. */
  stored: View | undefined | Error;
  /** Whether this version knows the habits of the server. */
  isProviderKnown: boolean;
  close(): void;
}

function ward(rotation: Rotation = 'grace'): Ward {
  const clock = fakeClock(NOW);
  const closing = new AbortController();
  const store = {
    read: () =>
      all.stored instanceof Error ? Promise.reject(all.stored) : Promise.resolve(all.stored),
  };
  const flights = {
    board: (_id: string, order: unknown) => {
      all.begun.push(clock.monotonic());
      all.orders.push(order);
      const { land } = all;
      return { landing: land instanceof Error ? Promise.reject(land) : Promise.resolve(land) };
    },
  } as unknown as Flights;
  const profileOf = (): object => {
    if (all.isProviderKnown) return { rotation };
    throw new ConfigurationError('ERR_ARGUMENT', 'there is no provider of that name');
  };
  const engine = { clock, store, closing: closing.signal, profileOf } as unknown as Engine;
  const all: Ward = {
    ...{ clock, healing: new Healing(engine, flights), begun: [], orders: [] },
    ...{ land: settled, stored: wounded, close: () => closing.abort() },
    isProviderKnown: true,
  };
  return all;
}

const wounded = someView({ connection: { intent: someIntent() } });
const well = someView();

describe('an intent that a caller comes upon', () => {
  it('is flown for at once, once, however many come upon it', async () => {
    const { healing, begun, orders } = ward();
    for (let i = 0; i < 3; i++) healing.heal(wounded);
    expect(begun).toEqual([0]);
    expect(orders).toEqual([{ demand: { kind: 'due' }, byHand: false, anyway: false }]);
  });

  it.each<[string, Rotation, View]>([
    ['there is none', 'grace', well],
    ['its refresh token may be used again', 'reusable', wounded],
    [
      'nothing may be sent for the connection',
      'grace',
      someView({
        connection: { intent: someIntent(), state: { kind: 'disconnected', since: NOW } },
      }),
    ],
  ])('is none to look after where %s', (_why, rotation, view) => {
    const { healing, begun } = ward(rotation);
    healing.heal(view);
    expect(begun).toEqual([]);
  });

  it('is none to look after where its provider is not known here, and no reason to withhold the token from the caller', () => {
    const world = ward();
    world.isProviderKnown = false;
    world.healing.heal(wounded);
    expect(world.begun).toEqual([]);
  });

  it('is looked after no more once the keeper closes, nor read again', async () => {
    const closed = ward();
    closed.close();
    closed.healing.heal(wounded);
    expect(closed.begun).toEqual([]);
    const closing = ward();
    closing.healing.heal(wounded);
    await closing.clock.advance(10);
    closing.close();
    closing.stored = new Error('the store is closed');
    await closing.clock.advance(60_000);
    expect([closing.begun, closing.clock.pending]).toEqual([[0], 0]);
  });
});

describe('as long as the intent stands, another flight follows', () => {
  it.each<[string, AttemptResult | Error, number[]]>([
    ['a second after a request', settled, [0, 1_000, 2_000]],
    ['a second after a failure of the store', new Error('busy'), [0, 1_000, 2_000]],
    ['when it may, where it must wait', deferred(NOW + 1_700), [0, 1_700]],
    ['half a minute after it was not allowed', { kind: 'stopped', view: wounded }, [0]],
  ])('%s', async (_when, result, begun) => {
    const world = ward();
    world.land = result;
    world.healing.heal(wounded);
    await world.clock.advance(1_700);
    world.land = settled;
    await world.clock.advance(999);
    expect(world.begun).toEqual(begun);
    await world.clock.advance(30_000 - 2_699);
    expect(world.begun.at(-1)).toBeGreaterThanOrEqual(29_000);
  });

  it('and none once it is gone, or its connection; until somebody comes upon another', async () => {
    for (const stored of [well, undefined]) {
      const world = ward();
      world.healing.heal(wounded);
      world.stored = stored;
      await world.clock.advance(60_000);
      expect([world.begun, world.clock.pending]).toEqual([[0], 0]);
      world.healing.heal(wounded);
      expect(world.begun).toEqual([0, 60_000]);
    }
  });

  it('is looked for again after half a minute, however long it must wait: it may be gone, and another come', async () => {
    const world = ward();
    world.land = deferred(NOW + 3_600_000);
    world.healing.heal(wounded);
    world.stored = well;
    await world.clock.advance(30_000);
    expect(world.clock.pending).toBe(0);
    world.healing.heal(wounded);
    expect(world.begun).toEqual([0, 30_000]);
  });

  it('also after a time in which the store could not be read', async () => {
    const world = ward();
    world.stored = new Error('busy');
    world.healing.heal(wounded);
    await world.clock.advance(5_500);
    expect(world.begun).toEqual([0]);
    world.stored = wounded;
    await world.clock.advance(500);
    expect(world.begun).toEqual([0, 6_000]);
  });
});
