import path from 'node:path';
import { startDaemon } from '../../src/daemon/daemon.ts';
import { openHome } from '../../src/keeper.ts';
import { systemRandom } from '../../src/system/random.ts';
import { undiciStreaming } from '../../src/system/undici-streaming.ts';
import type { HookDaemonOptions } from '../faults/experiments/webhooks.ts';
import { quickClock } from './quick-clock.ts';

/*
 * A daemon with one receiver of webhooks, as a process of its own. Its argument is its options as JSON. It tells when it serves, and ends with whoever started it.
 */
const { home, times, since, url, secret } = JSON.parse(process.argv[2] ?? '') as HookDaemonOptions;
process.on('disconnect', () => process.exit());
const { keeper, store, api } = await openHome({ home });
await startDaemon({
  ...{ keeper, store, api },
  // The store's patience with other processes is real, for so are they.
  clock: quickClock(times, since),
  settings: { webhooks: [{ name: 'ops', url, secretVariable: 'HOOK_SECRET' }] },
  environment: { HOOK_SECRET: secret },
  streaming: undiciStreaming(),
  socket: path.join(home, 'run', 'evergrant.sock'),
  random: systemRandom,
  log: { info: () => undefined, warn: () => undefined },
});
process.send?.('serving');
