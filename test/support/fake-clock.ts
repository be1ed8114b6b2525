import type { Clock, Timer } from '../../src/system/clock.ts';

/** A clock that moves only when told to, firing timers in order as it passes them. */
export interface FakeClock extends Clock {
  /**
   * Moves wall and monotonic time forward, firing due timers in order and letting promises settle after each.
   *
   * @param settled - resolves when nothing moves any more; where real sockets are in play, immediate callbacks are not enough.
   */
  advance(ms: number, settled?: () => Promise<void>): Promise<void>;
  /** Sets wall time alone, as a person who sets the clock would. */
  setWall(at: number): void;
  /** Number of timers that wait, background ones included. */
  readonly pending: number;
}

/** Lets everything that is ready to run, run: promises and immediate callbacks. */
export async function settle(rounds = 5): Promise<void> {
  for (let i = 0; i < rounds; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Makes a fake clock; wall time starts at `startAt`, monotonic time at 0. */
export function fakeClock(startAt: number = Date.UTC(2026, 0, 1)): FakeClock {
  let monotonic = 0;
  let wall = startAt;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => wall,
    monotonic: () => monotonic,
    uptimeMs: () => monotonic,
    timer(delayMs, callback): Timer {
      const entry = { at: monotonic + Math.max(0, delayMs), callback };
      timers.add(entry);
      return { cancel: () => void timers.delete(entry) };
    },
    async advance(ms, settled = settle) {
      const end = monotonic + ms;
      await settled();
      for (;;) {
        const next = [...timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        wall += Math.max(0, next.at - monotonic);
        monotonic = Math.max(monotonic, next.at);
        next.callback();
        await settled();
      }
      wall += end - monotonic;
      monotonic = end;
      await settled();
    },
    setWall(at) {
      wall = at;
    },
    get pending() {
      return timers.size;
    },
  };
}
