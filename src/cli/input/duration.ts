import { DURATION, durationMs } from '../../system/duration.ts';
import { UsageError } from '../usage-error.ts';

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
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  if (DURATION.test(text)) throw new UsageError(`${option} is too long`);
  throw new UsageError(`${option} takes a duration such as 30s, 5m, 1h30m or 90d`);
}
