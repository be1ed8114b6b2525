import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../../src/emulator/seeded-random.ts';
import type { KeeperHurt } from '../../support/keeper-process.ts';
import type { FreshTokens, KeptHome } from '../../support/kept-home.ts';
import type { Findings, Size } from './findings.ts';

/** The authorization server, as far as the experiment must ask it. */
export interface KillJudge {
  /** Tokens of another sign-in. */
  signIn(): Promise<FreshTokens>;
  /** Whether the server would still take this refresh token. */
  isHonoured(refreshToken: string): Promise<boolean>;
  /** Whether an API would still take this access token. */
  isAlive(accessToken: string): Promise<boolean>;
}

/**
 * Kills a keeper that does nothing but refresh, at random instants, and looks after each kill what the next keeper makes of it. In doubt
 * a person signs in again, which is counted.
 */
export async function killAtRandom(
  home: KeptHome,
  judge: KillJudge,
  { trials, seed }: Size,
  hurt: KeeperHurt = {},
): Promise<Findings> {
  const random = seededRandom(seed);
  const violations: string[] = [];
  let uncertain = 0;
  let generations = 0;
  let notices = 0;
  for (let trial = 0; trial < trials; trial++) {
    const keeper = await home.spawn(hurt);
    const refreshing = keeper.refresh(10_000).catch(() => undefined);
    await delay(5 + random.fraction() * 150);
    await keeper.kill();
    await refreshing;

    const served = await home.token();
    const seen = await home.look();
    const { state, generation } = seen.connection;
    const where = `trial ${String(trial)}, seed ${String(seed)}: `;
    generations = generation;
    if (!('value' in served))
      violations.push(`${where}a living token was withheld: ${served.code}`);
    else if (!(await judge.isAlive(served.value))) {
      violations.push(`${where}the family was revoked while its access token lived`);
    }
    const told = seen.notices.filter((kind) => kind === 'uncertain').length;
    if (state.kind === 'uncertain') {
      uncertain += 1;
      if (told !== notices + 1)
        violations.push(`${where}uncertain, but ${String(told - notices)} notices`);
      await home.signIn(await judge.signIn());
    } else if (state.kind !== 'active') {
      violations.push(`${where}the connection is ${state.kind}`);
      await home.signIn(await judge.signIn());
    } else if (!(await judge.isHonoured(seen.refreshToken))) {
      violations.push(`${where}active, but the server does not take the stored refresh token`);
    }
    notices = told;
  }
  return { counted: { trials, uncertain, generations }, violations };
}
