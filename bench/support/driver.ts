import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Callers in a process of their own. */
export interface Driver<O extends object> {
  /** What the process said when it was ready. */
  readonly ready: unknown;
  /** Makes calls. */
  drive(order: O): Promise<void>;
  /** Ends the process. */
  close(): Promise<void>;
}

/** Starts the process of a file beside this one; it says when it is ready, and when an order is done. */
export async function startDriver<O extends object>(
  file: string,
  ...args: readonly string[]
): Promise<Driver<O>> {
  const child = fork(path.join(import.meta.dirname, file), args, { execArgv: [] });
  const [ready] = (await once(child, 'message')) as [unknown];
  return {
    ready,
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
