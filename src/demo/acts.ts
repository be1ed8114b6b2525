import type { Scene } from './scene.ts';
import { crashAtReusable } from './scenes/crash-reusable.ts';
import { crashAtStrict, LEFT_MS } from './scenes/crash-strict.ts';
import { eightProcesses } from './scenes/eight-processes.ts';
import { callTheApi } from './scenes/first-call.ts';
import { outage } from './scenes/outage.ts';
import { revokedGrant } from './scenes/revoked-grant.ts';
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

const LIFE_SECONDS = 3_600;
const LIFE_MS = LIFE_SECONDS * 1000;
const hourly = { accessLifeSeconds: LIFE_SECONDS } as const;

/** The whole demo. The first act's world is the one that may be kept. */
export const ACTS: readonly Act[] = [
  { world: {}, scenes: [signInOnce, callTheApi, rotate] },
  { world: { emulator: hourly }, scenes: [thousandCallers] },
  { world: { agoMs: LIFE_MS, emulator: hourly }, scenes: [eightProcesses] },
  { world: { agoMs: LIFE_MS, emulator: hourly }, scenes: [crashAtReusable] },
  {
    world: { agoMs: LIFE_MS - LEFT_MS, emulator: { ...hourly, rotation: 'single-use' } },
    scenes: [crashAtStrict],
  },
  { world: { emulator: hourly }, scenes: [outage] },
  { world: { emulator: hourly }, scenes: [revokedGrant] },
];
