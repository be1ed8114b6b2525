import type { Size } from '../test/faults/experiments/findings.ts';

/** What was asked of a trial, as it stands on the command line. */
export interface Order {
  /** Its name. */
  readonly name: string;
  /** `--trials`. */
  readonly trials?: string | undefined;
  /** `--seed`. */
  readonly seed?: string | undefined;
}

const NUMBER = /^\d{1,15}$/;

/**
 * How big a trial is to be. A number that is none would run nothing, and break no promise.
 *
 * @param fullSize - without `--trials`.
 * @param anySeed - without `--seed`.
 * @throws RangeError for what is no whole number, and for no trials at all.
 */
export function readSize({ trials, seed }: Order, fullSize: number, anySeed: number): Size {
  if (trials !== undefined && (!NUMBER.test(trials) || Number(trials) === 0))
    throw new RangeError(`--trials ${trials} is no number of trials; give one from 1 on`);
  if (seed !== undefined && !NUMBER.test(seed))
    throw new RangeError(`--seed ${seed} is no seed; give a whole number from 0 on`);
  return { trials: Number(trials ?? fullSize), seed: Number(seed ?? anySeed) };
}
