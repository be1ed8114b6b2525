import { startDriver, type Driver } from './driver.ts';

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
export type SocketDriver = Driver<SocketOrder>;

/** Starts callers. */
export function startSocketDriver(): Promise<SocketDriver> {
  return startDriver('socket-driver.process.ts');
}
