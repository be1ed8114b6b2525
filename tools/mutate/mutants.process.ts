import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it, vi } from 'vitest';
import { Endless, isSpent, keyOf, repeatTest, testsOf, type Task } from './repeat-test.ts';
import type { Plan, SoundRun, Verdict, Verdicts } from './verdicts.ts';

/*
 * A test file that holds the tests of one folder, and last of all a test that repeats them for every mutant: once they have run, it is
 * known which of them reach which mutant, and how long each takes. Runs inside the mutated copy alone.
 */

interface Switches {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: {
    readonly static: Readonly<Record<string, number>>;
    readonly perTest: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
}

const plan = JSON.parse(process.env['MUTATION_PLAN'] ?? '') as Plan;
const switches: Switches = ((globalThis as { __stryker__?: Switches }).__stryker__ ??= {});

/** A loop that never ends passes its mutant more often than this many times what the sound code does in the same test, and than the least. */
const HITS_ALLOWED = 10;
const HITS_ALLOWED_LEAST = 10_000;
/** What waits for ever is given up after this long, and after so many times of what the sound code needs of CPU time. */
const PATIENCE_MS = 10_000;
const PATIENCE_TIMES = 30;
const LONGEST_RUN_MS = 86_400_000;
/** Tests that noticed the mutants before are tried first: the next one is close to them. */
const REMEMBERED = 8;

// The same cases for every mutant, so that a second measurement gives the same score; which counterexample is the smallest does not matter.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20260101, endOnFailure: true });

/** CPU time of each sound test in milliseconds, by its name. */
const costs: Record<string, number> = {};
let begun = process.cpuUsage();

beforeEach(({ task }) => {
  begun = process.cpuUsage();
  switches.currentTestId = task.id;
});

afterEach(({ task }) => {
  const { user, system } = process.cpuUsage(begun);
  costs[keyOf(task)] = (user + system) / 1_000;
});

const isMeasured = existsSync(plan.sound);

describe.skipIf(isMeasured)('sound', () => {
  for (const file of plan.tests)
    describe(path.basename(file), () => import(/* @vite-ignore */ file));
});

// A mutant that acts while modules load needs modules of its own. Their tests are kept, to be run below.
describe.skip('with mutants from the start', () => {
  switches.currentTestId = undefined;
  const early = new Set(Object.keys(switches.mutantCoverage?.static ?? {}));
  for (const id of plan.mutants.filter((mutant) => early.has(mutant))) {
    describe(`mutant ${id}`, () => {
      vi.resetModules();
      for (const file of plan.tests) describe(path.basename(file), () => loadUnder(id, file));
    });
  }
});

async function loadUnder(mutant: string, file: string): Promise<void> {
  switches.activeMutant = mutant;
  try {
    await import(/* @vite-ignore */ file);
  } catch {
    it('cannot be loaded', () => Promise.reject(new Error('cannot be loaded')));
  } finally {
    switches.activeMutant = undefined;
  }
}

it('judges every mutant', { timeout: LONGEST_RUN_MS }, async ({ task }) => {
  switches.currentTestId = undefined;
  const [ofSound, ofEarly] = task.file.tasks.filter((part) => part.type === 'suite');
  if (ofSound === undefined || ofEarly === undefined) throw new Error('there are no tests');
  const tests = testsOf(ofSound);
  const sound = isMeasured ? readSound() : writeSound(tests);
  const early = new Map(
    ofEarly.tasks
      .filter((part) => part.type === 'suite')
      .map((part) => [part.name.replace('mutant ', ''), testsOf(part)]),
  );
  const verdicts: Verdicts = {};
  for (const id of plan.mutants) {
    const reach = (test: Task): number => sound.hits[keyOf(test)]?.[id] ?? 0;
    const reaching = early.get(id) ?? tests.filter((test) => reach(test) > 0);
    // Another process goes on from here.
    if (reaching.some(isSpent)) process.kill(process.pid, 'SIGKILL');
    // Stands if this process does.
    verdicts[id] = { state: 'timed out', by: undefined };
    writeFileSync(plan.verdicts, JSON.stringify(verdicts));
    verdicts[id] = await judge(id, inOrder(reaching, sound), sound);
    writeFileSync(plan.verdicts, JSON.stringify(verdicts));
  }
});

function readSound(): SoundRun {
  return JSON.parse(readFileSync(plan.sound, 'utf8')) as SoundRun;
}

function writeSound(tests: readonly Task[]): SoundRun {
  const failed = tests.find(({ result }) => result?.state === 'fail');
  if (failed !== undefined) throw new Error(`${keyOf(failed)} fails without a mutant`);
  const perTest = switches.mutantCoverage?.perTest ?? {};
  const hits = Object.fromEntries(tests.map((test) => [keyOf(test), perTest[test.id] ?? {}]));
  writeFileSync(plan.sound, JSON.stringify({ costs, hits } satisfies SoundRun));
  return { costs, hits };
}

/** Names of the tests that noticed a mutant, the last one first. */
const remembered: string[] = [];

/** Those worth repeating: first the ones that noticed other mutants lately, then by what they cost. */
function inOrder(tests: readonly Task[], { costs }: SoundRun): Task[] {
  const costOf = (test: Task): number => costs[keyOf(test)] ?? 0;
  const rankOf = (test: Task): number => {
    const rank = remembered.indexOf(keyOf(test));
    return rank < 0 ? REMEMBERED : rank;
  };
  const { eachTestMs, allTestsMs } = plan.effort;
  let leftMs = allTestsMs;
  return tests
    .filter((test) => costOf(test) <= eachTestMs)
    .sort((a, b) => rankOf(a) - rankOf(b) || costOf(a) - costOf(b))
    .filter((test) => (leftMs -= costOf(test)) >= 0);
}

async function judge(id: string, tests: readonly Task[], sound: SoundRun): Promise<Verdict> {
  for (const test of tests) {
    const name = keyOf(test);
    await setImmediate();
    const hitLimit = Math.max(HITS_ALLOWED_LEAST, (sound.hits[name]?.[id] ?? 0) * HITS_ALLOWED);
    Object.assign(switches, { activeMutant: id, hitCount: 0, hitLimit });
    try {
      await repeatTest(test, PATIENCE_MS + PATIENCE_TIMES * (sound.costs[name] ?? 0));
    } catch (error) {
      remembered.splice(
        0,
        REMEMBERED,
        ...[name, ...remembered.filter((each) => each !== name)].slice(0, REMEMBERED),
      );
      const isEndless =
        error instanceof Endless || String(error).includes('Hit count limit reached');
      return { state: isEndless ? 'timed out' : 'killed', by: name };
    } finally {
      switches.activeMutant = undefined;
    }
  }
  return { state: tests.length === 0 ? 'not reached' : 'survived', by: undefined };
}
