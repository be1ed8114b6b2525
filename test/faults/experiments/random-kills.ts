import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../../src/system/random.ts';
import { seededRandom } from '../../../src/emulator/seeded-random.ts';
import { makeKeptHome, type KeptHome } from '../../support/kept-home.ts';
import { emptyLane, inLanes } from '../../support/lanes.ts';
import type { Authority } from './authority.ts';
import { Findings, type Size } from './findings.ts';
import { LIFE_MS } from './servers.ts';

/*
 * A keeper refreshes in a tight loop and is killed by SIGKILL at a random instant, over and over, on one connection. After each kill another
 * keeper opens the home, the store is compared with what the server holds, and the connection is left to heal before the loop goes on.
 */

/** What is counted; the last five are promises. */
const FIGURES = [
  'kills',
  'in the window',
  'sent in doubt, not consumed',
  'lost after our commit',
  'family revoked while the access token lived',
  'lost in silence',
  'a person needed without need',
  'not healed',
] as const;

/** Kills at one server, whose delays stay the same. */
const KILLS_A_SERVER = 10;
/** Several refreshes long, so that every instant of one is hit. */
const LONGEST_LOOP_MS = 100;

/** What a kill is judged by. */
interface Experiment {
  readonly authority: Authority;
  readonly home: KeptHome;
  readonly random: Random;
  readonly findings: Findings;
  readonly circumstances: Circumstances;
}

/** What is special about the server, or about what follows a kill. */
export interface Circumstances {
  /** The old refresh token is still good when the next keeper comes, so that nobody need know. */
  readonly isHarmless?: boolean;
  /** Time that goes by between a kill and the next keeper. */
  readonly awayMs?: number;
}

/**
 * Makes so many kills.
 *
 * @param start - starts a server; its delays come from the random numbers.
 */
export async function killAtRandom(
  start: (random: Random) => Promise<Authority>,
  { trials, seed }: Size,
  circumstances: Circumstances = {},
): Promise<Findings> {
  const findings = new Findings(...FIGURES);
  const batches = Array.from({ length: Math.ceil(trials / KILLS_A_SERVER) }, (_, i) => ({
    batchSeed: seed + i,
    kills: Math.min(KILLS_A_SERVER, trials - i * KILLS_A_SERVER),
  }));
  await inLanes(batches, 2, emptyLane, async ({ batchSeed, kills }) => {
    const random = seededRandom(batchSeed);
    await using authority = await start(random);
    await using home = await makeKeptHome(authority.begin, await authority.signIn());
    const experiment = { authority, home, random, findings, circumstances };
    for (let kill = 1; kill <= kills; kill++) {
      await killOnce(experiment, `batch EVERGRANT_SEED=${String(batchSeed)}, kill ${String(kill)}`);
    }
  });
  return findings;
}

async function killOnce(experiment: Experiment, which: string): Promise<void> {
  const { authority, home, random, findings, circumstances } = experiment;
  const { isHarmless = false, awayMs = 0 } = circumstances;
  const before = await home.look();
  const announced = await killInLoop(home, random.fraction() * LONGEST_LOOP_MS);
  findings.count('kills');
  await authority.settle();
  home.aheadMs += awayMs;
  await authority.advance?.(awayMs);

  const served = await home.token();
  await authority.settle();
  const seen = await home.look();
  const { kind: state } = seen.connection.state;
  const isHonoured = await authority.honours(seen.refreshToken);
  const told = seen.notices.slice(before.notices.length).join(' ');
  const story = `${which}; state ${state}, told "${told}"`;
  findings.count('in the window', isHonoured ? 0 : 1);
  findings.count('sent in doubt, not consumed', isHonoured && state === 'uncertain' ? 1 : 0);

  const isKept = announced <= seen.connection.generation;
  findings.check(isKept, 'lost after our commit', `generation ${String(announced)}; ${story}`);
  const isAlive = 'value' in served && (await authority.accepts(served.value));
  findings.check(isAlive, 'family revoked while the access token lived', story);
  const isTold = state === 'uncertain' ? told === 'uncertain' : told === '' && isHonoured;
  findings.check(isTold, 'lost in silence', story);
  if (isHarmless) findings.check(state === 'active', 'a person needed without need', story);
  if (state === 'uncertain' || isHarmless) await outlive(experiment, isHonoured, story);
  // A breach, which is counted: the next kill needs a grant that lives, for without one nothing is refreshed.
  else if (!isHonoured) await home.signIn(await authority.signIn());
}

/**
 * Lets a keeper refresh in a tight loop for so long, then kills it. The time counts from its first request, so that a slow machine kills
 * none before it has begun.
 *
 * @returns the newest generation it told of.
 */
async function killInLoop(home: KeptHome, afterMs: number): Promise<number> {
  await using victim = await home.spawn();
  victim.refresh(Number.MAX_SAFE_INTEGER).catch(() => undefined);
  for (let looks = 0; looks < 5_000 && victim.events.length === 0; looks++) await delay(2);
  await delay(afterMs);
  await victim.kill();
  const refreshed = victim.events.filter(({ event }) => event === 'refreshed');
  return Math.max(0, ...refreshed.map(({ generation = 0 }) => generation));
}

/** What was not consumed must heal by itself at the access token's expiry; what was must end in one order to sign in again. */
async function outlive(
  { authority, home, findings }: Experiment,
  isHonoured: boolean,
  story: string,
): Promise<void> {
  home.aheadMs += LIFE_MS;
  const served = await home.token();
  if (isHonoured) {
    const isHealed = 'value' in served && (await authority.accepts(served.value));
    findings.check(isHealed, 'not healed', story);
    return;
  }
  const isAsked = 'code' in served && served.code === 'ERR_GRANT_REFUSED';
  findings.check(isAsked, 'lost in silence', `${story}, then ${JSON.stringify(served)}`);
  await home.signIn(await authority.signIn());
}
