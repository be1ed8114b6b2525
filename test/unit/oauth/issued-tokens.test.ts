import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { IssuedTokens } from '../../../src/oauth/issued-tokens.ts';
import type { TokenResponse } from '../../../src/oauth/outcome.ts';
import { Secret } from '../../../src/secret.ts';

const bare: TokenResponse = {
  accessToken: new Secret('at-1'),
  tokenType: undefined,
  accessLifeMs: undefined,
  refreshInMs: undefined,
  refreshToken: undefined,
  refreshLifeMs: undefined,
  idToken: undefined,
  scope: undefined,
  warnings: [],
};
const full: TokenResponse = {
  ...bare,
  tokenType: 'bearer',
  accessLifeMs: 59_999,
  refreshToken: new Secret('rt-1'),
  idToken: new Secret('it-1'),
  scope: ['a', 'b'],
  warnings: ['of the answer'],
  raw: new Secret('{"access_token":"at-1","x":1}'),
};

describe('issued tokens', () => {
  it('tell what the server issued', () => {
    const tokens = new IssuedTokens(full, { scope: 'asked', warnings: ['of the request'] });
    const { accessToken, refreshToken, idToken, tokenType, expiresIn, scope, warnings } = tokens;
    expect([accessToken, refreshToken, idToken]).toEqual(['at-1', 'rt-1', 'it-1']);
    expect({ tokenType, expiresIn, scope }).toEqual({
      tokenType: 'bearer',
      expiresIn: 59,
      scope: 'a b',
    });
    expect(warnings).toEqual(['of the request', 'of the answer']);
    expect(tokens.raw).toEqual({ access_token: 'at-1', x: 1 });
  });

  it('have what was asked for, and nothing else, where the server told no more', () => {
    const tokens = new IssuedTokens(bare, { scope: 'asked', warnings: [] });
    const { refreshToken, idToken, tokenType, expiresIn, scope, warnings, raw } = tokens;
    expect([refreshToken, idToken, expiresIn]).toEqual([undefined, undefined, undefined]);
    expect({ tokenType, scope, warnings, raw }).toEqual({
      ...{ tokenType: '', scope: 'asked', warnings: [], raw: {} },
    });
  });

  it('are not printed', () => {
    const tokens = new IssuedTokens(full, { scope: undefined, warnings: [] });
    const printed = inspect(tokens);
    expect(printed).toMatch(/^IssuedTokens \{[^]*\[secret\][^]*tokenType: 'bearer'/);
    expect(printed + JSON.stringify(tokens)).not.toMatch(/[ari]t-1/);
    expect(Object.assign({}, tokens)).not.toHaveProperty('accessToken');
  });
});
