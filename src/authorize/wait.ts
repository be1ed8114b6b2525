import type { AuthorizeDeps } from './obtained.ts';

/** How long a person is waited for, and what is thrown afterwards. */
export interface Patience {
  /** Longest wait. */
  readonly limitMs: number;
  /** Makes the error for then. */
  readonly onLimit: () => Error;
}

/**
 * Waits for the first of several answers.
 *
 * @param begin - starts what may answer; its signal aborts when the wait is over, so that the others can stop.
 * @throws the first rejection among them, the error of `onLimit`, or the reason of the caller's signal.
 */
export async function firstOf<T>(
  deps: Pick<AuthorizeDeps, 'clock' | 'signal'>,
  patience: Patience,
  begin: (signal: AbortSignal) => readonly Promise<T>[],
): Promise<T> {
  const over = new AbortController();
  const limit = Promise.withResolvers<never>();
  const timer = deps.clock.timer(patience.limitMs, () => limit.reject(patience.onLimit()));
  const onAbort = (): void => limit.reject(deps.signal?.reason as Error);
  deps.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    deps.signal?.throwIfAborted();
    return await Promise.race([limit.promise, ...begin(over.signal)]);
  } finally {
    timer.cancel();
    deps.signal?.removeEventListener('abort', onAbort);
    over.abort();
  }
}

/** Lets time pass. @throws the signal's reason when it aborts. */
export async function pause(
  deps: Pick<AuthorizeDeps, 'clock' | 'signal'>,
  delayMs: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const wake = (): void => resolve(undefined);
  const timer = deps.clock.timer(delayMs, wake);
  deps.signal?.addEventListener('abort', wake, { once: true });
  await promise;
  timer.cancel();
  deps.signal?.removeEventListener('abort', wake);
  deps.signal?.throwIfAborted();
}
