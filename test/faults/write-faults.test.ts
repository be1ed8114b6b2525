import { expect, it } from 'vitest';
import { NOT_RUN } from './experiments/findings.ts';
import { failEachWrite } from './experiments/write-faults.ts';

it('a write or a sync that fails, whichever it is, costs no answer', async (context) => {
  const { counted, violations } = await failEachWrite(2);
  console.log(counted);
  if (counted[NOT_RUN] !== undefined) return context.skip('not run: strace is missing');
  expect(violations).toEqual([]);
  expect(counted['calls that failed']).toBeGreaterThan(0);
}, 240_000);
