import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startDaemon } from '../../src/daemon/daemon.ts';
import { openHome } from '../../src/keeper.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLog } from '../../src/system/log.ts';
import { systemRandom } from '../../src/system/random.ts';
import { undiciStreaming } from '../../src/system/undici-streaming.ts';
import { accessToken } from './tokens.ts';

/** A daemon of this process. */
export interface MeasuredDaemon {
  /** Its socket. */
  readonly socket: string;
  /** Ends it and removes its home. */
  close(): Promise<void>;
}

/** Starts one with the connection `it`, whose token lives for a day, and whose API is at an origin. */
export async function startMeasuredDaemon(origin: string): Promise<MeasuredDaemon> {
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-bench-'));
  const { keeper, store, api } = await openHome({ home: path.join(folder, 'home') });
  await keeper.add('it', {
    provider: 'generic',
    client: { clientId: 'bench', clientSecret: 'secret' },
    overrides: {
      tokenEndpoint: `${origin}/token`,
      insecureLoopback: true,
      api: { origins: [origin], base: `${origin}/` },
    },
    tokens: {
      refreshToken: 'refresh-token',
      accessToken: accessToken(1),
      accessExpiresAt: systemClock.now() + 86_400_000,
    },
  });
  const daemon = await startDaemon({
    ...{ keeper, store, api, settings: {}, streaming: undiciStreaming() },
    ...{ clock: systemClock, random: systemRandom, log: silentLog },
    socket: path.join(folder, 'home', 'run', 'evergrant.sock'),
  });
  return {
    socket: daemon.socket,
    async close() {
      await daemon.close(0);
      await keeper.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
