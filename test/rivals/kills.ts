import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/emulator/seeded-random.ts';
import type { Random } from '../../src/system/random.ts';
import { drawDelays } from '../faults/experiments/authority.ts';
import { Findings, type Size } from '../faults/experiments/findings.ts';
import type { EmulatorProcess, EmulatorProcessOptions } from '../support/emulator-process.ts';
import type { Served } from '../support/keeper-process.ts';
import { emptyLane, inLanes } from '../support/lanes.ts';
import type { Rival } from './contender.ts';
import { makeRivalHome, startStrictServer, type RivalHome } from './rivals.ts';

/*
 * The loop of `killAtRandom`, with a rival: it refreshes in a tight loop at a strict server and is killed by SIGKILL at a random instant.
 * A new process does what the killed one was about to do: it refreshes, since the token that it finds is as due as before.
 */

/** What is counted. */
export const KILL_FIGURES = [
  'kills',
  'sign-ins needed',
  'family revoked while the access token lived',
  'used-up refresh tokens sent',
  'file unreadable',
  'lock file left behind',
] as const;

const KILLS_A_SERVER = 10;
/** As in the loop that evergrant is put through. */
const LONGEST_LOOP_MS = 100;
/** A client that waits for a lock which nobody holds makes no request at all. */
const FIRST_REQUEST_MS = 10_000;

/** Makes so many kills. @param delays - of the server, in place of random ones. */
export async function killRival(
  rival: Rival,
  { trials, seed }: Size,
  delays?: EmulatorProcessOptions,
): Promise<Findings> {
  const findings = new Findings(...KILL_FIGURES);
  const batches = Array.from({ length: Math.ceil(trials / KILLS_A_SERVER) }, (_, i) => ({
    batchSeed: seed + i,
    kills: Math.min(KILLS_A_SERVER, trials - i * KILLS_A_SERVER),
  }));
  await inLanes(batches, 2, emptyLane, async ({ batchSeed, kills }) => {
    const random = seededRandom(batchSeed);
    await using server = await startStrictServer(delays ?? drawDelays(random));
    await using home = await makeRivalHome(server, rival);
    let grantId = await home.signIn();
    for (let kill = 1; kill <= kills; kill++) {
      const isWell = await killOnce({ server, home, random, findings }, grantId);
      if (!isWell && kill < kills) grantId = await home.signIn();
    }
  });
  return findings;
}

interface Experiment {
  readonly server: EmulatorProcess;
  readonly home: RivalHome;
  readonly random: Random;
  readonly findings: Findings;
}

/** @returns whether the rival can go on without a person. */
async function killOnce(
  { server, home, random, findings }: Experiment,
  grantId: string,
): Promise<boolean> {
  await killInLoop(server, home, random.fraction() * LONGEST_LOOP_MS);
  findings.count('kills');
  for (const { sequence } of await server.ledger.entries({ outcome: 'pending' })) {
    await server.ledger.waitFor(1, { sequence, committed: true });
  }
  await using next = await home.spawn();
  const [found] = await next.token();
  const isUnreadable = found !== undefined && isJsonError(found);
  findings.count('file unreadable', isUnreadable ? 1 : 0);
  const isLocked = found !== undefined && 'code' in found && found.code === 'PersistenceError';
  findings.count('lock file left behind', isLocked ? 1 : 0);
  const wasAlive =
    found !== undefined && 'value' in found && (await server.isAccessTokenAlive(found.value));
  const refreshed = await next.refresh();
  const isLost =
    wasAlive && !(await server.isAccessTokenAlive(found.value)) && isRefused(refreshed);
  findings.count('family revoked while the access token lived', isLost ? 1 : 0);
  const replays = await server.ledger.count({ endpoint: 'token', grantId, replay: true });
  findings.count('used-up refresh tokens sent', replays);
  const isWell = refreshed !== null && 'value' in refreshed;
  findings.count('sign-ins needed', isWell ? 0 : 1);
  return isWell;
}

/** The instant counts from the first request, so that a slow machine kills nobody before it has begun. */
async function killInLoop(
  server: EmulatorProcess,
  home: RivalHome,
  afterMs: number,
): Promise<void> {
  const before = await server.ledger.count({ endpoint: 'token' });
  await using victim = await home.spawn();
  victim.refresh(Number.MAX_SAFE_INTEGER).catch(() => undefined);
  await Promise.race([
    server.ledger.waitFor(before + 1, { endpoint: 'token' }),
    delay(FIRST_REQUEST_MS, undefined, { ref: false }),
  ]);
  await delay(afterMs);
  await victim.kill();
}

function isJsonError(served: Served): boolean {
  return 'code' in served && (served.code === 'SyntaxError' || /json/i.test(served.message));
}

function isRefused(served: Served | null): boolean {
  return served !== null && 'code' in served;
}
