import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../../src/emulator/seeded-random.ts';
import type { Random } from '../../../src/system/random.ts';
import { makeKeptHome, type KeptHome, type Seen } from '../../support/kept-home.ts';
import { drawDelays, emulatorAuthority, type Authority } from './authority.ts';
import { Callers, Victim } from './daemon-callers.ts';
import { Findings, type Size } from './findings.ts';

/*
 * `evergrant serve` refreshes one connection in a tight loop while callers draw its token, and is killed by SIGKILL at a random instant and started
 * again, over and over. Callers repeat once what failed, when the daemon is there again.
 */

/** What is counted; the last five are promises. */
const FIGURES = [
  'kills',
  'in the window',
  'calls',
  'calls repeated',
  'lost after our commit',
  'family revoked while the access token lived',
  'lost in silence',
  'an error at the second try',
  'left in doubt',
] as const;

/** Several refreshes long, so that every instant of one is hit. */
const LONGEST_LOOP_MS = 150;

/** Makes so many kills. */
export async function killDaemon({ trials, seed }: Size): Promise<Findings> {
  const findings = new Findings(...FIGURES);
  const random = seededRandom(seed);
  await using authority = await emulatorAuthority('single-use', drawDelays(random));
  await using home = await makeKeptHome(authority.begin, await authority.signIn());
  const settings = JSON.stringify({ requestsPerSecond: 1_000 });
  await writeFile(path.join(home.path, 'settings.json'), settings, { mode: 0o600 });
  const victim = new Victim(home.path);
  await using _end = { [Symbol.asyncDispose]: () => victim.end() };
  const callers = new Callers(victim, findings);
  const drawing = callers.draw();
  try {
    for (let kill = 1; kill <= trials; kill++) {
      const which = `EVERGRANT_SEED=${String(seed)}, kill ${String(kill)}`;
      await killOnce({ authority, home, random, findings, victim, callers }, which);
    }
  } finally {
    callers.stop();
    await drawing;
  }
  return findings;
}

interface Experiment {
  readonly authority: Authority;
  readonly home: KeptHome;
  readonly random: Random;
  readonly findings: Findings;
  readonly victim: Victim;
  readonly callers: Callers;
}

async function killOnce(experiment: Experiment, which: string): Promise<void> {
  const { authority, home, random, findings, victim, callers } = experiment;
  const before = await home.look();
  const refreshing = callers.refreshUntilKilled();
  await refreshing.begun;
  await delay(random.fraction() * LONGEST_LOOP_MS);
  await victim.killAndRestart();
  await refreshing.ended;
  const announced = callers.newestGeneration;
  findings.count('kills');
  await authority.settle();
  const seen = await settledView(home);
  const isHonoured = await authority.honours(seen.refreshToken);
  const told = seen.notices.slice(before.notices.length).join(' ');
  const { kind: state } = seen.connection.state;
  const story = `${which}; state ${state}, told "${told}"`;
  findings.count('in the window', isHonoured ? 0 : 1);
  findings.check(isSettled(seen), 'left in doubt', story);
  const isKept = announced <= seen.connection.generation;
  findings.check(isKept, 'lost after our commit', `generation ${String(announced)}; ${story}`);
  const { accessToken } = JSON.parse((await callers.call()).body) as { accessToken?: string };
  const isAlive = accessToken !== undefined && (await authority.accepts(accessToken));
  findings.check(isAlive, 'family revoked while the access token lived', story);
  const isTold = state === 'uncertain' ? told === 'uncertain' : told === '' && isHonoured;
  findings.check(isTold, 'lost in silence', story);
  if (state !== 'uncertain' && isHonoured) return;
  await home.signIn(await authority.signIn());
  callers.newestGeneration = 0;
}

/** What the store holds once the daemon has looked after what the one before left. */
async function settledView(home: KeptHome): Promise<Seen> {
  let seen = await home.look();
  for (let looks = 0; looks < 1_000 && !isSettled(seen); looks++) {
    await delay(20);
    seen = await home.look();
  }
  return seen;
}

/** An intent is kept for as long as its outcome is uncertain. */
function isSettled({ connection: { intent, state } }: Seen): boolean {
  return intent === undefined || state.kind === 'uncertain';
}
