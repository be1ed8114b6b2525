import { expect, it } from 'vitest';
import { Excuses } from '../../../src/refresh/excuses.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { NOW, someConnection } from '../../support/views.ts';

it.each([
  ['until its back-off ends', 7_000, false, 7_000],
  ['for a second at least', 10, false, 1_000],
  ['for five minutes at most', 3_600_000, false, 300_000],
  ['for five minutes where its request hangs', 7_000, true, 300_000],
])('whoever waited in vain excuses all others %s', async (_how, backoffMs, isHanging, forMs) => {
  const clock = fakeClock(NOW);
  await clock.advance(5_000);
  const excuses = new Excuses(clock);
  const backoff = { failures: 1, notBefore: clock.now() + backoffMs };
  const connection = someConnection({ backoff });
  expect(excuses.has(connection)).toBe(false);
  excuses.add(connection, isHanging);
  await clock.advance(forMs - 1);
  expect(excuses.has(connection)).toBe(true);
  expect(excuses.has(someConnection({ generation: 2 }))).toBe(false);
  expect(excuses.has(someConnection({ id: 'another' }))).toBe(false);
  await clock.advance(1);
  expect(excuses.has(connection)).toBe(false);
});
