import { expect, it } from 'vitest';
import { chooseSeed } from './experiments/findings.ts';
import { tellThroughKills } from './experiments/webhooks.ts';

it('a receiver that fails, hangs and restarts is told 200 events in order by a daemon that is killed four times', async () => {
  const { violations, counted } = await tellThroughKills({ trials: 4, seed: chooseSeed('hooks') });
  console.log(counted);
  expect(violations).toEqual([]);
  expect(counted).toMatchObject({ events: 200, kills: 4 });
}, 900_000);
