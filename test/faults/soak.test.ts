import { expect, it } from 'vitest';
import { soak } from './experiments/soak.ts';

it('a daemon that keeps 200 connections for six hours, and one more after a restart, lets no token end and does not grow', async () => {
  const { counted, violations } = await soak({ connections: 200, hours: 6 });
  console.log(counted);
  expect(violations).toEqual([]);
  expect(counted['hours']).toBe(7);
  expect(counted['refreshes']).toBeGreaterThan(200 * 6);
}, 300_000);
