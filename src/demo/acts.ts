import type { Scene } from './scene.ts';
import { callTheApi } from './scenes/first-call.ts';
import { rotate } from './scenes/rotation.ts';
import { signInOnce } from './scenes/sign-in.ts';
import { thousandCallers } from './scenes/thousand-callers.ts';
import type { WorldOptions } from './world.ts';

/** Scenes that share a world. */
export interface Act {
  /** What their world begins with. */
  readonly world: WorldOptions;
  /** In the order in which they are played. */
  readonly scenes: readonly Scene[];
}

/** The whole demo. The first act's world is the one that may be kept. */
export const ACTS: readonly [Act, ...Act[]] = [
  { world: {}, scenes: [signInOnce, callTheApi, rotate] },
  { world: {}, scenes: [thousandCallers] },
];
