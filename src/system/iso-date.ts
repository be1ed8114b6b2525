/** Reads `2027-01-31` (midnight UTC) or `2027-01-31T12:00:00Z` as epoch milliseconds; undefined for anything else. */
export function parseIsoDate(text: string): number | undefined {
  const [, day] =
    /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.exec(text) ?? [];
  if (day === undefined || !isDay(day)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

/** The parser takes the 31st of February for the 3rd of March. */
function isDay(day: string): boolean {
  const at = Date.parse(day);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}
