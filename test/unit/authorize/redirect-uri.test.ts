import { describe, expect, it } from 'vitest';
import { checkReceived, planRedirect, redirectUriAt } from '../../../src/authorize/redirect-uri.ts';

function uri(host: 'localhost' | '127.0.0.1', options: Parameters<typeof planRedirect>[1]): string {
  const redirect = planRedirect(host, options);
  return redirectUriAt(redirect, redirect.port === 0 ? 50_000 : redirect.port);
}

describe('the redirect URI', () => {
  it.each([
    ['localhost', {}, 'http://localhost:50000'],
    ['127.0.0.1', {}, 'http://127.0.0.1:50000'],
    ['localhost', { redirectPort: 8400 }, 'http://localhost:8400'],
    ['localhost', { redirectUri: 'http://localhost' }, 'http://localhost:50000'],
    ['localhost', { redirectUri: 'http://localhost/' }, 'http://localhost:50000/'],
    ['localhost', { redirectUri: 'http://127.0.0.1/callback' }, 'http://127.0.0.1:50000/callback'],
    ['localhost', { redirectUri: 'http://localhost:8400/CB' }, 'http://localhost:8400/CB'],
    [
      'localhost',
      { redirectUri: 'http://localhost/cb', redirectPort: 8400 },
      'http://localhost:8400/cb',
    ],
    ['127.0.0.1', { redirectUri: 'http://[::1]/cb' }, 'http://[::1]:50000/cb'],
  ] as const)('of a provider for %s with %j is %s', (host, options, expected) => {
    expect(uri(host, options)).toBe(expected);
  });

  it.each([
    { redirectUri: 'https://localhost/' },
    { redirectUri: 'http://evil.example/' },
    { redirectUri: 'http://127.0.0.1.evil.example/' },
    { redirectUri: 'http://localhost@evil.example/' },
    { redirectUri: 'http://127.0.0.2/' },
    { redirectUri: 'http://localhost/?a=1' },
    { redirectUri: 'http://localhost/#a' },
    { redirectUri: 'http://localhost:70000/' },
    { redirectUri: 'localhost' },
    { redirectUri: 'http://localhost:8400/', redirectPort: 8401 },
    { redirectPort: -1 },
    { redirectPort: 65_536 },
    { redirectPort: 1.5 },
  ])('%j is refused', (options) => {
    expect(() => planRedirect('localhost', options)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('a redirect URI at which somebody else listens', () => {
  it.each([
    'https://evergrant.example.com/consent/callback',
    'https://evergrant.example.com:8443/consent/callback',
    'http://localhost:7343/consent/callback',
    'http://127.0.0.1:7343/consent/callback',
    'http://[::1]:7343/consent/callback',
  ])('may be %s', (uri) => {
    expect(checkReceived(uri)).toBe(uri);
  });

  it.each([
    'http://evergrant.example.com/consent/callback',
    'http://127.0.0.1.example.com/callback',
    'http://127.1/callback#',
    'https://evergrant.example.com/callback?a=b',
    'https://evergrant.example.com/callback#a',
    'https://me@evergrant.example.com/callback',
    'myapp://callback',
    '/callback',
    '',
  ])('is not %s', (uri) => {
    expect(() => checkReceived(uri)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });
});
