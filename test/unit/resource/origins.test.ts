import { describe, expect, it } from 'vitest';
import { resolveApiUrl } from '../../../src/resource/origins.ts';

const place = {
  origins: ['https://talk.example', 'https://files.talk.example:8443'],
  base: 'https://talk.example/api/',
};

describe('the address of a call', () => {
  it.each([
    ['assets/v3/', 'https://talk.example/api/assets/v3/'],
    ['/assets/v3/', 'https://talk.example/api/assets/v3/'],
    ['?page=2', 'https://talk.example/api/?page=2'],
    ['https://talk.example/x', 'https://talk.example/x'],
    ['HTTPS://TALK.EXAMPLE:443/x', 'https://talk.example/x'],
    ['https://files.talk.example:8443/f', 'https://files.talk.example:8443/f'],
    ['https://talk.example/../../x', 'https://talk.example/x'],
    ['https:x', 'https://talk.example/api/x'],
  ])('%s leads to %s', (input, address) => {
    expect(resolveApiUrl(input, place).href).toBe(address);
  });

  it.each([
    'https://evil.example/',
    '//evil.example/x',
    '\\\\evil.example\\x',
    '/\\evil.example/x',
    'http://talk.example/',
    'https://talk.example:8443/',
    'https://files.talk.example/',
    'https://talk.example.evil.example/',
    'https://talk.example./',
    'https://talk.example@evil.example/',
    'https://evil.example#https://talk.example',
    'https://evil.example\\@talk.example/',
    'https:\\\\evil.example/',
    ' https://evil.example/',
    'ht\ntps://evil.example/',
    'https://xn--tlk-zna.example/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'blob:https://talk.example/7c0f',
    'ws://talk.example/',
    'https://127.0.0.1/',
    'https://[::ffff:127.0.0.1]/',
  ])('%j leads outside and is refused', (input) => {
    expect(() => resolveApiUrl(input, place)).toThrow(
      expect.objectContaining({ code: 'ERR_ORIGIN_NOT_ALLOWED' }),
    );
  });

  it.each(['https://user:secret-word@talk.example/', 'https://user@talk.example/'])(
    'with credentials in it is refused without showing them: %s',
    (input) => {
      expect(() => resolveApiUrl(input, place)).toThrow(
        expect.objectContaining({
          code: 'ERR_ARGUMENT',
          message: expect.not.stringContaining('secret-word'),
        }),
      );
    },
  );

  it.each([undefined, null, 7, {}, new Request('https://talk.example/x')])(
    'is not made up from what is none (%o)',
    (input) => {
      expect(() => resolveApiUrl(input as string, place)).toThrow(/neither a string nor a URL/);
    },
  );

  it('is refused when the provider has no API', () => {
    expect(() => resolveApiUrl('https://talk.example/', undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_ORIGIN_NOT_ALLOWED' }),
    );
    expect(() => resolveApiUrl('assets', undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});
