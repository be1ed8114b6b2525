/** What became of each mutant, by its id. */
export type Verdicts = Record<
  string,
  {
    /** `timed out`: it never ends, which is noticed. `not reached`: no test runs its code. */
    readonly state: 'killed' | 'timed out' | 'survived' | 'not reached';
    /** The test that noticed it. */
    readonly by: string | undefined;
  }
>;
