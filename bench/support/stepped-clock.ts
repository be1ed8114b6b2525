import { systemClock, type Clock } from '../../src/system/clock.ts';

/** A clock that fires no timer by itself. */
export interface SteppedClock extends Clock {
  /** Moves ahead and fires what waited at the time of the call. */
  step(ms: number): void;
  /** Delays of the timers that wait. */
  readonly waiting: readonly number[];
}

/** Makes one. */
export function steppedClock(): SteppedClock {
  let ahead = 0;
  const timers = new Set<{ readonly delayMs: number; readonly callback: () => void }>();
  return {
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
    uptimeMs: () => systemClock.uptimeMs() + ahead,
    timer(delayMs, callback) {
      const timer = { delayMs, callback };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    step(ms) {
      ahead += ms;
      const due = [...timers];
      timers.clear();
      for (const { callback } of due) callback();
    },
    get waiting() {
      return [...timers].map(({ delayMs }) => delayMs);
    },
  };
}
