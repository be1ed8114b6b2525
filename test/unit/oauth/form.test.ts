import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeForm, encodeFormValue, parseForm } from '../../../src/oauth/form.ts';

describe('a form', () => {
  it('comes back as it was encoded, read by ours and by the platform', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(fc.dictionary(text, text), (members) => {
        const encoded = encodeForm(Object.entries(members));
        expect(Object.fromEntries(parseForm(encoded) ?? [])).toEqual(members);
        expect([...new URLSearchParams(encoded)]).toEqual(Object.entries(members));
      }),
    );
  });

  it('is one line of unreserved characters, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(encodeFormValue(value)).toMatch(/^(?:[\w.*-]|%[0-9A-F]{2})*$/);
      }),
    );
  });

  it('writes a space as %20, which every decoder knows', () => {
    expect(encodeFormValue("a b+c~!'()*é")).toBe('a%20b%2Bc%7E%21%27%28%29*%C3%A9');
  });

  it('replaces half a surrogate pair, which UTF-8 cannot hold', () => {
    expect(encodeFormValue('\ud800')).toBe('%EF%BF%BD');
  });

  it('is unreadable when a name occurs twice', () => {
    expect(parseForm('a=1&b=2&a=1')).toBeUndefined();
  });
});
