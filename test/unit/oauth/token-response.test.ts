import { describe, expect, it } from 'vitest';
import type { AnswerDialect, TokenResponse } from '../../../src/oauth/outcome.ts';
import { readLife, readTokens, type NoTokens } from '../../../src/oauth/token-response.ts';

function read(members: object, dialect: AnswerDialect = {}, isExact = true) {
  const all = new Map(Object.entries({ access_token: 'at', ...members }));
  return readTokens({ members: all, json: '{}', isExact }, dialect);
}

function tokens(members: object, dialect: AnswerDialect = {}): TokenResponse {
  const response = read(members, dialect);
  if ('fault' in response) throw new Error(response.fault);
  return response;
}

describe('an answer without usable tokens', () => {
  it.each<[object, string]>([
    [{ error: 7 }, 'it reports an error that has no name'],
    [{ access_token: undefined }, 'it has no access_token'],
    [{ access_token: '' }, 'it has no access_token'],
    [{ access_token: 'a\nb' }, 'its access_token cannot be sent in a header'],
    [{ refresh_token: 'a\ud800' }, 'its refresh_token cannot be written in UTF-8'],
    [{ refresh_token: 7 }, 'its refresh_token is no string'],
  ])('%j says what is wrong: %s', (members, fault) => {
    expect(read(members)).toEqual<NoTokens>({ fault });
  });

  it('may be one whose bytes were spoilt', () => {
    expect(read({}, {}, false)).toEqual<NoTokens>({ fault: 'it is not UTF-8' });
  });

  it.each([undefined, null, '', false])('is not meant by an error of %j', (error) => {
    expect(read({ error })).toHaveProperty('accessToken');
  });
});

describe('the type of a token', () => {
  it.each([
    [' Bearer ', 'Bearer'],
    ['  ', 'DPoP'],
    ['', 'DPoP'],
    [7, 'DPoP'],
    [undefined, 'DPoP'],
  ])('%j is %s', (token_type, tokenType) => {
    expect(tokens({ token_type }, { defaultTokenType: 'DPoP' }).tokenType).toBe(tokenType);
  });
});

it.each([7, '', null, {}])('an id token of %j is none', (id_token) => {
  expect(tokens({ id_token }).idToken).toBeUndefined();
});

describe('a life in seconds', () => {
  const tenYears = 10 * 365 * 86_400;

  it.each([
    [60, 60_000],
    [' 60\n', 60_000],
    ['1.25', 1_250],
    [0.0019, 1],
    [tenYears, tenYears * 1_000],
  ])('%j is %d ms', (life, ms) => {
    const warnings: string[] = [];
    expect(readLife(new Map([['x', life]]), 'x', warnings)).toBe(ms);
    expect(warnings).toEqual([]);
  });

  it.each(['x60', '60x', '60 s', '0x10', '1e3', '1.', '1.x', '-1', tenYears + 1, NaN, true, []])(
    '%j is not plausible, and that is told',
    (life) => {
      const warnings: string[] = [];
      expect(readLife(new Map([['x', life]]), 'x', warnings)).toBeUndefined();
      expect(warnings).toEqual(['x is no plausible number of seconds; it was ignored']);
    },
  );

  it.each([undefined, null, ''])('%j is none', (life) => {
    const warnings: string[] = [];
    expect(readLife(new Map([['x', life]]), 'x', warnings)).toBeUndefined();
    expect(warnings).toEqual([]);
  });
});

describe('the advice when to renew', () => {
  it('is taken where no life is told', () => {
    expect(tokens({ refresh_in: 60 })).toMatchObject({ refreshInMs: 60_000, warnings: [] });
  });

  it('is ignored from the end of the life on, and that is told', () => {
    const warnings = ['refresh_in lies beyond the life of the access token; it was ignored'];
    expect(tokens({ expires_in: 60, refresh_in: 60 })).toMatchObject({
      refreshInMs: undefined,
      warnings,
    });
  });
});

it.each<[unknown, readonly string[] | undefined]>([
  [
    ['a', 'b c'],
    ['a', 'b', 'c'],
  ],
  [['a', 7], undefined],
  [[7], undefined],
  [[], undefined],
])('a scope of %j grants %j', (scope, granted) => {
  expect(tokens({ scope }).scope).toEqual(granted);
});
