import { describe, expect, it } from 'vitest';
import { KeptToken, TokenPool } from '../../../src/refresh/kept-token.ts';
import { KeptTokens } from '../../../src/refresh/kept-tokens.ts';

const NOW = { wall: 1_800_000_000_000, steady: 1_800_000_000_000.25 };
const pool = new TokenPool();

function token(value: string, expiresAt = NOW.wall + 3_600_000, tokenType = 'bearer'): KeptToken {
  const tokens = {
    accessToken: undefined,
    refreshToken: undefined,
    idToken: undefined,
    tokenType,
    scope: ['read'],
    receivedAt: NOW.wall,
    accessLifeMs: 3_600_000,
    accessExpiresAt: expiresAt,
    dueAt: NOW.wall,
    refreshExpiresAt: undefined,
    fingerprint: undefined,
  };
  return new KeptToken(value, { tokens, generation: 7, pool }, NOW, 1);
}

describe('tokens by name', () => {
  it('each of very many is found under its own name, whatever came and went', () => {
    const kept = new KeptTokens();
    const nameOf = (i: number): string => `tenant é\u{1F511}\uD800 ${String(i)}`;
    for (let i = 0; i < 5_000; i++) kept.put(nameOf(i), token(`at-${String(i)}`));
    for (let i = 0; i < 5_000; i += 3) kept.put(nameOf(i), undefined);
    for (let i = 0; i < 5_000; i += 2) kept.put(nameOf(i), token(`new-${String(i)}`));
    for (let i = 0; i < 5_000; i++) {
      const gone = i % 3 === 0 ? undefined : `at-${String(i)}`;
      expect(kept.get(nameOf(i))?.value).toBe(i % 2 === 0 ? `new-${String(i)}` : gone);
    }
  });

  it('one that was replaced or cleared is never found good again', () => {
    const kept = new KeptTokens();
    const [first, second] = [token('first'), token('second')];
    kept.put('a', first);
    kept.put('a', second);
    first.see(4);
    expect(first.seen).toBeLessThan(0);
    second.see(4);
    expect(second.seen).toBe(4);
    kept.clear();
    second.see(6);
    expect(second.seen).toBeLessThan(0);
    expect(kept.get('a')).toBeUndefined();
  });
});

it.each([0, 1, 999.5, 2 ** 30, 2 ** 30 - 1, 1.8e12 + 0.25, 9e15])(
  'a token keeps its expiry exactly: %d',
  (expiresAt) => {
    expect(token('a', expiresAt).expiresAt).toBe(expiresAt);
  },
);

it('a token has what it shares with others, and shows no value', () => {
  const one = token('hidden-value');
  expect(one).toMatchObject({ type: 'Bearer', scope: ['read'], generation: 7 });
  expect(one.authorization).toBe('Bearer hidden-value');
  expect(JSON.stringify(one)).not.toContain('hidden-value');
});

it.each([
  ['bearer', 'Bearer'],
  ['BEARER', 'Bearer'],
  ['DPoP', 'DPoP'],
])('a token of type %s is sent as %s', (given, sent) => {
  expect(token('at', undefined, given).authorization).toBe(`${sent} at`);
});
