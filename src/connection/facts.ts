import type { Moment } from './claiming.ts';
import type { Leftover } from './decision.ts';
import type { Rotation, TokenSet } from './record.ts';
import type { LeftoverLabel } from './secrets.ts';
import type { Advice } from './telling.ts';

/** What a verdict needs besides the outcome. */
export interface Facts extends Moment {
  /** A random number from 0 to 1. */
  readonly fraction: number;
  /** Which keeper, for the history. */
  readonly by: string;
  /** The provider's habit. */
  readonly rotation: Rotation;
  /** For `grace`. */
  readonly graceMs: number | undefined;
  /** Whether an uncertain connection may be tried once more at its access token's expiry. */
  readonly lastTry: boolean;
  /** The token set of a `refreshed` outcome, sealed for generation + 1. */
  readonly tokens: TokenSet | undefined;
  /** Seals what of the answer must be kept if it cannot become current; undefined when there is nothing. */
  readonly leftover: ((label: LeftoverLabel) => Leftover['sealed']) | undefined;
  /** For refusals. */
  readonly advice: Advice | undefined;
  /** Set when the access token cannot be served: the scheme is not one we know. */
  readonly unusableType: string | undefined;
}
