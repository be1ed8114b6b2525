/** A scheduled call that can still be called off. */
export interface Timer {
  /** Calls the timer off; does nothing once it has fired. */
  cancel(): void;
}

/**
 * Time as the rest of evergrant sees it. Only this file names the real clock, so a test can move time on both sides of the wire.
 */
export interface Clock {
  /** Wall time in epoch milliseconds. It may jump either way when somebody sets the clock. */
  now(): number;
  /** Milliseconds since an arbitrary origin; never goes back. On Linux it stands still while the machine is suspended. */
  monotonic(): number;
  /**
   * Milliseconds since the machine started, those included in which it was suspended; nobody can set it. Means the same in all processes of
   * one boot.
   */
  uptimeMs(): number;
  /**
   * Calls `callback` once, `delayMs` from now.
   *
   * @param options - `background: true` lets the process end before the timer fires.
   */
  timer(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): Timer;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic() {
    // As fast as `performance`, whose module takes a cold process more than a millisecond to load.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1_000 + nanoseconds / 1_000_000;
  },
  // Hardly ever asked for, so the module is loaded then only.
  uptimeMs: () => process.getBuiltinModule('node:os').uptime() * 1_000,
  timer(delayMs, callback, options) {
    // Longer delays overflow setTimeout and fire at once.
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), 2_147_483_647));
    if (options?.background === true) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Resolves after `delayMs` on the given clock, or at once when `signal` aborts.
 *
 * @returns true when the time passed, false when the signal ended the wait.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted === true) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve(true);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
