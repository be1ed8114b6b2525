import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../src/cli/input/duration.ts';
import { parseInstant } from '../../../src/cli/input/instant.ts';
import { nearest } from '../../../src/cli/input/nearest.ts';
import { refuseSecretArguments } from '../../../src/cli/input/refused-arguments.ts';
import { relativeTime } from '../../../src/cli/output/relative-time.ts';
import { NOW } from './fake-keeper.ts';

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['90d', 7_776_000_000],
    ['2w', 1_209_600_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text, '--x')).toBe(ms);
  });

  it('is refused without a unit, with the number written right', () => {
    expect(() => parseDuration('300', '--min-life')).toThrow(
      '--min-life 300 has no unit; write 300s for seconds, or 5m, 2h, 90d',
    );
  });

  it.each(['', '5 m', '-5m', '5x', 'm', '5m!', '1e3s', '99999999999999w'])(
    'is refused as %j',
    (text) => {
      expect(() => parseDuration(text, '--x')).toThrow(/^--x /);
    },
  );
});

describe('an instant', () => {
  it('is a date, a time or a duration ahead', () => {
    expect(parseInstant('2027-01-31', '--x', NOW)).toBe(Date.UTC(2027, 0, 31));
    expect(parseInstant('2027-01-31T12:00:00Z', '--x', NOW)).toBe(Date.UTC(2027, 0, 31, 12));
    expect(parseInstant('180d', '--x', NOW)).toBe(NOW + 180 * 86_400_000);
  });

  it.each(['2026-13-01', '2026-06-01T99', '2025-01-01', 'tomorrow', '31.01.2027', '0s'])(
    'is refused as %j',
    (text) => {
      expect(() => parseInstant(text, '--x', NOW)).toThrow(/^--x /);
    },
  );
});

it.each(['tomorrow', '31.01.2027', '31/01/2027', '', '2027-13-01'])(
  'an instant is told to be a date or a duration, where it is neither: %j',
  (text) => {
    const message = '--x takes a date such as 2027-01-31, or a duration such as 180d';
    expect(() => parseInstant(text, '--x', NOW)).toThrow(message);
  },
);

describe('the nearest name', () => {
  it('is one that differs by a third of its letters at most', () => {
    expect(nearest('persipo', ['entra', 'perspio', 'generic'])).toBe('perspio');
    expect(nearest('Perspio', ['perspio'])).toBe('perspio');
    expect(nearest('xyz', ['perspio', 'entra'])).toBeUndefined();
    expect(nearest('a', [])).toBeUndefined();
  });

  it('is the name itself where that exists', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.array(fc.string()), (word, others) => {
        expect(nearest(word, [...others, word])?.toLowerCase()).toBe(word.toLowerCase());
      }),
    );
  });
});

describe('a secret as an argument', () => {
  it.each([
    [['add', 'x', '--client-secret', 'hush']],
    [['add', 'x', '--client-secret=hush']],
    [['--refresh-token=hush', 'add', 'x']],
    [['key', 'rotate', '--passphrase', 'hush']],
  ])('%j is refused without being repeated', (argv) => {
    expect(() => refuseSecretArguments(argv)).toThrow(
      /does not take a secret.*-file FILE.*-fd N.*-stdin/,
    );
    expect(() => refuseSecretArguments(argv)).not.toThrow(/hush/);
  });

  it("is another program's business behind --", () => {
    refuseSecretArguments(['exec', 'x', '--', 'tool', '--client-secret', 'hush']);
  });
});

describe('a relative time', () => {
  it.each([
    [0, 'now'],
    [1_500, 'in 1 second'],
    [90_000, 'in 90 seconds'],
    [-120_000, '2 minutes ago'],
    [6_600_000, 'in 110 minutes'],
    [7_200_000, 'in 2 hours'],
    [-200_000_000, '2 days ago'],
    [86_399_990, 'in 24 hours'],
    [172_799_000, 'in 2 days'],
    [90 * 86_400_000 - 60_000, 'in 90 days'],
    [23.9 * 3_600_000, 'in 23 hours'],
    [-7_199_000, '2 hours ago'],
  ])('%d ms ahead is %j', (distance, words) => {
    expect(relativeTime(NOW + distance, NOW)).toBe(words);
  });

  it('of nothing is a dash', () => {
    expect(relativeTime(undefined, NOW)).toBe('-');
  });
});
