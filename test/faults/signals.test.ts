import { expect, it } from 'vitest';
import { chooseSeed } from './experiments/findings.ts';
import { signal } from './experiments/signals.ts';

it('of 6 services that are asked to end while they refresh, each ends by itself and keeps every answer', async () => {
  const { counted, violations } = await signal({ trials: 6, seed: chooseSeed('signals') });
  expect(violations).toEqual([]);
  expect(counted['requests']).toBeGreaterThan(0);
}, 400_000);
