import { describe, expect, it } from 'vitest';
import { JsonText, toJson } from '../../../src/daemon/http/answer.ts';
import { Secret } from '../../../src/secret.ts';

describe('an answer as JSON', () => {
  it.each([
    ['members that are undefined are null, at any depth', { a: undefined, b: [{ c: undefined }] }],
    ['a list keeps its places', [undefined, 1, undefined]],
    ['characters are escaped as JSON wants it', { 'a"\\': 'line\n"\u2028\ud800', __proto__x: 1 }],
    ['numbers that JSON does not know are null', [Number.NaN, Infinity, -0]],
    ['what has a form of its own is written in it', { at: new Date(0), none: null }],
  ])('%s', (_, value) => {
    const asBefore = JSON.stringify(value, (_name, member: unknown) =>
      member === undefined ? null : member,
    );
    expect(toJson(value)).toBe(asBefore);
  });

  it('a name that means something to the language is a name like others', () => {
    expect(toJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
  });

  it('a secret stays one', () => {
    expect(toJson({ secret: new Secret('hush') })).not.toContain('hush');
  });

  it('what is JSON already is taken as it is', () => {
    expect(toJson(new JsonText('{"a":1}'))).toBe('{"a":1}');
  });
});
