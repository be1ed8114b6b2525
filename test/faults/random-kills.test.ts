import { expect, it } from 'vitest';
import { chooseSeed } from './experiments/findings.ts';
import { killAtRandom } from './experiments/random-kills.ts';
import { keptHomeAt, signInAt, startServer } from './experiments/servers.ts';

const KILLS = 100;

it.each(['single-use', 'reusable'] as const)(
  '100 kills at random instants at a %s server lose nothing in silence and revoke nothing that lives',
  async (rotation) => {
    await using server = await startServer({ commitDelayMs: 8, answerDelayMs: 8 });
    const { home: made } = await keptHomeAt(server, rotation);
    await using home = made;
    const judge = {
      signIn: () => signInAt(server, rotation),
      isHonoured: (token: string) => server.isRefreshTokenHonoured(token),
      isAlive: (token: string) => server.isAccessTokenAlive(token),
    };
    const seed = chooseSeed(`kills at a ${rotation} server`);
    const { counted, violations } = await killAtRandom(home, judge, { trials: KILLS, seed });
    console.log(`kills at a ${rotation} server:`, JSON.stringify(counted));
    expect(violations).toEqual([]);
    if (rotation === 'reusable') expect(counted['uncertain']).toBe(0);
    else expect(counted['uncertain']).toBeGreaterThan(0);
  },
  180_000,
);
