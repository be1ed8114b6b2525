import { systemClock, type Clock } from '../../src/system/clock.ts';

/**
 * A clock that runs so many times faster than the machine's. Processes that are given the same `since` see the same time.
 *
 * @param since - when both clocks showed the same, epoch milliseconds.
 */
export function quickClock(times: number, since: number): Clock {
  return {
    now: () => since + (systemClock.now() - since) * times,
    monotonic: () => systemClock.monotonic() * times,
    uptimeMs: () => systemClock.uptimeMs() * times,
    timer: (delayMs, ...rest) => systemClock.timer(delayMs / times, ...rest),
  };
}
