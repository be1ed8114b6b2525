import { expect, it } from 'vitest';
import { chooseSeed, NOT_RUN } from './experiments/findings.ts';
import { fillDisks } from './experiments/full-disk.ts';

it('an answer that comes while the disk is full outlives a kill, and nothing is asked without room for the answer', async (context) => {
  const { counted, violations } = await fillDisks({ trials: 4, seed: chooseSeed('full-disk') });
  console.log(counted);
  if (counted[NOT_RUN] !== undefined) return context.skip('not run: mounting needs root on Linux');
  expect(violations).toEqual([]);
  expect(counted['answers that the store could not take']).toBeGreaterThan(0);
}, 240_000);
