import { useEffect, useReducer, useState } from 'preact/hooks';
import { every } from '../browser.ts';
import { ApiError, call } from './api.ts';
import { getState, now, onChange, type State } from './state.ts';

/** The state; the component is drawn again when it changes. */
export function useAppState(): State {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const drawn = getState();
  useEffect(() => {
    // What changed between the drawing and this.
    if (getState() !== drawn) redraw(undefined);
    return onChange(() => redraw(undefined));
  }, []);
  return drawn;
}

/** Now, by the daemon's clock; drawn again each period. */
export function useNow(periodMs = 1_000): number {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => every(periodMs, () => redraw(undefined)), [periodMs]);
  // Not as of the last tick: what the clocks differ by may have come since.
  return now();
}

/** An answer of the daemon. */
export interface Answer<T> {
  /** What it said; undefined until then. */
  readonly data: T | undefined;
  /** Why there is none. */
  readonly error: ApiError | undefined;
  /** Asks again. */
  readonly again: () => void;
}

/** Asks the daemon, and again whenever `version` changes or every `periodMs`. */
export function useAnswer<T>(path: string, version: unknown, periodMs?: number): Answer<T> {
  const [found, setFound] = useState<{ path: string; data?: T; error?: ApiError }>({ path });
  const [round, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let isCurrent = true;
    call<T>('GET', path)
      .then((data) => {
        if (isCurrent) setFound({ path, data });
      })
      .catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (isCurrent)
          setFound((before) => ({ ...(before.path === path ? before : { path }), error }));
      });
    return () => {
      isCurrent = false;
    };
  }, [path, version, round]);
  useEffect(
    () => (periodMs === undefined ? undefined : every(periodMs, () => again(undefined))),
    [periodMs],
  );
  const isCurrent = found.path === path;
  return {
    data: isCurrent ? found.data : undefined,
    error: isCurrent ? found.error : undefined,
    again: () => again(undefined),
  };
}
