import { expect, it } from 'vitest';
import { disagree } from './experiments/clocks-apart.ts';

it('processes whose clocks are minutes and days apart send no refresh token twice', async () => {
  const { counted, violations } = await disagree(2);
  console.log(counted);
  expect(violations).toEqual([]);
  expect(counted['requests']).toBeGreaterThan(0);
}, 240_000);
