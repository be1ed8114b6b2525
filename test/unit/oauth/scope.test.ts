import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/errors.ts';
import {
  formatScope,
  isSameScope,
  missingScope,
  readScope,
  repairScope,
} from '../../../src/oauth/scope.ts';

const WANTED = ['api://perspiotalk/all_readwrite', 'offline_access'];

/** What RFC 6749 section 3.3 allows in one scope. */
const token = fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]+$/);

describe('a scope', () => {
  it.each([
    ['plain', 'api://perspiotalk/all_readwrite offline_access', 0],
    ['in quotes', '"api://perspiotalk/all_readwrite offline_access"', 1],
    ['in single quotes', "'api://perspiotalk/all_readwrite offline_access'", 1],
    ['encoded', 'api%3A%2F%2Fperspiotalk%2Fall_readwrite%20offline_access', 1],
    ['as the page shows it', '"api%3A%2F%2Fperspiotalk%2Fall_readwrite%20offline_access"', 2],
    ['with lower-case escapes', 'api%3a%2f%2fperspiotalk%2fall_readwrite%20offline_access', 1],
    ['over several lines', ' api://perspiotalk/all_readwrite\n\toffline_access ', 0],
  ])('is understood %s', (_how, text, warnings) => {
    const repaired = repairScope(text);
    expect(repaired.scope).toEqual(WANTED);
    expect(repaired.warnings).toHaveLength(warnings);
  });

  it('keeps an escape that stands beside a plain ://, as it may be meant', () => {
    expect(repairScope('api://x/a%20b').scope).toEqual(['api://x/a%20b']);
  });

  it('keeps what cannot be decoded', () => {
    expect(repairScope('%3A%E0%A4%A').scope).toEqual(['%3A%E0%A4%A']);
  });

  it.each([
    [' "a b"\n', ['a', 'b'], ['the scope stood in quotes; they were removed']],
    ['a%20b', ['a', 'b'], ['the scope was percent-encoded; it was decoded once']],
    ['"a" b', ['"a"', 'b'], []],
    ['a "b"', ['a', '"b"'], []],
    [['a', 'b c'], ['a', 'b', 'c'], []],
  ])('tells what was mended: %j', (text, scope, warnings) => {
    expect(repairScope(text)).toEqual({ scope, warnings });
  });

  it('is split at commas where the server writes them', () => {
    expect(repairScope('repo,user, gist', ',').scope).toEqual(['repo', 'user', 'gist']);
  });

  it('holds each token once', () => {
    expect(repairScope('a b a').scope).toEqual(['a', 'b']);
  });

  it('survives writing and reading, and repairing what is sound changes nothing', () => {
    const sound = token.filter(
      (text) => !/%(?:3a|2f|20)/i.test(text) && !/^(["']).*\1$/.test(text),
    );
    fc.assert(
      fc.property(fc.uniqueArray(sound, { minLength: 1 }), (scope) => {
        fc.pre(!/^'.*'$/s.test(scope.join(' ')));
        const again = readScope(formatScope(scope) ?? '');
        expect(again).toEqual({ scope, warnings: [] });
      }),
    );
  });

  it('is mended the same however it was damaged', () => {
    const name = fc.stringMatching(/^[a-z_.]{1,12}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1 }), fc.boolean(), (names, quoted) => {
        const scope = names.map((one) => `api://x/${one}`);
        const encoded = encodeURIComponent(scope.join(' '));
        expect(repairScope(quoted ? `"${encoded}"` : encoded).scope).toEqual(scope);
      }),
    );
  });

  it.each(['a"b', 'a\\b', 'é', 'a\u0000b'])('refuses %j, naming the argument', (text) => {
    expect(() => readScope(text, 'scopes.refresh')).toThrow(ConfigurationError);
    expect(() => readScope(text, 'scopes.refresh')).toThrow(/^scopes\.refresh holds/);
    expect(() => readScope(text)).toThrow(/^scope holds/);
    expect(() => readScope(text)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });

  it('never throws anything else, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          for (const one of readScope(text).scope)
            expect(one).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
        }
      }),
    );
  });

  it('without tokens is left out', () => {
    expect(formatScope([])).toBeUndefined();
    expect(formatScope(undefined)).toBeUndefined();
  });
});

describe('two scopes', () => {
  it('are compared as sets, without those of OpenID Connect', () => {
    expect(isSameScope(['b', 'a', 'openid', 'offline_access'], ['a', 'b'])).toBe(true);
    expect(isSameScope(['a'], ['A'])).toBe(false);
    expect(isSameScope(['a'], ['a', 'b'])).toBe(false);
    expect(isSameScope(['a', 'b'], ['a'])).toBe(false);
  });

  it('tell what was asked for and not granted', () => {
    expect(missingScope(['a', 'b', 'profile', 'email'], ['a'])).toEqual(['b']);
  });
});
