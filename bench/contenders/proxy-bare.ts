import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Pool } from 'undici';
import type { Prepare } from '../harness/contender.ts';
import { startProxyDriver, type ProxyTask } from '../support/proxy-driver.ts';
import { accessToken } from '../support/tokens.ts';

/** The limit: undici to `node:http`, bodies piped, a token added, nothing judged, kept or checked. */
const prepare: Prepare<ProxyTask> = async (task) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-bench-'));
  const socketPath = path.join(folder, 'bare.sock');
  const driver = await startProxyDriver(task);
  const pool = new Pool(driver.origin, { allowH2: false });
  const token = accessToken(1);
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url: target = '/', headers } = incoming;
    const { host: _host, connection: _connection, ...passed } = headers;
    void pool
      .request({
        path: target,
        method,
        headers: { ...passed, authorization: `Bearer ${token}` },
        body: incoming,
      })
      .then(({ statusCode, headers: answered, body }) => {
        const { connection: _own, 'keep-alive': _time, ...rest } = answered;
        outgoing.writeHead(statusCode, rest);
        return pipeline(body, outgoing);
      });
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    async round() {
      await driver.drive({ ...task, socketPath, path: '/assets/v3/' });
      return undefined;
    },
    async close() {
      await driver.close();
      server.close();
      await pool.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export default prepare;
