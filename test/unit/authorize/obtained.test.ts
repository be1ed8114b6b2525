import { describe, expect, it } from 'vitest';
import { obtainByClientCredentials } from '../../../src/authorize/client-credentials.ts';
import { describeObtained, expectedRefreshToken } from '../../../src/authorize/obtained.ts';
import type { TokenResponse } from '../../../src/oauth/outcome.ts';
import { perspio } from '../../../src/providers/perspio.ts';
import { resolveProfile } from '../../../src/providers/profile.ts';
import { Secret } from '../../../src/secret.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { fakeHttp } from '../../support/fake-http.ts';

const tokens: TokenResponse = {
  accessToken: new Secret('at'),
  tokenType: 'Bearer',
  accessLifeMs: 3_600_000,
  refreshInMs: undefined,
  refreshToken: undefined,
  refreshLifeMs: undefined,
  idToken: undefined,
  scope: undefined,
  warnings: [],
};

describe('a refresh token', () => {
  it.each([
    ['client_credentials', ['offline_access'], 3_600_000, false],
    ['authorization_code', ['offline_access', 'a'], undefined, true],
    ['authorization_code', ['a'], 3_600_000, true],
    ['device_code', ['a'], 3_600_000, true],
    ['authorization_code', ['a'], undefined, false],
  ] as const)(
    'of %s with %j and a life of %s is expected: %s',
    (beginning, requested, accessLifeMs, expected) => {
      expect(
        expectedRefreshToken(beginning, { tokens: { ...tokens, accessLifeMs }, requested }),
      ).toBe(expected);
    },
  );
});

describe('the scopes of what was obtained', () => {
  function describeWith(requested: string[], scope: string[] | undefined) {
    return describeObtained({
      beginning: 'authorization_code',
      tokens: { ...tokens, scope, refreshToken: new Secret('rt'), warnings: ['odd'] },
      sentAt: 1,
      requested,
      subject: undefined,
      warnings: ['more'],
    });
  }

  it('are those asked for when the server does not say', () => {
    expect(describeWith(['a', 'offline_access'], undefined)).toMatchObject({
      requested: ['a', 'offline_access'],
      granted: ['a', 'offline_access'],
      warnings: ['odd', 'more'],
    });
  });

  it('are those granted, with a word about what is missing', () => {
    expect(describeWith(['a', 'b', 'openid'], ['a', 'c'])).toMatchObject({
      granted: ['a', 'c'],
      warnings: ['odd', 'more', 'asked for but not granted: b'],
    });
  });

  it('are not missed where a whole resource was asked for', () => {
    expect(describeWith(['api://x/.default'], ['api://x/read']).warnings).toEqual(['odd', 'more']);
  });
});

describe('client credentials', () => {
  it('drop a refresh token that came along', async () => {
    const http = fakeHttp(() => ({
      json: { access_token: 'at', token_type: 'Bearer', expires_in: 60, refresh_token: 'rt' },
    }));
    const obtained = await obtainByClientCredentials(
      { clock: fakeClock(), random: systemRandom, http },
      {
        profile: resolveProfile(perspio),
        clientId: 'c',
        authentication: { method: 'client_secret_post', secret: new Secret('s~+') },
        scopes: perspio.scopes.clientCredentials,
      },
    );
    expect(obtained.tokens.refreshToken).toBeUndefined();
    expect(obtained.warnings).toEqual([expect.stringContaining('it was dropped')]);
    expect(http.requests[0]?.body).toBe(
      'client_id=c&client_secret=s%7E%2B&scope=api%3A%2F%2Fperspiotalk%2F.default&grant_type=client_credentials',
    );
  });
});
