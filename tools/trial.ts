import { isDeepStrictEqual, parseArgs } from 'node:util';
import './compile-cache.ts';
import { drawDelays, emulatorAuthority } from '../test/faults/experiments/authority.ts';
import { commitDurably } from '../test/faults/experiments/durable-commits.ts';
import {
  chooseSeed,
  Findings,
  tellProgress,
  type Size,
} from '../test/faults/experiments/findings.ts';
import { disagree } from '../test/faults/experiments/clocks-apart.ts';
import { bringBack } from '../test/faults/experiments/copies.ts';
import { openFewFiles } from '../test/faults/experiments/few-files.ts';
import { signal } from '../test/faults/experiments/signals.ts';
import { crowd } from '../test/faults/experiments/crowd.ts';
import { killDaemon } from '../test/faults/experiments/daemon-kills.ts';
import { failEachWrite } from '../test/faults/experiments/write-faults.ts';
import { fillDisks } from '../test/faults/experiments/full-disk.ts';
import { herd } from '../test/faults/experiments/herd.ts';
import { killEverywhere } from '../test/faults/experiments/kill-points.ts';
import { streamLong } from '../test/faults/experiments/proxy-streams.ts';
import { EXPECTED } from '../test/faults/experiments/kill-table.ts';
import { answerLate } from '../test/faults/experiments/late-answer.ts';
import { leave } from '../test/faults/experiments/leavers.ts';
import { oidcAuthority } from '../test/faults/experiments/oidc-authority.ts';
import { killAtRandom } from '../test/faults/experiments/random-kills.ts';
import { GRACE_MS, type Rotation } from '../test/faults/experiments/servers.ts';
import { soak } from '../test/faults/experiments/soak.ts';
import { drawInOutage } from '../test/faults/experiments/socket-outage.ts';
import { INJURIES, STOPS, stopHolder } from '../test/faults/experiments/stopped.ts';
import { tellThroughKills } from '../test/faults/experiments/webhooks.ts';
import { trespass } from '../test/faults/experiments/strangers.ts';
import { takeOver } from '../test/faults/experiments/takers.ts';
import { tellEarly } from '../test/faults/experiments/told-early.ts';
import { MULTIPLIED, runTested, TESTED } from './tested.ts';
import { readSize, type Order } from './trial-order.ts';
import { attack } from '../test/fuzz/fuzzer.ts';
import { FUZZERS } from '../test/fuzz/fuzzers.ts';
import { compareRivals } from '../test/rivals/compare.ts';
import { runSeeds } from '../test/simulation/run-seeds.ts';

/*
 * Runs one experiment of test/faults, test/simulation or test/fuzz at full size, prints its figures as a table and ends with 1 when a promise was broken:
 * `npm run trial -- kills-strict --trials 2000 --seed 7`. Without a name it lists what there is.
 */

const harmless = { isHarmless: true } as const;

/** Each experiment with its full size. */
const TRIALS: Readonly<Record<string, readonly [trials: number, run: Trial]>> = {
  'kill-points': [20, killByTable],
  'kills-strict': [2000, (size) => killAtRandom(emulator('single-use'), size)],
  'kills-reusable': [2000, (size) => killAtRandom(emulator('reusable'), size, harmless)],
  'kills-grace': [1000, (size) => killAtRandom(emulator('grace'), size, harmless)],
  'kills-after-grace': [300, (size) => killAtRandom(emulator('grace'), size, { awayMs: GRACE_MS })],
  'kills-oidc-provider': [300, (size) => killAtRandom(oidcProvider(), size)],
  'kills-oidc-provider-grace': [
    300,
    (size) => killAtRandom(oidcProvider(GRACE_MS), size, harmless),
  ],
  'daemon-kills': [50, killDaemon],
  'full-disk': [300, fillDisks],
  'write-faults': [40, ({ trials }) => failEachWrite(trials)],
  'few-files': [10, (size) => openFewFiles(size)],
  signals: [500, signal],
  copies: [100, bringBack],
  'clocks-apart': [100, ({ trials }) => disagree(trials)],
  rivals: [1000, compareRivals],
  herd: [100, ({ trials }) => herd(trials)],
  stopped: [10, ({ trials }) => repeat(trials, stopEverywhere)],
  'late-answer': [50, ({ trials }) => repeat(trials, answerLate)],
  takers: [100, ({ trials }) => takeOver(trials)],
  leavers: [1000, leave],
  'told-early': [50, ({ trials }) => repeat(trials, tellEarly)],
  webhooks: [20, tellThroughKills],
  // Length of each stream in MiB.
  'proxy-streams': [1024, ({ trials }) => streamLong(trials)],
  'socket-outage': [100_000, ({ trials }) => drawInOutage(trials)],
  // Tokens that others draw at each of four stages.
  crowd: [2000, ({ trials }) => crowd(trials)],
  // Hours, with ten thousand connections.
  soak: [60, ({ trials: hours }) => soak({ connections: 10_000, hours })],
  strangers: [1000, ({ trials }) => trespass(trials)],
  simulation: [100_000, ({ trials: count, seed: from }) => runSeeds({ from, count })],
  'durable-commits': [1000, ({ trials }) => commitDurably(trials)],
  ...Object.fromEntries(
    FUZZERS.map((fuzzer) => [
      `fuzz-${fuzzer.name}`,
      [fuzzer.fullTrials, (size: Size) => attack(fuzzer, size)] as const,
    ]),
  ),
};

