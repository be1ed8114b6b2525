import { expect, it } from 'vitest';
import { makeKeptHome } from '../support/kept-home.ts';
import { chooseSeed } from './experiments/findings.ts';
import { startForeignServer } from './experiments/foreign-server.ts';
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

it('50 kills at a server that others wrote show the same', async () => {
  await using server = await startForeignServer();
  await using home = await makeKeptHome(server.registration, await server.signIn());
  const seed = chooseSeed('kills at oidc-provider');
  const { counted, violations } = await killAtRandom(home, server, { trials: 50, seed });
  console.log('kills at oidc-provider:', JSON.stringify(counted));
  expect(violations).toEqual([]);
}, 120_000);

it('keepers without the intent are found out by the same experiment', async () => {
  await using server = await startForeignServer();
  await using home = await makeKeptHome(server.registration, await server.signIn());
  const seed = chooseSeed('kills without the intent');
  const hurt = { sabotage: ['intent'] };
  const { violations } = await killAtRandom(home, server, { trials: 10, seed }, hurt);
  expect(violations.length).toBeGreaterThan(0);
}, 60_000);
