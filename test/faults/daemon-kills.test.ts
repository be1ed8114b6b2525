import { expect, it } from 'vitest';
import { killDaemon } from './experiments/daemon-kills.ts';
import { chooseSeed } from './experiments/findings.ts';

it('a daemon that is killed under load loses nothing, is silent about nothing, and costs callers one more try', async () => {
  const { counted, violations } = await killDaemon({ trials: 5, seed: chooseSeed('daemon') });
  console.log(counted);
  expect(violations).toEqual([]);
  expect(counted['kills']).toBe(5);
  expect(counted['calls repeated']).toBeGreaterThan(0);
}, 300_000);
