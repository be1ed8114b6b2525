import { describe, expect, it } from 'vitest';
import { issuedLifeMs } from '../../../src/connection/freshness.ts';
import type { Sealer } from '../../../src/connection/secrets.ts';
import {
  buildTokenSet,
  keepAccessToken,
  openRefreshToken,
  openToken,
  unusableTypeOf,
  type TokenSetParts,
} from '../../../src/connection/token-set.ts';
import type { TokenResponse } from '../../../src/oauth/outcome.ts';
import { Secret } from '../../../src/secret.ts';
import { createDataKey, DataKeys } from '../../../src/store/sealing.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { LIFE_MS, NOW, someConnection } from '../../support/views.ts';

const master = systemRandom.bytes(32);
const first = createDataKey(systemRandom, master, 'store');
const keys = { first, current: first };
const sealer = new DataKeys(systemRandom, master, 'store', keys, () => first);

const answer: TokenResponse = {
  accessToken: new Secret('at-2'),
  tokenType: 'bearer',
  accessLifeMs: LIFE_MS,
  refreshInMs: undefined,
  refreshToken: new Secret('rt-2'),
  refreshLifeMs: undefined,
  idToken: new Secret('it-2'),
  scope: ['granted'],
  warnings: [],
};
const parts: TokenSetParts = {
  response: answer,
  sentAt: NOW,
  previousRefreshToken: new Secret('rt-1'),
  previousRefreshExpiresAt: NOW + 5,
  askedScope: ['asked'],
  connectionId: 'connection',
  generation: 2,
  idleLimitMs: undefined,
  fraction: 0,
};

function build(response: Partial<TokenResponse> = {}, change: Partial<TokenSetParts> = {}) {
  return buildTokenSet(sealer, { ...parts, ...change, response: { ...answer, ...response } });
}

/** A connection that holds what an answer brought. */
function holding(response: Partial<TokenResponse> = {}, change: Partial<TokenSetParts> = {}) {
  return someConnection({ generation: 2, tokens: build(response, change) });
}

describe('a token set', () => {
  it('holds each token of the answer, to be opened in this generation alone', () => {
    const connection = holding();
    expect(openToken(sealer, connection, 'accessToken')?.reveal()).toBe('at-2');
    expect(openRefreshToken(sealer, connection)?.reveal()).toBe('rt-2');
    expect(openToken(sealer, connection, 'idToken')?.reveal()).toBe('it-2');
    expect(() => openRefreshToken(sealer, { ...connection, generation: 3 })).toThrow();
  });

  it('counts every instant from the sending of the request', () => {
    expect(build({ refreshInMs: 1_000_000 })).toMatchObject({
      tokenType: 'bearer',
      scope: ['granted'],
      receivedAt: NOW,
      accessLifeMs: LIFE_MS,
      accessExpiresAt: NOW + LIFE_MS,
      dueAt: NOW + 900_000,
      refreshExpiresAt: undefined,
      fingerprint: sealer.fingerprint('rt-2'),
    });
  });

  it('of an answer that names neither type, life nor scope has those that were assumed or asked for', () => {
    const bare = { tokenType: undefined, accessLifeMs: undefined, scope: undefined };
    expect(build(bare)).toMatchObject({
      tokenType: 'Bearer',
      scope: ['asked'],
      accessLifeMs: 3_600_000,
      accessExpiresAt: NOW + 3_600_000,
    });
  });

  it('keeps the refresh token and its end where the answer brings none', () => {
    const connection = holding({ refreshToken: undefined, idToken: undefined });
    expect(openRefreshToken(sealer, connection)?.reveal()).toBe('rt-1');
    expect(openToken(sealer, connection, 'idToken')).toBeUndefined();
    expect(connection.tokens).toMatchObject({
      refreshExpiresAt: NOW + 5,
      fingerprint: sealer.fingerprint('rt-1'),
    });
  });

  it('has neither refresh token nor fingerprint where there never was one', () => {
    const connection = holding({ refreshToken: undefined }, { previousRefreshToken: undefined });
    expect(openRefreshToken(sealer, connection)).toBeUndefined();
    expect(connection.tokens?.fingerprint).toBeUndefined();
    const idle = { previousRefreshToken: undefined, idleLimitMs: 60_000 };
    const none = build({ refreshToken: undefined, refreshLifeMs: 70 }, idle);
    expect([none.refreshExpiresAt, none.dueAt]).toEqual([undefined, build().dueAt]);
    expect(openRefreshToken(sealer, someConnection({ tokens: undefined }))).toBeUndefined();
  });

  it.each<[string, number | undefined, number | undefined, number]>([
    ['the server tells it', 70, undefined, NOW + 70],
    ['the server tells it, whatever the provider is known for', 70, 90, NOW + 70],
    ['the provider drops unused ones', undefined, 90, NOW + 90],
  ])('has a refresh token that ends as %s', (_when, refreshLifeMs, idleLimitMs, endsAt) => {
    expect(build({ refreshLifeMs }, { idleLimitMs }).refreshExpiresAt).toBe(endsAt);
  });

  it('is due before half of the time after which the server drops its refresh token', () => {
    expect(build({}, { idleLimitMs: 60_000 }).dueAt).toBe(NOW + 30_000);
  });

  it('is due before half of the life that the server tells of its refresh token, which may end before the access token', () => {
    expect(build({ refreshLifeMs: 60_000 }).dueAt).toBe(NOW + 30_000);
    expect(build({ refreshLifeMs: 60_000 }, { idleLimitMs: 90_000 }).dueAt).toBe(NOW + 30_000);
    expect(build({ refreshLifeMs: 90_000 }, { idleLimitMs: 60_000 }).dueAt).toBe(NOW + 30_000);
    const kept = build({ refreshLifeMs: 60_000, refreshToken: undefined });
    expect(kept.dueAt).toBe(NOW + 30_000);
    const none = { previousRefreshToken: undefined };
    const alone = build({ refreshLifeMs: 60_000, refreshToken: undefined }, none);
    expect(alone.dueAt).toBe(build().dueAt);
  });
});

