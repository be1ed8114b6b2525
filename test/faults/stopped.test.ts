import { describe, expect, it } from 'vitest';
import { answerLate } from './experiments/late-answer.ts';
import { INJURIES, STOPS, stopHolder } from './experiments/stopped.ts';

describe.each(STOPS)('a holder stopped at %s', (point) => {
  it.each(INJURIES)(
    'blocks nobody while the access token lives, sends once, and its answer is not dropped; life file: %s',
    async (injury) => {
      expect((await stopHolder(point, injury)).violations).toEqual([]);
    },
    60_000,
  );
});

it('an answer that comes when the claim was taken is put away, and no newer token is spoilt', async () => {
  const { counted, violations } = await answerLate();
  expect(violations).toEqual([]);
  expect(counted['late answers']).toBe(1);
}, 60_000);
