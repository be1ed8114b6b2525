import type { Clock } from '../system/clock.ts';

/** A caller's patience. */
export interface Patience {
  /** On the monotonic clock. */
  readonly deadline: number;
  /** The caller's own. */
  readonly signal: AbortSignal | undefined;
}

/** How a wait ended: with the value, or before it came. */
export type Waited<T> = { readonly value: T } | { readonly ended: 'deadline' | 'aborted' };

/**
 * Waits for a promise until a deadline on the monotonic clock, or until `signal` aborts. Ends the wait only, never what is waited for.
 */
export function waitUntil<T>(
  promise: Promise<T>,
  clock: Clock,
  deadline: number,
  signal?: AbortSignal,
): Promise<Waited<T>> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      resolve({ ended: 'aborted' });
      return;
    }
    const end = (result: () => void): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      result();
    };
    const onAbort = (): void => {
      end(() => {
        resolve({ ended: 'aborted' });
      });
    };
    const timer = clock.timer(deadline - clock.monotonic(), () => {
      end(() => {
        resolve({ ended: 'deadline' });
      });
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    promise.then(
      (value) => {
        end(() => {
          resolve({ value });
        });
      },
      (error: unknown) => {
        end(() => {
          reject(error instanceof Error ? error : new Error(String(error)));
        });
      },
    );
  });
}
