import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startDaemon } from '../../src/daemon/daemon.ts';
import { openHome } from '../../src/keeper.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLog } from '../../src/system/log.ts';
import { systemRandom } from '../../src/system/random.ts';
import { undiciStreaming } from '../../src/system/undici-streaming.ts';
import type { Prepare } from '../harness/contender.ts';
import { startProxyDriver, type ProxyTask } from '../support/proxy-driver.ts';
import { accessToken } from '../support/tokens.ts';

/** A whole daemon on its owner's socket: each call is judged, filed, checked and given its credentials. */
const prepare: Prepare<ProxyTask> = async (task) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-bench-'));
  const driver = await startProxyDriver(task);
  const { origin } = driver;
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
    async round() {
      await driver.drive({ ...task, socketPath: daemon.socket, path: '/proxy/it/assets/v3/' });
      return undefined;
    },
    async close() {
      await driver.close();
      await daemon.close(0);
      await keeper.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export default prepare;
