import { sleep, systemClock } from '../../system/clock.ts';
import type { EvergrantProcess } from '../evergrant-process.ts';
import type { DemoOptions } from '../options.ts';
import { play } from '../scene.ts';
import { signInOnce } from '../scenes/sign-in.ts';
import { World } from '../world.ts';
import { makeConnections } from './connections.ts';
import { startServers, STEADY } from './servers.ts';
import { makeTroubles } from './troubles.ts';

/** A world that others can use. */
export interface KeptWorld {
  /** Folder of the home. */
  readonly home: string;
  /** Address of the control API of the server that has the first connection. */
  readonly controlUrl: string;
  /** Signs one browser in to the dashboard, once. */
  readonly link: string;
}

const END_PATIENCE_MS = 10_000;

/**
 * Begins a world of connections with a daemon that keeps them fresh, and keeps it until the signal aborts. Its servers make trouble on
 * their own. Then all of it is removed.
 *
 * @param onReady - told when people can use it.
 * @throws when it cannot begin, or its daemon ends by itself.
 */
export async function keepWorld(
  { launcher, signal }: DemoOptions,
  onReady: (world: KeptWorld) => void,
): Promise<void> {
  await using world = await World.begin({ emulator: STEADY }, launcher, signal);
  await using servers = await startServers(world);
  const { ok, reason } = await play(signInOnce, world);
  if (!ok) throw new Error(reason);
  await makeConnections(await world.keeper(), servers, signal);
  await world.forget();
  const daemon = world.run('serve');
  try {
    await orEnded(signal, daemon.untilSaid(' serving'));
    if (signal.aborted) return;
    onReady({ home: world.home, controlUrl: servers.steady.controlUrl, link: await linkIn(world) });
    await orEnded(signal, Promise.race([makeTroubles(servers, signal), failing(daemon)]));
  } finally {
    daemon.stop();
    await Promise.race([daemon.finished, sleep(systemClock, END_PATIENCE_MS)]);
  }
}

/** Waits, but not when all is to end. */
async function orEnded(signal: AbortSignal, wait: Promise<void>): Promise<void> {
  try {
    await wait;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function failing({ finished }: EvergrantProcess): Promise<never> {
  const { stderr } = await finished;
  throw new Error(`the daemon of the demo ended: ${stderr}`);
}

async function linkIn(world: World): Promise<string> {
  const { code, stdout, stderr } = await world.run('dashboard', '--no-browser').finished;
  if (code !== 0) throw new Error(`the daemon of the demo gave no link: ${stderr}`);
  return stdout.trim();
}
