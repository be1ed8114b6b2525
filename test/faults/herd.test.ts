import { expect, it } from 'vitest';
import { herd } from './experiments/herd.ts';

it('8 processes with 50 callers each make one request for each of 30 expiries', async () => {
  const { counted, violations } = await herd(30);
  expect(violations).toEqual([]);
  expect(counted).toMatchObject({ expiries: 30, callers: 30 * 8 * 50, requests: 30 });
}, 120_000);
