import type { Actor, Glance } from './types.ts';
import { standingOf, waitsFor, type Standing } from '../words.ts';

/** All connections at a glance. */
export interface Summary {
  /** How many stand how. */
  readonly counts: Readonly<Record<Standing, number>>;
  /** Who waits for whom, those whose tokens end first at the front. */
  readonly waiting: ReadonlyMap<Actor, readonly Glance[]>;
  /** Instants of the next requests within the hour, in bins of a minute. */
  readonly due: readonly number[];
}

const ORDER: readonly Actor[] = ['owner', 'operator', 'administrator', 'nobody'];
/** Length of a bin, and how many. */
const BIN_MS = 60_000;
const BINS = 60;

/** Counts and sorts what the overview shows. */
export function summarise(connections: readonly Glance[], now: number): Summary {
  const counts = { needs: 0, uncertain: 0, failing: 0, well: 0, paused: 0, disconnected: 0 };
  const found = new Map<Actor, Glance[]>(ORDER.map((actor) => [actor, []]));
  const due = Array.from({ length: BINS }, () => 0);
  for (const one of connections) {
    counts[standingOf(one, now)]++;
    const actor = waitsFor(one, now);
    if (actor !== undefined) found.get(actor)?.push(one);
    if (one.nextRefreshAt === null) continue;
    const bin = Math.max(0, Math.floor((one.nextRefreshAt - now) / BIN_MS));
    if (bin < BINS) due[bin] = (due[bin] ?? 0) + 1;
  }
  const waiting = new Map<Actor, readonly Glance[]>();
  for (const [actor, rows] of found) if (rows.length > 0) waiting.set(actor, rows.sort(byTokenEnd));
  return { counts, waiting, due };
}

/** Those whose tokens ran out, or were never there, come first. */
export function byTokenEnd(a: Glance, b: Glance): number {
  return (a.accessExpiresAt ?? 0) - (b.accessExpiresAt ?? 0) || (a.name < b.name ? -1 : 1);
}
