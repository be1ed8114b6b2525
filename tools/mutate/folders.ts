/** A folder of `src/` whose mutants are made, and the tests that must notice them. */
export interface Folder {
  /** Relative to the root. */
  readonly sources: string;
  /** Files or folders of tests, relative to the root. */
  readonly tests: readonly string[];
}

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
    tests: ['test/unit/keeper'],
  },
};
