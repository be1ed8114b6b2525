const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** Waits after each attempt that failed: dense while a receiver may be restarting, then for three days, over a weekend. */
const WAITS_MS: readonly number[] = [
  ...[5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE],
  ...[2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
];

/** Letters that failed together do not come back together. */
const MOST_JITTER = 0.2;

/** The longest that a receiver may ask to be left alone. */
export const LONGEST_PEACE_MS = 24 * HOUR;

/**
 * How long to wait before the next attempt.
 *
 * @param failures - attempts that failed, this one included.
 * @param fraction - chance, from 0 to 1.
 * @returns undefined when there is none.
 */
export function waitMs(failures: number, fraction: number): number | undefined {
  const wait = WAITS_MS[failures - 1];
  return wait === undefined ? undefined : Math.round(wait * (1 + MOST_JITTER * fraction));
}
