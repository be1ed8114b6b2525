import { writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it, vi, type TestContext } from 'vitest';
import { getFn, getHooks } from 'vitest/suite';
import type { Verdicts } from './verdicts.ts';

/*
 * A test file that holds the tests of one folder, and last of all a test that repeats them for every mutant: once they have run, it is
 * known which of them reach which mutant, and how long each takes. Runs inside the mutated copy alone.
 */

interface Plan {
  readonly tests: readonly string[];
  readonly mutants: readonly string[];
  readonly verdicts: string;
}

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

type Task = TestContext['task'];
type Suite = NonNullable<Task['suite']>;

const plan = JSON.parse(process.env['MUTATION_PLAN'] ?? '') as Plan;
const switches: Switches = ((globalThis as { __stryker__?: Switches }).__stryker__ ??= {});

/** A loop that never ends passes its mutant more often than this many times what the sound code does in the same test, and than the least. */
const HITS_ALLOWED = 10;
const HITS_ALLOWED_LEAST = 10_000;
const LONGEST_RUN_MS = 7_200_000;
/** A test of more CPU time is not repeated: most of these are properties over random cases, and a score without them is at most too low. */
const MOST_COST_MS = 250;

// The same cases for every mutant, so that a second measurement gives the same score; which counterexample is the smallest does not matter.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20260101, endOnFailure: true });

/** CPU time of each sound test in milliseconds, by its id. */
const costs = new Map<string, number>();
let begun = process.cpuUsage();

beforeEach(({ task }) => {
  begun = process.cpuUsage();
  switches.currentTestId = task.id;
});

afterEach(({ task }) => {
  const { user, system } = process.cpuUsage(begun);
  costs.set(task.id, (user + system) / 1_000);
});

for (const file of plan.tests) describe(`sound ${file}`, () => import(/* @vite-ignore */ file));

// A mutant that acts while modules load needs modules of its own. Their tests are kept, to be run below.
describe.skip('with mutants from the start', async () => {
  switches.currentTestId = undefined;
  const early = new Set(Object.keys(switches.mutantCoverage?.static ?? {}));
  for (const id of plan.mutants.filter((mutant) => early.has(mutant))) {
    describe(`mutant ${id}`, async () => {
      vi.resetModules();
      switches.activeMutant = id;
      try {
        for (const file of plan.tests) await import(/* @vite-ignore */ file);
      } catch {
        it('cannot be loaded', () => Promise.reject(new Error('cannot be loaded')));
      } finally {
        switches.activeMutant = undefined;
      }
    });
  }
});

it('judges every mutant', { timeout: LONGEST_RUN_MS }, async ({ task }) => {
  switches.currentTestId = undefined;
  const parts = task.file.tasks.filter((part) => part.type === 'suite');
  const sound = parts.flatMap((part) => (part.mode === 'skip' ? [] : testsOf(part)));
  const early = new Map(
    parts
      .flatMap((part) => (part.mode === 'skip' ? part.tasks : []))
      .filter((part) => part.type === 'suite')
      .map((part) => [part.name.replace('mutant ', ''), part]),
  );
  const failed = sound.filter(({ result }) => result?.state !== 'pass');
  if (failed.length > 0) throw new Error(`${failed[0]?.name ?? ''} fails without a mutant`);
  const costByName = new Map(sound.map((test) => [keyOf(test), costs.get(test.id) ?? 0]));
  const costOf = (test: Task): number => costByName.get(keyOf(test)) ?? 0;
  const verdicts: Verdicts = {};
  for (const id of plan.mutants) {
    const suite = early.get(id);
    const tests =
      suite === undefined ? sound.filter((test) => hitsOf(test, id) > 0) : testsOf(suite);
    const quick = tests.filter((test) => costOf(test) <= MOST_COST_MS);
    quick.sort((a, b) => costOf(a) - costOf(b));
    verdicts[id] = await judge(id, quick);
    writeFileSync(plan.verdicts, JSON.stringify(verdicts));
  }
});

/** How often a sound test passes a mutant; 0 where it was not run as such. */
function hitsOf({ id }: Task, mutant: string): number {
  return switches.mutantCoverage?.perTest[id]?.[mutant] ?? 0;
}

async function judge(id: string, tests: readonly Task[]): Promise<Verdicts[string]> {
  for (const test of tests) {
    await setImmediate();
    const hitLimit = Math.max(HITS_ALLOWED_LEAST, hitsOf(test, id) * HITS_ALLOWED);
    Object.assign(switches, { activeMutant: id, hitCount: 0, hitLimit });
    try {
      await prepare(test.suite);
      await getFn(test)();
    } catch (error) {
      const isEndless = String(error).includes('Hit count limit reached');
      return { state: isEndless ? 'timed out' : 'killed', by: test.name };
    } finally {
      switches.activeMutant = undefined;
    }
  }
  return { state: tests.length === 0 ? 'not reached' : 'survived', by: undefined };
}

const prepared = new WeakSet<Suite>();

/** Runs once what must come before the tests of a suite, where Vitest has left it out. */
async function prepare(suite: Suite | undefined): Promise<void> {
  if (suite?.mode !== 'skip' || prepared.has(suite)) return;
  await prepare(suite.suite);
  prepared.add(suite);
  for (const hook of getHooks(suite).beforeAll) await hook(suite);
}

function testsOf(suite: Suite): Task[] {
  const { beforeEach: before, afterEach: after, afterAll } = getHooks(suite);
  if (before.length + after.length + afterAll.length > 0)
    throw new Error(`${suite.name} has hooks for each test, which are not repeated for a mutant`);
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? testsOf(task) : [task]));
}

/** A test's name with those of the suites around it, but not of its file, which differ. */
function keyOf(test: Task): string {
  const names = [test.name];
  for (let suite = test.suite; suite !== undefined; suite = suite.suite) names.unshift(suite.name);
  return names.filter((name) => !/^(mutant|sound|with mutants) /.test(name)).join(' ');
}
