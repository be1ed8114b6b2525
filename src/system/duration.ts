const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A duration as people write it. */
export const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/;

/** Milliseconds of a duration as people write it: `30s`, `5m`, `1h30m`, `90d`; undefined when it is none, or too long to count. */
export function durationMs(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(amount) * UNITS[unit as keyof typeof UNITS];
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
}
