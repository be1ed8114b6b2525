import type { Prepare } from '../harness/contender.ts';
import { startMeasuredDaemon } from '../support/daemon.ts';
import { startProxyDriver, type ProxyTask } from '../support/proxy-driver.ts';

/** A whole daemon on its owner's socket: each call is judged, filed, checked and given its credentials. */
const prepare: Prepare<ProxyTask> = async (task) => {
  const driver = await startProxyDriver(task);
  const daemon = await startMeasuredDaemon(driver.origin);
  return {
    async round() {
      await driver.drive({ ...task, socketPath: daemon.socket, path: '/proxy/it/assets/v3/' });
      return undefined;
    },
    async close() {
      await driver.close();
      await daemon.close();
    },
  };
};

export default prepare;
