const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;

/**
 * Reads a `Retry-After` field as milliseconds from now; 0 for an instant that has passed. Not clamped: the bounds are the caller's.
 *
 * @returns undefined when the field is absent or neither whole seconds nor an HTTP date.
 * @see RFC 9110 sections 10.2.3 and 5.6.7
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const at = parseHttpDate(text, nowMs);
  return at === undefined ? undefined : Math.max(0, at - nowMs);
}

/** Reads the three date forms that HTTP allows, as epoch milliseconds. */
function parseHttpDate(text: string, nowMs: number): number | undefined {
  const fixed = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(text);
  if (fixed !== null) return instant(fixed[3], fixed[2], fixed[1], fixed.slice(4));
  const asctime = /^\w{3} (\w{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/.exec(text);
  if (asctime !== null) return instant(asctime[6], asctime[1], asctime[2], asctime.slice(3, 6));
  const rfc850 = /^\w{6,9}, (\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(text);
  if (rfc850 === null) return undefined;
  const year = fullYear(Number(rfc850[3]), nowMs);
  return instant(String(year), rfc850[2], rfc850[1], rfc850.slice(4));
}

function instant(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  time: readonly string[],
): number | undefined {
  const monthIndex = MONTHS.indexOf(month ?? '');
  const [hour = NaN, minute = NaN, second = NaN] = time.map(Number);
  const dayOfMonth = Number(day);
  if (monthIndex < 0 || dayOfMonth < 1 || dayOfMonth > 31) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const days = daysSinceEpoch(Number(year), monthIndex + 1, dayOfMonth);
  return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** Days from 1970-01-01 in the Gregorian calendar, counting years from March so that a leap day comes last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468
  );
}

/** A two-digit year means the one within 50 years of now, before or after. */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = 1970 + Math.floor(nowMs / DAY_MS / 365.2425);
  const year = thisYear - (thisYear % 100) + twoDigits;
  if (year > thisYear + 50) return year - 100;
  return year < thisYear - 49 ? year + 100 : year;
}
