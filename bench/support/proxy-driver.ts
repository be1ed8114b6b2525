import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** What is sent through a proxy. */
export interface ProxyTask {
  /** Length of each request's body, and of its answer's. */
  readonly bytes: number;
  /** Calls of one round. */
  readonly calls: number;
  /** At most so many at once. */
  readonly concurrency: number;
}

/** Where the calls go. */
export interface ProxyOrder extends ProxyTask {
  /** Socket of the proxy. */
  readonly socketPath: string;
  /** Target of each request. */
  readonly path: string;
}

/** The two ends of a proxy. */
export interface ProxyDriver {
  /** Origin of the API. */
  readonly origin: string;
  /** Makes calls. */
  drive(order: ProxyOrder): Promise<void>;
  /** Ends both. */
  close(): Promise<void>;
}

const main = path.join(import.meta.dirname, 'proxy-driver.process.ts');

/** Starts them in another process. */
export async function startProxyDriver({ bytes }: ProxyTask): Promise<ProxyDriver> {
  const child = fork(main, [String(bytes)], { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  return {
    origin: `http://127.0.0.1:${String(port)}`,
    async drive(order) {
      const done = once(child, 'message');
      child.send(order);
      await done;
    },
    async close() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}
