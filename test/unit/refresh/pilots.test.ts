import { describe, expect, it } from 'vitest';
import type { AttemptResult } from '../../../src/refresh/attempt.ts';
import { Pilots } from '../../../src/refresh/pilots.ts';
import { fakeClock, settle, type FakeClock } from '../../support/fake-clock.ts';

const recorded = { kind: 'settled', verdict: { kind: 'recorded' } } as AttemptResult;
const failed = { kind: 'settled', verdict: { kind: 'failed' } } as AttemptResult;
const satisfied = { kind: 'satisfied' } as AttemptResult;

/** Flies attempts that land when told to; `begun` holds the names of those that have left. */
function hangar(): {
  readonly clock: FakeClock;
  readonly begun: string[];
  fly(name: string, client?: string): Promise<AttemptResult>;
  land(name: string, result: AttemptResult | Error): Promise<void>;
} {
  const clock = fakeClock();
  const pilots = new Pilots(clock);
  const begun: string[] = [];
  const landings = new Map<string, PromiseWithResolvers<AttemptResult>>();
  return {
    clock,
    begun,
    fly: (name, client = 'client') =>
      pilots.fly(client, () => {
        begun.push(name);
        const landing = Promise.withResolvers<AttemptResult>();
        landings.set(name, landing);
        return landing.promise;
      }),
    land: async (name, result) => {
      const landing = landings.get(name);
      if (result instanceof Error) landing?.reject(result);
      else landing?.resolve(result);
      await settle();
    },
  };
}

describe('of the attempts of a client that nothing vouches for', () => {
  it('one goes first, and the others wait for its answer', async () => {
    const { fly, land, begun } = hangar();
    const flights = [fly('first'), fly('second'), fly('third')];
    await settle();
    expect(begun).toEqual(['first']);
    await land('first', recorded);
    expect(begun).toEqual(['first', 'second', 'third']);
    await land('second', satisfied);
    await land('third', failed);
    expect(await Promise.all(flights)).toEqual([recorded, satisfied, failed]);
  });

  it.each([failed, satisfied, new Error('no store')])(
    'another goes first when the first one came to nothing: %o',
    async (result) => {
      const { fly, land, begun } = hangar();
      fly('first').catch(() => undefined);
      void fly('second');
      void fly('third');
      await settle();
      await land('first', result);
      expect(begun).toEqual(['first', 'second']);
    },
  );

  it('none waits longer than two seconds', async () => {
    const { fly, clock, begun } = hangar();
    void fly('first');
    void fly('second');
    await clock.advance(1_999);
    expect(begun).toEqual(['first']);
    await clock.advance(1);
    expect(begun).toEqual(['first', 'second']);
  });

  it('those that wait for several pilots wait no longer in all', async () => {
    const { fly, land, clock, begun } = hangar();
    for (const name of ['first', 'second', 'third']) void fly(name);
    await clock.advance(1_500);
    await land('first', failed);
    await clock.advance(499);
    expect(begun).toEqual(['first', 'second']);
    await clock.advance(1);
    expect(begun).toEqual(['first', 'second', 'third']);
  });

  it('none waits for that of another client', async () => {
    const { fly, begun } = hangar();
    void fly('first', 'one');
    void fly('second', 'other');
    await settle();
    expect(begun).toEqual(['first', 'second']);
  });
});

describe('a client that was accepted', () => {
  it('is trusted for a minute', async () => {
    const { fly, land, clock, begun } = hangar();
    void fly('pilot');
    await settle();
    await land('pilot', recorded);
    await clock.advance(59_999);
    for (const name of ['a', 'b']) void fly(name);
    await settle();
    expect(begun).toEqual(['pilot', 'a', 'b']);
    await land('a', satisfied);
    await land('b', satisfied);
    await clock.advance(1);
    for (const name of ['c', 'd']) void fly(name);
    await settle();
    expect(begun).toEqual(['pilot', 'a', 'b', 'c']);
  });
});
