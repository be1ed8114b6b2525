import { vi, type TestContext } from 'vitest';
import { getFn, getHooks } from 'vitest/suite';

/** A test or a suite. */
export type Task = TestContext['task'];

/** See {@link Task}. */
export type Suite = NonNullable<Task['suite']>;

/** Thrown by a test that takes longer than it may. */
export class Endless extends Error {}

/** How long the hooks after an endless test may take. */
const TIDY_MS = 5_000;

/**
 * Runs a test again, with the hooks around it, as Vitest would.
 *
 * @param patienceMs - how long it may take. What it has begun may go on afterwards.
 * @throws what the test or a hook throws; {@link Endless} when it does not end in time.
 */
export async function repeatTest(test: Task, patienceMs: number): Promise<void> {
  const suites = suitesOf(test);
  for (const suite of suites) await prepare(suite);
  const run = new Run(test, suites);
  try {
    await within(patienceMs, run.whole());
  } catch (error) {
    // What stands still may do so because something waits for it; with that gone, it ends by itself.
    if (error instanceof Endless) await within(TIDY_MS, run.tidy()).catch(() => undefined);
    throw error;
  } finally {
    vi.restoreAllMocks();
  }
}

/** Whether Vitest has given the test up for being late, in an earlier run: it fails at once from then on. */
export function isSpent(test: Task): boolean {
  return test.context.signal.aborted;
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const timeUp = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeUp.reject(new Endless('it does not end'));
  }, ms);
  try {
    return await Promise.race([work, timeUp.promise]);
  } finally {
    clearTimeout(timer);
  }
}

class Run {
  readonly #test: Task;
  readonly #suites: readonly Suite[];
  readonly #cleanups: (() => unknown)[] = [];
  #isTidied = false;

  constructor(test: Task, suites: readonly Suite[]) {
    this.#test = test;
    this.#suites = suites;
  }

  async whole(): Promise<void> {
    try {
      for (const suite of this.#suites) {
        for (const hook of getHooks(suite).beforeEach) {
          const cleanup: unknown = await hook(this.#test.context, suite);
          if (typeof cleanup === 'function') this.#cleanups.unshift(cleanup as () => unknown);
        }
      }
      await getFn(this.#test)();
    } finally {
      await this.tidy();
    }
  }

  /** Once only: what an endless test leaves to be done when it ends after all would hit the test that runs then. */
  async tidy(): Promise<void> {
    if (this.#isTidied) return;
    this.#isTidied = true;
    for (const suite of this.#suites.toReversed()) {
      for (const hook of getHooks(suite).afterEach.toReversed())
        await hook(this.#test.context, suite);
    }
    for (const cleanup of this.#cleanups) await cleanup();
  }
}

const prepared = new WeakSet<Suite>();

/** Runs once what must come before the tests of a suite, where Vitest has left it out. */
async function prepare(suite: Suite): Promise<void> {
  if (suite.mode !== 'skip' || prepared.has(suite)) return;
  prepared.add(suite);
  for (const hook of getHooks(suite).beforeAll) await hook(suite);
}

/** Those around a test, outermost first; hooks of the whole file belong to the measurement and are left out. */
function suitesOf({ suite }: Task): Suite[] {
  const suites: Suite[] = [];
  for (let each = suite; each !== undefined; each = each.suite) suites.unshift(each);
  return suites.filter((each) => !('filepath' in each));
}

/** All tests of a suite, in their order. */
export function testsOf(suite: Suite): Task[] {
  if (getHooks(suite).afterAll.length > 0)
    throw new Error(
      `${suite.name} has a hook for after all tests, which repeating them would spoil`,
    );
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? testsOf(task) : [task]));
}

/** A test's name with those of the suites around it that are not of the measurement. */
export function keyOf(test: Task): string {
  const names = [test.name];
  for (let { suite } = test; suite !== undefined; suite = suite.suite) names.unshift(suite.name);
  return names.filter((name) => !/^(sound$|mutant \d+$|with mutants )/.test(name)).join(' > ');
}
