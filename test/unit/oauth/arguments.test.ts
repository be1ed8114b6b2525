import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/errors.ts';
import {
  checkClientAuthentication,
  checkCodeVerifier,
  checkDuration,
  checkSecret,
  checkText,
} from '../../../src/oauth/arguments.ts';
import { Secret } from '../../../src/secret.ts';

/** What a check says of an argument; undefined when it takes it. */
function fault(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe('an argument that is text', () => {
  it.each([undefined, null, '', 7, {}])('is missing as %j, and is named', (value) => {
    expect(fault(() => checkText(value, 'code'))).toBe(
      'ERR_ARGUMENT: code must be a non-empty string',
    );
  });

  it.each(['a\nb', 'a\u0000', '\u007f', '\u0085'])('holds no control character: %j', (value) => {
    expect(fault(() => checkText(value, 'code'))).toBe(
      'ERR_ARGUMENT: code holds a line break or another control character; remove it',
    );
  });

  it('is taken as it is, and a secret from its guard', () => {
    expect(checkText(' ä ', 'code')).toBe(' ä ');
    expect(checkSecret('s', 'secret').reveal()).toBe('s');
    expect(checkSecret(new Secret('s'), 'secret').reveal()).toBe('s');
    expect(fault(() => checkSecret(new Secret(''), 'secret'))).toContain('secret must be');
  });
});

describe('a code verifier', () => {
  it.each(['a'.repeat(43), 'Z'.repeat(128), `-._~09${'a'.repeat(40)}`])('may be %s', (value) => {
    expect(checkCodeVerifier(value).reveal()).toBe(value);
  });

  it.each([
    'a'.repeat(42),
    'a'.repeat(129),
    `${'a'.repeat(43)}+`,
    `=${'a'.repeat(43)}`,
    `${'a'.repeat(22)} ${'a'.repeat(22)}`,
  ])('may not be %s', (value) => {
    expect(fault(() => checkCodeVerifier(value))).toBe(
      'ERR_ARGUMENT: codeVerifier must be 43 to 128 of the characters A-Z a-z 0-9 - . _ ~',
    );
  });

  it('that is missing is named', () => {
    expect(fault(() => checkCodeVerifier(undefined))).toContain('codeVerifier must be a non-empty');
  });
});

describe('a client', () => {
  it.each([
    [undefined, undefined, 'none'],
    ['s', undefined, 'client_secret_post'],
    [undefined, 'none', 'none'],
    ['s', 'client_secret_post', 'client_secret_post'],
    ['s', 'client_secret_basic', 'client_secret_basic'],
    ['s', 'client_secret_basic_raw', 'client_secret_basic_raw'],
  ] as const)('of secret %s that asks for %s proves itself by %s', (secret, asked, method) => {
    const authentication = checkClientAuthentication(secret, asked);
    expect(authentication.method).toBe(method);
    const sent = authentication.method === 'none' ? undefined : authentication.secret.reveal();
    expect(sent).toBe(secret);
  });

  it.each([
    ['s', 'none', 'clientSecret must be left out when clientAuthentication is none'],
    [undefined, 'client_secret_basic', 'clientSecret must be a non-empty string'],
    ['s', 'tls_client_auth', 'clientAuthentication "tls_client_auth" is not supported'],
  ])('of secret %s that asks for %s is refused: %s', (secret, method, message) => {
    expect(fault(() => checkClientAuthentication(secret, method as 'none'))).toBe(
      `ERR_ARGUMENT: ${message}`,
    );
  });
});

describe('a duration', () => {
  it.each([1, 1.5, 2_147_483_647])('may be %d ms', (value) => {
    expect(checkDuration(value, 'timeoutMs')).toBe(value);
  });

  it.each([0, 0.9, -1, 2_147_483_648, NaN, Infinity, '5', null, undefined])(
    'may not be %s',
    (value) => {
      expect(fault(() => checkDuration(value, 'timeoutMs'))).toBe(
        'ERR_ARGUMENT: timeoutMs must be a number of milliseconds from 1 to 2147483647',
      );
    },
  );
});
