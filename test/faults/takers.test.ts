import { expect, it } from 'vitest';
import { takeOver } from './experiments/takers.ts';

it('of 4 processes that find the same dead owner, one takes its claim and makes one request', async () => {
  const { counted, violations } = await takeOver(5);
  expect(violations).toEqual([]);
  expect(counted).toMatchObject({ deaths: 5, takers: 20, requests: 5 });
}, 120_000);
