import { reasonOf } from '../words.ts';
import type { Glance } from './types.ts';

/** Connections that are not well for one and the same reason. */
export interface Cause {
  /** Why, in one line. */
  readonly reason: string;
  /** Whose it is, in the order in which they came. */
  readonly rows: readonly Glance[];
}

/** Puts together what has the same cause: one fault of a server must not look like hundreds. Causes stay in the order of their first connection. */
export function causesOf(rows: readonly Glance[]): readonly Cause[] {
  const byReason = Map.groupBy(rows, reasonOf);
  return [...byReason].map(([reason, same]) => ({ reason, rows: same }));
}
