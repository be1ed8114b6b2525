import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** What is asked of a server on a socket. */
export interface SocketTask {
  /** Calls of one round. */
  readonly calls: number;
  /** Callers, each with a connection of its own. */
  readonly concurrency: number;
}

/** Where the calls go. */
export interface SocketOrder extends SocketTask {
  /** Socket of the server. */
  readonly socketPath: string;
  /** Target of each request. */
  readonly path: string;
}

/** Callers in a process of their own. */
export interface SocketDriver {
  /** Makes calls. */
  drive(order: SocketOrder): Promise<void>;
  /** Ends them. */
  close(): Promise<void>;
}

const main = path.join(import.meta.dirname, 'socket-driver.process.ts');

/** Starts callers. */
export async function startSocketDriver(): Promise<SocketDriver> {
  const child = fork(main, [], { execArgv: [] });
  await once(child, 'message');
  return {
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
