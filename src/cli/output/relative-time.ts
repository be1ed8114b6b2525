const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

const STEPS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** A part of a unit that may lack: what was made for 24 hours a moment ago still has them. */
const LACK = 0.05;

/** `in 42 minutes`, `3 hours ago`, `now`; `-` where there is no instant. Two of the larger unit at least, so that nothing is far off. */
export function relativeTime(at: number | undefined, now: number): string {
  if (at === undefined) return '-';
  const distance = at - now;
  const [unit, length] = STEPS.find(([, step]) => Math.abs(distance) >= (2 - LACK) * step) ?? [
    'second',
    1_000,
  ];
  const amount = Math.trunc(distance / length + Math.sign(distance) * LACK);
  return amount === 0 ? 'now' : words.format(amount, unit);
}

/** As {@link relativeTime} for something that happens when somebody next asks for it: `due` once its instant has passed. */
export function dueTime(at: number | undefined, now: number): string {
  return at !== undefined && at <= now ? 'due' : relativeTime(at, now);
}
