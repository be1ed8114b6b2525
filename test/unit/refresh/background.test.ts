import { afterEach, describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/errors.ts';
import type { AttemptResult } from '../../../src/refresh/attempt.ts';
import { runBackground } from '../../../src/refresh/background.ts';
import type { Deliveries } from '../../../src/refresh/notices.ts';
import type { ClockWatch } from '../../../src/refresh/set-back.ts';
import { setSabotage } from '../../support/failpoints.ts';
import { after, deferred, flown, settled, type Flown } from '../../support/flown.ts';

afterEach(() => {
  setSabotage('hung-endpoint', false);
});

/** Starts the background; `looks` counts its wake-ups. */
function start(
  world: Flown,
  lookAtClock = (): Promise<void> => Promise.resolve(),
): { readonly ended: Promise<string>; readonly looks: number[] } {
  const looks: number[] = [];
  const look = (): Promise<void> => {
    looks.push(world.clock.monotonic());
    return lookAtClock();
  };
  const deliveries = { deliver: () => Promise.resolve() } as unknown as Deliveries;
  const watch = { look } as unknown as ClockWatch;
  const parts = { deliveries, watch, refreshed: () => Promise.resolve() };
  const ended = runBackground(world.engine, world.flights, parts).then(() => 'ended');
  return { ended, looks };
}

const unknownProvider = new NotFoundError('ERR_PROVIDER_UNKNOWN', 'there is no such provider');
const resultOf = (kind: string): AttemptResult => ({ kind }) as AttemptResult;

describe('the background wakes', () => {
  it('every 30 s when nothing is due, until the keeper closes', async () => {
    const world = flown();
    const { ended, looks } = start(world);
    expect(await after(world.clock, 65_000, ended)).toBe('waits');
    expect(looks).toEqual([0, 30_000, 60_000]);
    world.close();
    expect(await after(world.clock, 0, ended)).toBe('ended');
    expect(looks).toHaveLength(3);
  });

  it.each([
    ['when the next one is due', 7_000, 7_000],
    ['after 20 ms at the soonest', -5, 20],
    ['after 30 s at the latest', 31_000, 30_000],
  ])('%s', async (_when, dueInMs, wakesAfterMs) => {
    const world = flown();
    world.nextDueAt = world.clock.now() + dueInMs;
    const { ended, looks } = start(world);
    await after(world.clock, wakesAfterMs - 1, ended);
    expect(looks).toEqual([0]);
    await after(world.clock, 1, ended);
    expect(looks).toEqual([0, wakesAfterMs]);
  });

  it.each([
    ['made a request', settled, 20],
    ['had a token already', resultOf('satisfied'), 20],
    ['is held by another process', resultOf('held'), 5_000],
    ['may not be asked for', resultOf('stopped'), 5_000],
    ['could not be tried', new Error('no store'), 5_000],
    ['is of a provider that is not known here', unknownProvider, 5_000],
    ['hangs', undefined, 3_000],
  ])('so soon after a connection that is still due and %s', async (_what, result, wakesAfterMs) => {
    const world = flown();
    world.due = ['a'];
    world.nextDueAt = world.clock.now();
    world.land = () => result;
    const { ended, looks } = start(world);
    await after(world.clock, wakesAfterMs - 1, ended);
    expect(looks).toEqual([0]);
    await after(world.clock, 1, ended);
    expect(looks).toEqual([0, wakesAfterMs]);
  });

  it('when the first of those that must wait may go on', async () => {
    const world = flown();
    world.due = ['a', 'b'];
    const from = world.clock.now();
    world.nextDueAt = from;
    world.land = (id) => deferred(from + (id === 'a' ? 4_000 : 9_000), id, from + 9_000);
    const { ended, looks } = start(world);
    await after(world.clock, 4_000, ended);
    expect(looks).toEqual([0, 4_000]);
  });
});

describe('the background', () => {
  it('asks the store once a second while an endpoint takes many in turn, and each as soon as it may', async () => {
    const world = flown(10);
    const from = world.clock.monotonic();
    const left = new Set(Array.from({ length: 60 }, (_, i) => `c${String(i)}`));
    world.store['due'] = (now: number, most: number) => {
      (world.asked as (readonly [number, number])[]).push([now, most]);
      return Promise.resolve([...left].map((connectionId) => ({ connectionId, endpoint: 'one' })));
    };
    world.nextDueAt = world.clock.now();
    let free = from;
    world.land = (id) => {
      if (world.clock.monotonic() < free) {
        return deferred(world.clock.now() + free - world.clock.monotonic());
      }
      free = world.clock.monotonic() + 100;
      left.delete(id);
      return settled;
    };
    await after(world.clock, 5_900, start(world).ended);
    expect([left.size, world.asked.length]).toEqual([0, 6]);
  });

  it('tries what another process held after 5 s, though it woke for others in between', async () => {
    const world = flown();
    world.due = ['a', 'c', 'x'];
    world.endpointOf = (id) => id;
    const from = world.clock.now();
    world.land = (id) => {
      if (id === 'x') return resultOf('held');
      return world.clock.now() < from + 300 || id === 'a'
        ? deferred(from + (id === 'a' ? 3_600_000 : 300), id)
        : settled;
    };
    const { ended } = start(world);
    await after(world.clock, 6_000, ended);
    expect(world.log.filter(([, id]) => id === 'x').map(([at]) => at)).toEqual([0, 5_300]);
  });

  /** Five seconds with an endpoint that lets a thousand hang, while one of another comes due. @returns what was flown, and when it looked around. */
  async function besideThousandThatHang(): Promise<{
    readonly flown: readonly string[];
    readonly looks: readonly number[];
  }> {
    const world = flown();
    const hung = Array.from({ length: 1_000 }, (_, i) => `h${String(i)}`);
    world.due = hung;
    world.endpointOf = (id) => id.slice(0, 1);
    world.nextDueAt = world.clock.now();
    world.land = (id) => {
      if (id === 'x') return settled;
      world.underWay.add(id);
      return undefined;
    };
    const { ended, looks } = start(world);
    await after(world.clock, 1_000, ended);
    world.due = [...hung, 'x'];
    await after(world.clock, 4_000, ended);
    return { flown: world.log.map(([, id]) => id), looks };
  }

  it('goes on with other endpoints, and looks around, while one lets a thousand hang', async () => {
    const { flown, looks } = await besideThousandThatHang();
    expect(flown).toContain('x');
    expect(looks).toEqual([0, 2_020, 4_040]);
  });

  it('does neither in a build that waits for all that hang', async () => {
    setSabotage('hung-endpoint', true);
    const { flown, looks } = await besideThousandThatHang();
    expect(flown).not.toContain('x');
    expect(looks).toEqual([0]);
  });

  it('begins the next of an endpoint that takes 2.5 s for each answer when it has waited 2 s for those before', async () => {
    const world = flown(10);
    const left = new Set(Array.from({ length: 30 }, (_, i) => `c${String(i)}`));
    world.store['due'] = () =>
      Promise.resolve([...left].map((connectionId) => ({ connectionId, endpoint: 'one' })));
    world.nextDueAt = world.clock.now();
    world.land = (id) => {
      world.underWay.add(id);
      world.clock.timer(2_500, () => left.delete(id));
      return undefined;
    };
    await after(world.clock, 7_000, start(world).ended);
    const begun = Map.groupBy(world.log, ([at]) => at);
    expect([...begun].map(([at, batch]) => [at, batch.length])).toEqual([
      [0, 10],
      [2_020, 10],
      [4_040, 10],
    ]);
  });

  it('finds what came due meanwhile when it looks again', async () => {
    const world = flown();
    world.due = ['waits'];
    const from = world.clock.now();
    world.nextDueAt = from + 300;
    world.endpointOf = (id) => id;
    world.land = (id) => (id === 'waits' ? deferred(from + 30_000, id) : settled);
    const { ended, looks } = start(world);
    await after(world.clock, 300, ended);
    world.due = ['waits', 'new'];
    await after(world.clock, 699, ended);
    expect(looks).toEqual([0]);
    await after(world.clock, 1, ended);
    expect([looks, world.log.at(-1)]).toEqual([
      [0, 1_000],
      [1_000, 'new'],
    ]);
  });
});

describe('the background tells', () => {
  it('each reason for which something could not be tried, once', async () => {
    const world = flown();
    world.due = ['a', 'b', 'c', 'd'];
    world.land = (id) => (id === 'd' ? settled : new Error(id === 'c' ? 'locked' : 'no store'));
    await after(world.clock, 0, start(world).ended);
    expect(world.warnings).toEqual([
      'warning: no connection: no store',
      'warning: no connection: locked',
    ]);
  });

  it('a reason that stays once, though it goes on with others of which it found out before', async () => {
    const world = flown();
    world.due = ['a', 'b'];
    world.endpointOf = (id) => id;
    world.land = (id) =>
      id === 'a' ? new Error('no store') : deferred(world.clock.now() + 400, id);
    await after(world.clock, 10_000, start(world).ended);
    expect(world.asked.length).toBeGreaterThan(2);
    expect(world.log.length).toBeGreaterThan(2 * world.asked.length);
    expect(world.warnings).toEqual(['warning: no connection: no store']);
  });

  it('that it could not even look, and looks again after 5 s', async () => {
    const world = flown();
    world.store['due'] = () => Promise.reject(new Error('the disk is gone'));
    const { ended, looks } = start(world);
    await after(world.clock, 4_999, ended);
    expect(world.warnings).toEqual(['warning: no connection: the disk is gone']);
    await after(world.clock, 1, ended);
    expect(looks).toEqual([0, 5_000]);
  });

  it('that it could not look at the clock, and renews all the same', async () => {
    const world = flown();
    world.due = ['a'];
    const failing = (): Promise<void> => Promise.reject(new Error('the disk is gone'));
    await after(world.clock, 0, start(world, failing).ended);
    expect(world.warnings).toEqual(['warning: no connection: the disk is gone']);
    expect(world.log).toEqual([[0, 'a']]);
  });

  it('what was thrown that is no error', async () => {
    const world = flown();
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- code of others may do so
    world.store['due'] = () => Promise.reject('odd');
    await after(world.clock, 0, start(world).ended);
    expect(world.warnings).toEqual(['warning: no connection: odd']);
  });

  it('that it could not tidy, and goes on', async () => {
    const world = flown();
    const tidied: string[] = [];
    world.store['tidy'] = () => {
      tidied.push('tidied');
      return Promise.reject(new Error('it is locked'));
    };
    const { ended, looks } = start(world);
    await after(world.clock, 0, ended);
    expect(tidied).toEqual(['tidied']);
    expect(world.warnings).toEqual(['warning: no connection: it is locked']);
    expect(looks).toEqual([0]);
  });
});
