import { expect, it } from 'vitest';
import { NOT_RUN } from './experiments/findings.ts';
import { trespass } from './experiments/strangers.ts';

it('another user of the machine neither reaches the socket nor puts one in its place', async (context) => {
  const { counted, violations } = await trespass(1_000);
  if (counted[NOT_RUN] !== undefined)
    return context.skip('not run: only root can become another user');
  expect(violations).toEqual([]);
  expect(counted['tries']).toBe(1_000);
}, 300_000);
