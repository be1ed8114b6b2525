import type { Socket } from 'node:net';
import { systemClock, type Timer } from './clock.ts';

const IDLE_MS = 4_000;
const MOST_PER_ORIGIN = 8;

/** Open connections that wait for another exchange. */
export interface IdleSockets {
  /** Takes the youngest one of an origin out; undefined when there is none. */
  take(origin: string): Socket | undefined;
  /** Keeps a connection for a few seconds; it does not hold the process meanwhile. */
  put(origin: string, socket: Socket): void;
  /** Closes all, and those that are put later. */
  close(): void;
}

interface Idle {
  readonly socket: Socket;
  readonly timer: Timer;
  readonly discard: () => void;
}

/** Makes an empty pool. A connection on which anything happens while it waits is dropped: no answer is due on it. */
export function idleSockets(): IdleSockets {
  const idle = new Map<string, Idle[]>();
  let isClosed = false;

  const release = (origin: string, entry: Idle): void => {
    entry.timer.cancel();
    for (const event of ['data', 'end', 'close', 'error']) entry.socket.off(event, entry.discard);
    const rest = idle.get(origin)?.filter((other) => other !== entry) ?? [];
    if (rest.length === 0) idle.delete(origin);
    else idle.set(origin, rest);
  };

  return {
    take(origin) {
      const entry = idle.get(origin)?.at(-1);
      if (entry === undefined) return undefined;
      release(origin, entry);
      entry.socket.ref();
      return entry.socket;
    },
    put(origin, socket) {
      const entries = idle.get(origin) ?? [];
      if (isClosed || entries.length >= MOST_PER_ORIGIN || socket.destroyed || !socket.writable) {
        socket.destroy();
        return;
      }
      const discard = (): void => {
        release(origin, entry);
        // An error may still be on its way out of a destroyed socket.
        socket.on('error', () => undefined).destroy();
      };
      const timer = systemClock.timer(IDLE_MS, discard, { background: true });
      const entry: Idle = { socket, timer, discard };
      for (const event of ['data', 'end', 'close', 'error']) socket.on(event, discard);
      socket.unref();
      idle.set(origin, [...entries, entry]);
    },
    close() {
      isClosed = true;
      for (const entry of [...idle.values()].flat()) entry.discard();
    },
  };
}
