import { describe, expect, it } from 'vitest';
import type { Notice } from '../../src/connection/record.ts';
import { World } from './world.ts';

const notice: Notice = {
  id: 1,
  connection: 'c0',
  kind: 'uncertain',
  actor: 'owner',
  at: 0,
  message: 'sign in',
};

/** A world without crashes, whose clocks agree. */
function calmWorld(): World {
  for (let seed = 0; ; seed++) {
    const world = new World(seed);
    if (world.plan.hazards.rate === 0 && world.clocksAgree) return world;
  }
}

describe('a notice that comes twice', () => {
  it('breaks a promise where nothing went wrong', async () => {
    const world = calmWorld();
    world.oracle.notices.delivered(notice);
    await world.scheduler.runUntil(world.scheduler.now + 60_000);
    expect(world.oracle.violation).toBeUndefined();
    world.oracle.notices.delivered(notice);
    expect(world.oracle.violation).toMatchObject({ invariant: 'I7' });
  });

  it.each([
    ['began after', 1, 10],
    ['lasts', 1, 120_000],
  ])(
    'breaks none where an ill disk that %s the first time lost that it had come',
    async (_what, waitMs, illMs) => {
      const world = calmWorld();
      world.oracle.notices.delivered(notice);
      await world.scheduler.runUntil(world.scheduler.now + waitMs);
      world.trouble.begin('full', illMs);
      await world.scheduler.runUntil(world.scheduler.now + 60_000);
      world.oracle.notices.delivered(notice);
      expect(world.oracle.violation).toBeUndefined();
    },
  );

  it('breaks one where the disk was ill only before the first time', async () => {
    const world = calmWorld();
    world.trouble.begin('full', 10);
    await world.scheduler.runUntil(world.scheduler.now + 1_000);
    world.oracle.notices.delivered(notice);
    world.oracle.notices.delivered(notice);
    expect(world.oracle.violation).toMatchObject({ invariant: 'I7' });
  });
});
