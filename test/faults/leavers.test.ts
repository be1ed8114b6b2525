import { expect, it } from 'vitest';
import { chooseSeed } from './experiments/findings.ts';
import { leave } from './experiments/leavers.ts';

it('of 100 callers that leave during a refresh none takes an answer along', async () => {
  const { counted, violations } = await leave({ trials: 100, seed: chooseSeed('leavers') });
  expect(violations).toEqual([]);
  expect(counted['left early']).toBeGreaterThan(0);
}, 60_000);
