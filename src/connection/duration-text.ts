const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A duration as people write it to the command line: `5m`, `1h29m59s`, `250ms`; whole seconds from one second on. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${String(Math.round(ms))}ms`;
  let rest = Math.round(ms / 1_000) * 1_000;
  let text = '';
  for (const [unit, length] of UNITS) {
    const amount = Math.floor(rest / length);
    rest -= amount * length;
    if (amount > 0) text += `${String(amount)}${unit}`;
  }
  return text;
}
