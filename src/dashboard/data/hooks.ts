import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { every, later, onSeen, wallTime } from '../browser.ts';
import { ApiError, call } from './api.ts';
import { getState, now, onChange, type State } from './state.ts';

/** What may have changed by what happened is asked for at most so often. */
export const AFTER_EVENTS_MS = 5_000;
/** What no event tells of, as secrets that were replaced, is asked for so often while it is on the screen. */
export const UNTOLD_MS = 60_000;

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

/**
 * Changes when something has happened to any connection, at most once in `restMs`.
 *
 * @returns the id of the newest event.
 */
export function useHappened(restMs: number): number {
  const newest = useAppState().events[0]?.id ?? 0;
  const [told, tell] = useState(newest);
  const restedAt = useRef(0);
  useEffect(() => {
    if (newest === told) return undefined;
    return later(Math.max(0, restedAt.current - wallTime()), () => {
      restedAt.current = wallTime() + restMs;
      tell(newest);
    });
  }, [newest, told, restMs]);
  return told;
}

/** Calls back again and again while somebody can see the page, and when it is seen again. @returns a function that ends it. */
export function whileSeen(periodMs: number, callback: () => void): () => void {
  let end = (): void => undefined;
  let wasHidden = false;
  const endSeen = onSeen((isSeen) => {
    end();
    if (isSeen) end = every(periodMs, callback);
    if (isSeen && wasHidden) callback();
    wasHidden = !isSeen;
  });
  return () => {
    end();
    endSeen();
  };
}

/** Asks the daemon, and again whenever `version` changes, or every `periodMs` while somebody can see the page. */
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
    () => (periodMs === undefined ? undefined : whileSeen(periodMs, () => again(undefined))),
    [periodMs],
  );
  const isCurrent = found.path === path;
  return {
    data: isCurrent ? found.data : undefined,
    error: isCurrent ? found.error : undefined,
    again: () => again(undefined),
  };
}
