import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionState } from '../../../src/connection/record.ts';
import {
  capDueAtForIdle,
  drawDueAt,
  effectiveRotation,
  nextStepAt,
} from '../../../src/connection/schedule.ts';
import { seededRandom } from '../../../src/emulator/seeded-random.ts';
import {
  LIFE_MS,
  NOW,
  someConnection,
  someIntent,
  someOwner,
  someTokens,
} from '../../support/views.ts';

const set = { receivedAt: NOW, accessLifeMs: LIFE_MS, refreshInMs: undefined };

/** Share of the fullest of 60 equal bins over 60 to 75 % of a life, for 10,000 connections. */
function fullestBin(fraction: () => number): number {
  const bins = new Array<number>(60).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const part = (drawDueAt(set, fraction()) - NOW) / LIFE_MS;
    expect(part).toBeGreaterThanOrEqual(0.6);
    expect(part).toBeLessThanOrEqual(0.75);
    const bin = Math.min(59, Math.floor(((part - 0.6) / 0.15) * 60));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return Math.max(...bins) / 10_000;
}

describe('the due instants of 10,000 connections', () => {
  it('lie within 60 to 75 % of their lives, at most 4 % of them in any sixtieth of that', () => {
    const share = fullestBin(seededRandom(42).fraction);
    console.info(`fullest of 60 bins: ${(share * 100).toFixed(2)} %`);
    expect(share).toBeLessThanOrEqual(0.04);
  });

  it('lie all in one without chance', () => {
    expect(fullestBin(() => 0)).toBe(1);
  });
});

describe('a due instant', () => {
  it('is drawn from 60 to 75 % of the life', () => {
    const drawn = [0, 0.5, 1].map((fraction) => (drawDueAt(set, fraction) - NOW) / LIFE_MS);
    expect(drawn).toEqual([0.6, 0.675, 0.75]);
  });

  it('follows refresh_in, spread over its last tenth', () => {
    const advised = { ...set, refreshInMs: 1_000_000 };
    expect(drawDueAt(advised, 0)).toBe(NOW + 900_000);
    expect(drawDueAt(advised, 1)).toBe(NOW + 1_000_000);
  });

  it.each([0, -1, LIFE_MS, LIFE_MS + 1])('ignores a refresh_in of %d ms', (refreshInMs) => {
    expect(drawDueAt({ ...set, refreshInMs }, 0)).toBe(NOW + 0.6 * LIFE_MS);
  });

  it('is never less than a second away, and finite, whatever the life', () => {
    const life = fc.double({ min: 0, max: 1e15, noNaN: true });
    fc.assert(
      fc.property(life, fc.double({ min: 0, max: 1, noNaN: true }), (accessLifeMs, fraction) => {
        const at = drawDueAt({ ...set, accessLifeMs }, fraction);
        expect(at - NOW).toBeGreaterThanOrEqual(1_000);
        expect(Number.isFinite(at)).toBe(true);
      }),
    );
  });

  it('comes before half of the idle limit of the refresh token', () => {
    expect(capDueAtForIdle(NOW + 10_000, NOW, 10_000)).toBe(NOW + 5_000);
    expect(capDueAtForIdle(NOW + 4_000, NOW, 10_000)).toBe(NOW + 4_000);
    expect(capDueAtForIdle(NOW + 4_000, NOW, undefined)).toBe(NOW + 4_000);
  });

  it('comes no sooner than a second after the set, however short the idle limit is said to be', () => {
    expect(capDueAtForIdle(NOW + 4_000, NOW, 90)).toBe(NOW + 1_000);
    expect(capDueAtForIdle(NOW + 4_000, NOW, 0)).toBe(NOW + 1_000);
  });
});

