/*
 * Hooks by which tests stop, kill or sabotage a real process at a named step. The package.json import `#failpoints` resolves to this
 * file unless Node runs with `--conditions=evergrant-test`, so the published package holds only these empty functions.
 */

/** Marks a step at which a test may interfere. Does nothing outside test builds. */
export function failpoint(_name: string): void {}

/** Tells whether a test switched the named defence off, to prove that its test can fail. Always false outside test builds. */
export function sabotaged(_defence: string): boolean {
  return false;
}
