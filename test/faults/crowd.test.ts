import { expect, it } from 'vitest';
import { crowd } from './experiments/crowd.ts';

it('a thousand idle sockets, floods of fields, bodies of 100 MB and bodies in crumbs change nothing for others', async () => {
  const { counted, violations } = await crowd(200);
  console.log(counted);
  expect(violations).toEqual([]);
  expect([counted['sockets'], counted['tokens drawn']]).toEqual([1_110, 1_000]);
}, 300_000);
