import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  earlyExpiryMs,
  enoughLifeMs,
  freshness,
  isClockSetBack,
  isPastEarlyExpiry,
  remainingLifeMs,
} from '../../../src/connection/freshness.ts';
import { LIFE_MS, NOW, someConnection, someTokens } from '../../support/views.ts';

describe('the early expiry', () => {
  it.each([
    [86_400_000, 300_000],
    [3_600_000, 300_000],
    [3_000_000, 300_000],
    [1_200_000, 120_000],
    [600_000, 60_000],
    [240_000, 60_000],
    [120_000, 30_000],
    [1_000, 250],
    [0, 0],
  ])('of a life of %d ms is %d ms before the true one', (life, early) => {
    expect(earlyExpiryMs(life)).toBe(early);
  });

  it('never takes more than a quarter of a life nor more than 5 min, and grows with it', () => {
    fc.assert(
      fc.property(fc.nat(1e10), fc.nat(1e10), (a, b) => {
        const [shorter, longer] = a < b ? [a, b] : [b, a];
        const early = earlyExpiryMs(longer);
        expect(early).toBeLessThanOrEqual(longer / 4);
        expect(early).toBeLessThanOrEqual(300_000);
        expect(earlyExpiryMs(shorter)).toBeLessThanOrEqual(early);
      }),
    );
  });
});

describe('a demand for a remaining life', () => {
  it.each([
    [600_000, 3_600_000, 600_000],
    [3_540_000, 3_600_000, 3_540_000],
    [3_540_001, 3_600_000, 3_540_000],
    [3_600_000, 3_600_000, 3_540_000],
    [3_600_001, 3_600_000, 3_600_001],
    [300_000, 300_000, 270_000],
  ])('of %d ms, of tokens that live %d ms, is met by %d ms', (asked, life, enough) => {
    expect(enoughLifeMs(asked, life)).toBe(enough);
  });
});

describe('the remaining life', () => {
  it('is never more than the life issued, whatever the clock says', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (jump) => {
        expect(remainingLifeMs(someTokens(), NOW + jump)).toBe(Math.min(LIFE_MS, LIFE_MS - jump));
      }),
    );
  });

  it('is not trusted when the set came in the future by more than a minute', () => {
    expect(isClockSetBack(someTokens(), NOW - 60_000)).toBe(false);
    expect(isClockSetBack(someTokens(), NOW - 60_001)).toBe(true);
    expect(isPastEarlyExpiry(someTokens(), NOW - 60_001)).toBe(true);
  });
});

describe('freshness', () => {
  it.each([
    [0, 'fresh'],
    [0.7 * LIFE_MS - 1, 'fresh'],
    [0.7 * LIFE_MS, 'due'],
    [LIFE_MS - 1, 'due'],
    [LIFE_MS, 'expired'],
  ] as const)('%d ms after the token came is %s', (age, expected) => {
    expect(freshness(someConnection(), NOW + age)).toBe(expected);
  });

  it('is due from the early expiry on, though renewal was planned for later', () => {
    const connection = someConnection({ tokens: someTokens({ dueAt: NOW + LIFE_MS }) });
    expect(freshness(connection, NOW + LIFE_MS - 300_001)).toBe('fresh');
    expect(freshness(connection, NOW + LIFE_MS - 300_000)).toBe('due');
  });

  it('is none without an access token', () => {
    expect(freshness(someConnection({ tokens: undefined }), NOW)).toBe('none');
    const tokens = someTokens({ accessToken: undefined });
    expect(freshness(someConnection({ tokens }), NOW)).toBe('none');
  });
});
