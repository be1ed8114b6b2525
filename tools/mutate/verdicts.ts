import type { Effort } from './folders.ts';

/** What became of each mutant, by its id. */
export type Verdicts = Record<string, Verdict>;

/** See {@link Verdicts}. */
export interface Verdict {
  /** `timed out`: it never ends, which is noticed. `not reached`: no test runs its code. */
  readonly state: 'killed' | 'timed out' | 'survived' | 'not reached';
  /** The test that noticed it. */
  readonly by: string | undefined;
}

/** What the tests do without a mutant; each is named by its path of suites. */
export interface SoundRun {
  /** CPU time in milliseconds. */
  readonly costs: Readonly<Record<string, number>>;
  /** How often a test passes each mutant. */
  readonly hits: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What one process is to do; crosses as JSON. */
export interface Plan {
  /** Files of tests. */
  readonly tests: readonly string[];
  /** Ids of the mutants to be judged. */
  readonly mutants: readonly string[];
  /** See {@link Effort}. */
  readonly effort: Effort;
  /** The file that gets a {@link Verdicts} after each mutant. */
  readonly verdicts: string;
  /** The file of the {@link SoundRun}. Where it is missing the tests are run without a mutant, and it is written. */
  readonly sound: string;
}
