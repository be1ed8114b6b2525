import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Prepare } from '../harness/contender.ts';
import { startSocketDriver, type SocketTask } from '../support/socket-driver.ts';
import { accessToken } from '../support/tokens.ts';

/** The limit: `node:http` that answers whatever it is asked with the bytes of the daemon. */
const prepare: Prepare<SocketTask> = async (task) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-bench-'));
  const socketPath = path.join(folder, 'bare.sock');
  const driver = await startSocketDriver();
  const expiresAt = Date.now() + 86_400_000;
  const token = { type: 'Bearer', scope: null, expiresAt, generation: 1 };
  const body = JSON.stringify({ accessToken: accessToken(1), ...token });
  const headers = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const server = createServer((_, response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  server.keepAliveTimeout = 75_000;
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    async round() {
      await driver.drive({ ...task, socketPath, path: '/v1/connections/it/token' });
      return undefined;
    },
    async close() {
      await driver.close();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export default prepare;
