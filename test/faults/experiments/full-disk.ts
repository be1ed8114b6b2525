import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../../src/emulator/seeded-random.ts';
import type { Random } from '../../../src/system/random.ts';
import type { EmulatorProcess } from '../../support/emulator-process.ts';
import type { KeeperProcess } from '../../support/keeper-process.ts';
import type { KeptHome } from '../../support/kept-home.ts';
import { smallDisk, type SmallDisk } from '../../support/small-disk.ts';
import { drawDelays } from './authority.ts';
import { Findings, type Size } from './findings.ts';
import { keptHomeAt, LIFE_MS, startServer } from './servers.ts';

/*
 * The disk becomes wholly full while a keeper refreshes, at a random instant and just before an answer by turns, and the keeper is killed by
 * SIGKILL while it still is. What the server had answered by then must be on the disk all the same.
 */

const FIGURES = [
  'trials',
  'answers that the store could not take',
  'in the window',
  'requests sent although the intent failed',
  'lost although the answer had come',
  'a living token withheld on the full disk',
  'not healed',
] as const;

/** Half a MiB: the store and its reserve fill most of it. */
const DISK_KIB = 512;
const LONGEST_LOOP_MS = 100;
/** Longer than any answer takes, unless the machine is very busy; then the trial counts as one in the window. */
const QUIET_MS = 150;
/** How often, and how far apart, what must happen is looked for. */
const LOOKS = 1_000;
const LOOK_MS = 10;

/** Fills so many disks. Where this user may not mount any, all trials are counted as not run. */
export async function fillDisks({ trials, seed }: Size): Promise<Findings> {
  const findings = new Findings(...FIGURES);
  const random = seededRandom(seed);
  await using server = await startServer(drawDelays(random));
  for (let trial = 1; trial <= trials; trial++) {
    await using disk = await smallDisk(DISK_KIB);
    if (disk === undefined) {
      findings.notRun(trials, 'mounting a small disk needs root on Linux');
      return findings;
    }
    const { home: made, grantId } = await keptHomeAt(server, 'single-use', disk.path);
    await using home = made;
    const which = `EVERGRANT_SEED=${String(seed)}, trial ${String(trial)}`;
    const isAimed = trial % 2 === 1;
    await fillOnce({ server, disk, home, grantId, random, isAimed, findings }, which);
  }
  return findings;
}

interface Trial {
  readonly server: EmulatorProcess;
  readonly disk: SmallDisk;
  readonly home: KeptHome;
  readonly grantId: string;
  readonly random: Random;
  /** Fills the disk just before an answer. */
  readonly isAimed: boolean;
  readonly findings: Findings;
}

async function fillOnce(trial: Trial, which: string): Promise<void> {
  const { server, disk, home, grantId, findings } = trial;
  const isInWindow = await fillAndKill(trial);
  findings.count('trials');
  findings.count('in the window', isInWindow ? 1 : 0);
  for (const { sequence } of await server.ledger.entries({ grantId, outcome: 'pending' })) {
    await server.ledger.waitFor(1, { sequence, committed: true });
  }
  const sent = await server.ledger.count({ endpoint: 'token', grantId });

  const living = await home.token({ timeoutMs: 0 }).catch(String);
  const isServed = typeof living !== 'string' && 'value' in living;
  const told = `${which}, ${JSON.stringify(living)}`;
  findings.check(isServed, 'a living token withheld on the full disk', told);
  const later = await server.ledger.count({ endpoint: 'token', grantId });
  findings.check(later === sent, 'requests sent although the intent failed', which);

  disk.free();
  home.aheadMs += LIFE_MS;
  await home.token();
  const { connection, refreshToken } = await home.look();
  const isKept = await server.isRefreshTokenHonoured(refreshToken);
  const story = `${which}, state ${connection.state.kind}, generation ${String(connection.generation)}, ${String(sent)} requests`;
  if (isInWindow) return;
  findings.check(isKept, 'lost although the answer had come', story);
  // Each answer became a generation, and so did the one that the expiry asked for.
  const isWhole = connection.state.kind === 'active' && connection.generation === sent + 2;
  findings.check(isWhole, 'not healed', story);
}

/** @returns whether the kill struck while a request had no answer yet. */
async function fillAndKill({ home, findings, ...trial }: Trial): Promise<boolean> {
  await using victim = await home.spawn();
  await (trial.isAimed ? fillBeforeAnswer(trial, victim) : fillAtRandom(trial, victim));
  const isRefused = victim.events.some(({ event }) => event === 'warning');
  findings.count('answers that the store could not take', isRefused ? 1 : 0);
  if (isRefused) await untilSpilled(home, victim);
  await victim.kill();
  return victim.events.at(-1)?.event === 'refreshing';
}

type Filling = Omit<Trial, 'home' | 'findings'>;

async function fillAtRandom({ disk, random }: Filling, victim: KeeperProcess): Promise<void> {
  victim.refresh(Number.MAX_SAFE_INTEGER).catch(() => undefined);
  await delay(random.fraction() * LONGEST_LOOP_MS);
  disk.fill();
  await delay(QUIET_MS);
}

async function fillBeforeAnswer(
  { server, disk, grantId }: Filling,
  victim: KeeperProcess,
): Promise<void> {
  await server.faults.next('hold-after-commit', { grantId });
  victim.refresh().catch(() => undefined);
  await server.ledger.waitFor(1, { grantId, held: true });
  disk.fill();
  await server.faults.release();
  for (let looks = 0; looks < LOOKS && victim.events.length < 2; looks++) await delay(LOOK_MS);
}

/** It warns before it writes the answer elsewhere. */
async function untilSpilled(home: KeptHome, victim: KeeperProcess): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    const names = await readdir(path.join(home.path, 'spill'));
    if (names.some((name) => name.endsWith('.spill'))) return;
    if (victim.events.at(-1)?.event === 'refreshed') return;
    await delay(LOOK_MS);
  }
}
