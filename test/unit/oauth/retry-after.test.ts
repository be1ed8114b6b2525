import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../../src/oauth/retry-after.ts';

const NOW = Date.UTC(2026, 10, 24, 3, 4, 5);

describe('Retry-After', () => {
  it.each([
    ['60', 60_000],
    [' 0 ', 0],
    ['86400', 86_400_000],
    ['Tue, 24 Nov 2026 03:05:05 GMT', 60_000],
    ['Tuesday, 24-Nov-26 03:05:05 GMT', 60_000],
    ['Tue Nov 24 03:05:05 2026', 60_000],
    ['Tue Dec  1 03:04:05 2026', 7 * 86_400_000],
    ['Tue, 24 Nov 2026 03:05:60 GMT', 115_000],
    ['Thu, 31 Dec 2026 03:04:05 GMT', 37 * 86_400_000],
    ['Sun, 01 Jan 2023 00:00:00 GMT', 0],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
  ])('%j is understood', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it.each([
    undefined,
    '',
    '-1',
    '1.5',
    '1e3',
    '60s',
    'soon',
    '99999999999',
    'Tue, 24 Nov 2026',
    'Tue, 24 Foo 2026 03:05:05 GMT',
    'Tue, 24 Nov 2026 25:05:05 GMT',
    'Tue, 00 Nov 2026 03:05:05 GMT',
    'Tue, 32 Dec 2026 03:05:05 GMT',
    'Tue, 24 Nov 2026 03:60:05 GMT',
    'Tue, 24 Nov 2026 03:05:61 GMT',
    'XTue, 24 Nov 2026 03:05:05 GMT',
    'Tue, 24 Nov 2026 03:05:05 GMT+1',
    'XTue Nov 24 03:05:05 2026',
    'Tue Nov 24 03:05:05 2026 UTC',
    'of Tuesday, 24-Nov-26 03:05:05 GMT',
    'Tuesday, 24-Nov-26 03:05:05 GMT+1',
    '2026-11-24T03:05:05Z',
  ])('%j means nothing', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeUndefined();
  });

  it('agrees with the platform on every date', () => {
    const seconds = fc.integer({ min: 0, max: 253_402_300_799 });
    fc.assert(
      fc.property(seconds, (at) => {
        expect(parseRetryAfter(new Date(at * 1000).toUTCString(), 0)).toBe(at * 1000);
      }),
    );
  });

  it('takes two digits of a year for the nearest century, as HTTP says', () => {
    const newYear = 'Saturday, 01-Jan-00 00:00:00 GMT';
    expect(parseRetryAfter(newYear, Date.UTC(1999, 11, 31, 23, 59, 0))).toBe(60_000);
    const july = (year: number): number => Date.UTC(year, 6, 1);
    const wait = (year: number, digits: string): number | undefined =>
      parseRetryAfter(`Friday, 01-Jul-${digits} 00:00:00 GMT`, july(year));
    expect(wait(2026, '76')).toBe(july(2076) - july(2026));
    expect(wait(2026, '77')).toBe(0);
    expect(wait(2060, '11')).toBe(0);
    expect(wait(2060, '10')).toBe(july(2110) - july(2060));
    expect(parseRetryAfter('Friday, 31-Dec-99 00:00:00 GMT', Date.UTC(2026, 0, 1))).toBe(0);
  });
});
