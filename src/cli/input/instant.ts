import { DURATION } from '../../system/duration.ts';
import { parseIsoDate } from '../../system/iso-date.ts';
import { UsageError } from '../usage-error.ts';
import { parseDuration } from './duration.ts';

/**
 * Reads an instant as people write it: a date, `2027-01-31` or `2027-01-31T12:00:00Z`, or how far ahead it lies, `180d`.
 *
 * @param option - named in the message.
 * @returns epoch milliseconds.
 * @throws {@link UsageError} when it is neither, or has passed.
 */
export function parseInstant(text: string, option: string, now: number): number {
  const at = /^\d{4}-/.test(text) ? parseIsoDate(text) : ahead(text, option, now);
  if (at === undefined)
    throw new UsageError(`${option} takes a date such as 2027-01-31, or a duration such as 180d`);
  if (at <= now) throw new UsageError(`${option} ${text} has passed`);
  return at;
}

/** undefined for what was meant for a date, badly written; a number without a unit is told to be that. */
function ahead(text: string, option: string, now: number): number | undefined {
  const isMeant = DURATION.test(text) || /^\d+(?:\.\d+)?$/.test(text);
  return isMeant ? now + parseDuration(text, option) : undefined;
}
