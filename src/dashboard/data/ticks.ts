import type { InstantStyle } from '../browser.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Distances that people count in. */
const STEPS = [
  ...[1, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * DAY),
];

/** Round instants within a stretch of time, at most `most` of them, and how they are written. */
export function ticksOf(
  begin: number,
  end: number,
  most: number,
): { readonly ticks: readonly number[]; readonly style: InstantStyle } {
  const least = (end - begin) / Math.max(1, most);
  const step = STEPS.find((one) => one >= least) ?? 10 * 364 * DAY;
  const ticks: number[] = [];
  for (let at = Math.ceil(begin / step) * step; at <= end; at += step) ticks.push(at);
  const style = step < MINUTE ? 'second' : step < DAY ? 'time' : 'day';
  return { ticks, style };
}
