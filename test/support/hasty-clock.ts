import type { Clock } from '../../src/system/clock.ts';

/** A clock on which every wait is over at once, so that patience ends without waiting. */
export function hastyClock(startAt: number): Clock {
  let passed = 0;
  return {
    now: () => startAt + passed,
    monotonic: () => passed,
    uptimeMs: () => passed,
    timer(delayMs, callback) {
      const immediate = setImmediate(() => {
        passed += Math.max(0, delayMs);
        callback();
      });
      return { cancel: () => clearImmediate(immediate) };
    },
  };
}
