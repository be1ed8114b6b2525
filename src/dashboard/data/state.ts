import { wallTime } from '../browser.ts';
import type { FeedEvent, Glance } from './types.ts';

/** What all screens see. Replaced whole by each change. */
export interface State {
  /** `loading` until the first connections have come. */
  readonly phase: 'loading' | 'signed-out' | 'partial' | 'live' | 'offline';
  /** Connections in order of name. */
  readonly connections: readonly Glance[];
  /** The newest first. */
  readonly events: readonly FeedEvent[];
  /** Daemon's clock minus this browser's. */
  readonly skewMs: number;
  /** By the daemon's clock, when it answered last. */
  readonly heardAt: number;
  /** Why nobody is signed in, or what went wrong. */
  readonly message: string | undefined;
}

let state: State = {
  phase: 'loading',
  connections: [],
  events: [],
  skewMs: 0,
  heardAt: 0,
  message: undefined,
};
const listeners = new Set<() => void>();

/** The state as it is. */
export function getState(): State {
  return state;
}

/** Changes the state and tells everybody. */
export function change(part: Partial<State>): void {
  state = { ...state, ...part };
  for (const listener of listeners) listener();
}

/** Calls back after each change. @returns a function that ends it. */
export function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Now, by the daemon's clock. */
export function now(): number {
  return wallTime() + state.skewMs;
}