describe('a set whose own access token cannot be served', () => {
  const unusable = build({ accessToken: new Secret('mac'), tokenType: 'mac', scope: ['other'] });
  const old = holding({ accessToken: new Secret('at-1') }, { sentAt: NOW - 1_000 });

  it('serves the old one to its end, beside the new refresh token', () => {
    const kept = keepAccessToken(sealer, { ...unusable, dueAt: 0 }, old, 3);
    const { tokenType, scope, receivedAt, accessExpiresAt, dueAt } = old.tokens ?? unusable;
    expect(kept).toMatchObject({ tokenType, scope, receivedAt, accessExpiresAt, dueAt });
    expect(kept.refreshToken).toBe(unusable.refreshToken);
    const after = someConnection({ generation: 3, tokens: kept });
    expect(openToken(sealer, after, 'accessToken')?.reveal()).toBe('at-1');
  });

  it('knows of an old one that was imported that nobody knows its whole life', () => {
    const tokens = { ...build({}, { generation: 2 }), isImported: true } as const;
    const imported = someConnection({ generation: 2, tokens });
    expect(issuedLifeMs(tokens)).toBeUndefined();
    expect(issuedLifeMs(keepAccessToken(sealer, unusable, imported, 3))).toBeUndefined();
    expect(issuedLifeMs(unusable)).toBe(unusable.accessLifeMs);
  });

  it.each([
    ['has no tokens', someConnection({ tokens: undefined })],
    [
      'has none to serve',
      someConnection({ tokens: { ...build(), accessToken: undefined }, generation: 2 }),
    ],
    ['has one that is damaged', { ...old, generation: 1 }],
  ])('serves none where the connection %s', (_what, connection) => {
    expect(keepAccessToken(sealer, unusable, connection, 3)).toEqual({
      ...unusable,
      accessToken: undefined,
    });
  });

  it('is not made at all where opening the old one shows a defect of the program', () => {
    const broken: Sealer = Object.assign(Object.create(sealer) as Sealer, {
      open: () => {
        throw new TypeError('a defect');
      },
    });
    expect(() => keepAccessToken(broken, unusable, old, 3)).toThrow('a defect');
  });
});

describe('the type of an access token', () => {
  it.each([
    ['Bearer', undefined],
    ['bEARER', undefined],
    ['mac', 'mac'],
    ['N_A', 'N_A'],
    [undefined, 'unknown (the answer named none)'],
    ['\u202e\u0007', 'unknown (what the answer named is no name of a type)'],
    ['a-refresh-token-that-was-repeated', 'unknown (what the answer named is no name of a type)'],
  ])('%s is no bearer token for this reason: %s', (tokenType, why) => {
    expect(unusableTypeOf({ ...answer, tokenType })).toBe(why);
  });
});