type Trial = (size: Size) => Promise<Findings>;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { trials: { type: 'string' }, seed: { type: 'string' } },
});
const [name = ''] = positionals;
const [fullSize, run] = (Object.hasOwn(TRIALS, name) ? TRIALS[name] : undefined) ?? [];
const times = Object.hasOwn(MULTIPLIED, name) ? MULTIPLIED[name] : undefined;
const size = sizeOf({ name, ...values }, fullSize ?? times ?? 1);
process.env['EVERGRANT_SEED'] = String(size.seed);
if (Object.hasOwn(TESTED, name)) {
  if (times !== undefined || values.trials === undefined) {
    process.exit(runTested(name, size.trials));
  }
  console.error(`${name} comes out the same each time; leave --trials out`);
  process.exit(2);
}
if (run === undefined) {
  console.error(`usage: npm run trial -- NAME [--trials N] [--seed S]`);
  for (const [each, [trials]] of Object.entries(TRIALS)) {
    console.error(`  ${each.padEnd(20)} ${String(trials)} trials by default`);
  }
  for (const [each, many] of Object.entries(MULTIPLIED)) {
    console.error(`  ${each.padEnd(20)} ${String(many)} times the test in npm test by default`);
  }
  const same = Object.keys(TESTED).filter((each) => !Object.hasOwn(MULTIPLIED, each));
  console.error(`as large as their tests in npm test: ${same.join(', ')}`);
  process.exit(2);
}
tellProgress();
const { counted, violations } = await run({ ...size, seed: chooseSeed(name) });
console.table(counted);
for (const violation of violations) console.log(violation);
console.log(violations.length === 0 ? 'every promise was kept' : 'PROMISES WERE BROKEN');
process.exitCode = violations.length === 0 ? 0 : 1;

function sizeOf(order: Order, fullSize: number): Size {
  try {
    return readSize(order, fullSize, Date.now() % 0x1_0000_0000);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

function emulator(rotation: Rotation): Parameters<typeof killAtRandom>[0] {
  return (random) => emulatorAuthority(rotation, drawDelays(random));
}

function oidcProvider(graceMs?: number): Parameters<typeof killAtRandom>[0] {
  return (random) =>
    oidcAuthority({ ...drawDelays(random), ...(graceMs !== undefined && { graceMs }) });
}

async function killByTable({ trials: rounds }: Size): Promise<Findings> {
  const findings = new Findings('kills', 'other than the table');
  for (const { point, rotation, round, aftermath } of await killEverywhere(rounds)) {
    findings.count('kills');
    const isAsWritten = isDeepStrictEqual(aftermath, EXPECTED[point][rotation]);
    const seen = `${point}, ${rotation}, round ${String(round)}: ${JSON.stringify(aftermath)}`;
    findings.check(isAsWritten, 'other than the table', seen);
  }
  return findings;
}

async function stopEverywhere(): Promise<Findings> {
  const all = new Findings();
  for (const point of STOPS) {
    for (const injury of INJURIES) all.add(await stopHolder(point, injury));
  }
  return all;
}

async function repeat(times: number, experiment: () => Promise<Findings>): Promise<Findings> {
  const all = new Findings();
  for (let i = 0; i < times; i++) all.add(await experiment());
  return all;
}
