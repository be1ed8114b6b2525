import type { Clock } from '../system/clock.ts';

/** A clock that can be moved ahead; its timers stay those of the clock below. */
export interface MovableClock extends Clock {
  /** Moves what the emulator takes for the time ahead by `ms`; delays under way are not shortened. */
  advance(ms: number): void;
}

/** Lays a movable offset over a clock. */
export function movableClock(base: Clock): MovableClock {
  let offset = 0;
  return {
    now: () => base.now() + offset,
    monotonic: () => base.monotonic() + offset,
    uptimeMs: () => base.uptimeMs() + offset,
    timer: (delayMs, callback, options) => base.timer(delayMs, callback, options),
    advance(ms) {
      if (!Number.isFinite(ms) || ms < 0)
        throw new RangeError('advance takes milliseconds, 0 or more');
      offset += ms;
    },
  };
}
