import { UsageError } from '../usage-error.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * Reads a duration as people write it: `30s`, `5m`, `1h30m`, `90d`.
 *
 * @param option - named in the message, e.g. `--min-life`.
 * @returns milliseconds.
 * @throws {@link UsageError} when there is no unit, or it is no duration.
 */
export function parseDuration(text: string, option: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) {
    throw new UsageError(
      `${option} ${text} has no unit; write ${text}s for seconds, or 5m, 2h, 90d`,
    );
  }
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(text)) {
    throw new UsageError(`${option} takes a duration such as 30s, 5m, 1h30m or 90d`);
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g);
  let total = 0;
  for (const [, amount, unit] of parts) total += Number(amount) * UNITS[unit as keyof typeof UNITS];
  if (!Number.isSafeInteger(Math.round(total))) throw new UsageError(`${option} is too long`);
  return Math.round(total);
}