describe('the next step', () => {
  const uncertain: ConnectionState = {
    kind: 'uncertain',
    since: NOW,
    reason: 'lost',
    lastTry: true,
  };
  const attention: ConnectionState = {
    kind: 'attention',
    since: NOW,
    actor: 'owner',
    code: 'ERR_GRANT_REFUSED',
    reason: 'refused',
    remedy: 'sign in',
  };

  it.each([
    ['active: when it is due', {}, NOW + 0.7 * LIFE_MS],
    [
      'in back-off: not before that ends',
      { backoff: { failures: 1, notBefore: NOW + LIFE_MS } },
      NOW + LIFE_MS,
    ],
    ['with an intent: as soon as the back-off allows', { intent: someIntent() }, 0],
    ['uncertain: at the true expiry', { state: uncertain }, NOW + LIFE_MS],
    [
      'uncertain without an access token: at once',
      { state: uncertain, tokens: someTokens({ accessToken: undefined }) },
      0,
    ],
    ['uncertain without a last try: never', { state: { ...uncertain, lastTry: false } }, undefined],
    ['in need of attention: never', { state: attention }, undefined],
    [
      'paused: never',
      { state: { kind: 'paused', since: NOW, before: { kind: 'active' } } },
      undefined,
    ],
    ['disconnected: never', { state: { kind: 'disconnected', since: NOW } }, undefined],
    [
      'without a refresh token: never',
      { tokens: someTokens({ refreshToken: undefined }) },
      undefined,
    ],
    [
      'of client credentials: when it is due',
      { beginning: 'client_credentials', tokens: someTokens({ refreshToken: undefined }) },
      NOW + 0.7 * LIFE_MS,
    ],
    [
      'claimed and due: soon after, in case the owner died',
      {
        tokens: someTokens({ dueAt: NOW - 1 }),
        claim: { owner: someOwner, attemptId: 'attempt', claimedAt: NOW },
      },
      NOW + 2_000,
    ],
    [
      'claimed with an intent: soon after, since somebody must hear of it',
      {
        intent: someIntent(),
        claim: { owner: someOwner, attemptId: 'attempt', claimedAt: NOW },
      },
      NOW + 2_000,
    ],
    [
      'claimed before it is due: when it is due',
      { claim: { owner: someOwner, attemptId: 'attempt', claimedAt: NOW } },
      NOW + 0.7 * LIFE_MS,
    ],
    [
      'claimed for its last try: when that is due',
      { state: uncertain, claim: { owner: someOwner, attemptId: 'attempt', claimedAt: NOW } },
      NOW + LIFE_MS,
    ],
    [
      'claimed, but uncertain for good: never',
      {
        state: { ...uncertain, lastTry: false },
        claim: { owner: someOwner, attemptId: 'attempt', claimedAt: NOW },
      },
      undefined,
    ],
    [
      'claimed by a person though it needs attention: never',
      { state: attention, claim: { owner: someOwner, attemptId: 'attempt', claimedAt: NOW } },
      undefined,
    ],
    [
      'of client credentials that never came: as soon as the back-off allows',
      {
        beginning: 'client_credentials',
        tokens: undefined,
        backoff: { failures: 1, notBefore: NOW + 5 },
      },
      NOW + 5,
    ],
    [
      'of client credentials that never came, uncertain: as soon as the back-off allows',
      {
        beginning: 'client_credentials',
        tokens: undefined,
        state: uncertain,
        backoff: { failures: 1, notBefore: NOW + 5 },
      },
      NOW + 5,
    ],
    ['that was never connected: never', { tokens: undefined }, undefined],
  ] as const)('of a connection %s', (_what, change, expected) => {
    expect(nextStepAt(someConnection(change))).toBe(expected);
  });
});

it('a connection of client credentials has nothing to lose, whatever the server does to refresh tokens', () => {
  const connection = someConnection({ beginning: 'client_credentials' });
  expect(effectiveRotation(connection, 'single-use')).toBe('none');
  expect(effectiveRotation(someConnection(), 'single-use')).toBe('single-use');
});
