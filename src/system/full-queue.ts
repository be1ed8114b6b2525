import { sleep, type Clock } from './clock.ts';
import { errnoOf } from './file-errors.ts';

/*
 * A Unix socket whose queue is full refuses the next caller at once with EAGAIN, where a TCP port lets it wait. Nothing was sent then, so to try
 * again is safe, whatever is asked for.
 */

const PATIENCE_MS = 10_000;
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 200;

/** Whether the queue of a socket was full. */
export function isQueueFull(error: unknown): boolean {
  return errnoOf(error) === 'EAGAIN';
}

/**
 * Does what connects to a Unix socket, again for ten seconds while its queue is full.
 *
 * @param signals - end the wait; what `connect` threw last is told then.
 * @throws what `connect` throws.
 */
export async function whenQueued<T>(
  connect: () => Promise<T>,
  clock: Clock,
  signals: readonly AbortSignal[] = [],
): Promise<T> {
  const until = clock.monotonic() + PATIENCE_MS;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await connect();
    } catch (error) {
      const isOver = !isQueueFull(error) || clock.monotonic() >= until;
      if (isOver || !(await sleep(clock, waitMs, AbortSignal.any([...signals])))) throw error;
    }
  }
}
