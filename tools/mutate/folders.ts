/** A folder of `src/` whose mutants are made, and the tests that must notice them. */
export interface Folder {
  /** Relative to the root. */
  readonly sources: string;
  /** Files or folders of tests, relative to the root. */
  readonly tests: readonly string[];
  /** How much CPU time of the sound code is spent on each mutant; {@link USUAL} by default. */
  readonly effort?: Effort;
}

/** In milliseconds. A score with little effort is at most too low. */
export interface Effort {
  /** A test that needs more is not repeated for any mutant: most of these are properties over random cases. */
  readonly eachTestMs: number;
  /** All tests of one mutant; what is over is not repeated for that one. */
  readonly allTestsMs: number;
}

/** See {@link Folder.effort}. */
export const USUAL: Effort = { eachTestMs: 250, allTestsMs: 60_000 };

/** Least share of the mutants, in per cent, that the tests of a folder must notice. */
export const BAR = 85;

/** Each folder by the name on the command line. */
export const FOLDERS: Readonly<Record<string, Folder>> = {
  oauth: {
    sources: 'src/oauth',
    tests: ['test/unit/oauth'],
  },
  connection: {
    sources: 'src/connection',
    tests: ['test/unit/connection'],
  },
  refresh: {
    sources: 'src/refresh',
    tests: ['test/unit/refresh', 'test/unit/keeper', 'tools/mutate/worlds.ts'],
    // Days pass in some of these tests, and only they reach what works in the background.
    effort: { eachTestMs: 2_500, allTestsMs: 12_000 },
  },
};
