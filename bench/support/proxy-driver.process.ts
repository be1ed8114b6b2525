import { createServer } from 'node:http';
import { request } from 'node:http';
import { Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inLanes } from './lanes.ts';
import type { ProxyOrder } from './proxy-driver.ts';

/*
 * Both ends of a proxy: an API that answers with as many bytes as it was sent, and callers. In a process of its own, so that only what lies
 * between is measured.
 */
const [bytes = 0] = process.argv.slice(2).map(Number);
const body = Buffer.alloc(bytes, 'a');

const api = createServer((incoming, response) => {
  incoming.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': bytes });
    response.end(body);
  });
});
api.keepAliveTimeout = 600_000;
api.listen(0, '127.0.0.1', () => process.send?.((api.address() as AddressInfo).port));

const agent = new Agent({ keepAlive: true });

function call({ socketPath, path }: ProxyOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'localhost', 'content-type': 'text/plain', 'content-length': bytes };
    const made = request({ socketPath, path, method: 'POST', headers, agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`status ${String(answer.statusCode)}`));
      answer.resume().on('end', resolve).on('error', reject);
    });
    made.on('error', reject);
    made.end(body);
  });
}

process.on('message', (order: ProxyOrder) => {
  void inLanes(order.calls, order.concurrency, () => call(order)).then(() =>
    process.send?.('done'),
  );
});
process.on('disconnect', () => process.exit());
