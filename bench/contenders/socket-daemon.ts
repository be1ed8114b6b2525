import type { Prepare } from '../harness/contender.ts';
import { startMeasuredDaemon } from '../support/daemon.ts';
import { startSocketDriver, type SocketTask } from '../support/socket-driver.ts';

/** A whole daemon on its owner's socket: each request is judged, counted and filed. */
const prepare: Prepare<SocketTask> = async (task) => {
  const driver = await startSocketDriver();
  const daemon = await startMeasuredDaemon('http://127.0.0.1:9');
  return {
    async round() {
      const path = '/v1/connections/it/token';
      await driver.drive({ ...task, socketPath: daemon.socket, path });
      return undefined;
    },
    async close() {
      await driver.close();
      await daemon.close();
    },
  };
};

export default prepare;
