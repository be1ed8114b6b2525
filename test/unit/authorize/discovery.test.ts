import { describe, expect, it } from 'vitest';
import { discover, type Discovered } from '../../../src/authorize/discovery.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { fakeHttp, type FakeAnswer } from '../../support/fake-http.ts';

const ISSUER = 'https://as.example/tenant';
const OIDC = 'https://as.example/tenant/.well-known/openid-configuration';
const OAUTH = 'https://as.example/.well-known/oauth-authorization-server/tenant';
const metadata = { issuer: ISSUER, token_endpoint: 'https://as.example/token' };

let asked: string[] = [];

function find(pages: Record<string, FakeAnswer>, issuer = ISSUER): Promise<Discovered> {
  asked = [];
  const http = fakeHttp(({ url }) => {
    asked.push(url);
    return pages[url] ?? { status: 404, text: 'not found' };
  });
  return discover({ clock: fakeClock(), random: systemRandom, http }, issuer);
}

describe('discovery', () => {
  it('reads the document of OpenID Connect', async () => {
    const document = {
      ...metadata,
      authorization_endpoint: 'https://as.example/authorize',
      device_authorization_endpoint: 'https://as.example/device',
      pushed_authorization_request_endpoint: 'https://as.example/par',
      revocation_endpoint: 'https://as.example/revoke',
      jwks_uri: 'https://as.example/keys',
      authorization_response_iss_parameter_supported: true,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    };
    expect(await find({ [OIDC]: { json: document } })).toEqual({
      issuer: ISSUER,
      tokenEndpoint: 'https://as.example/token',
      authorizationEndpoint: 'https://as.example/authorize',
      deviceAuthorizationEndpoint: 'https://as.example/device',
      pushedAuthorizationRequestEndpoint: 'https://as.example/par',
      revocationEndpoint: 'https://as.example/revoke',
      jwksUri: 'https://as.example/keys',
      authorizationResponseIss: true,
      clientAuthentication: 'client_secret_post',
    });
    expect(asked).toEqual([OIDC]);
  });

  it('reads the document of RFC 8414 where there is no other', async () => {
    expect(await find({ [OAUTH]: { json: metadata } })).toEqual({
      issuer: ISSUER,
      tokenEndpoint: 'https://as.example/token',
      authorizationResponseIss: false,
      clientAuthentication: 'client_secret_basic',
    });
    expect(asked).toEqual([OIDC, OAUTH]);
  });

  it.each([
    ['another issuer', { json: { ...metadata, issuer: 'https://evil.example' } }],
    ['an issuer that differs by a slash', { json: { ...metadata, issuer: `${ISSUER}/` } }],
    [
      'an issuer that differs in case',
      { json: { ...metadata, issuer: 'https://AS.example/tenant' } },
    ],
    ['no issuer', { json: { token_endpoint: 'https://as.example/token' } }],
    ['no token endpoint', { json: { issuer: ISSUER } }],
    ['a page instead', { text: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a redirect', { status: 302, headers: { location: 'https://evil.example' } }],
  ] satisfies [string, FakeAnswer][])('refuses a document with %s', async (_name, answer) => {
    await expect(find({ [OIDC]: answer })).rejects.toMatchObject({ code: 'ERR_DISCOVERY_INVALID' });
    expect(asked).toEqual([OIDC]);
  });

  it('says that nothing is published', async () => {
    await expect(find({})).rejects.toMatchObject({
      code: 'ERR_DISCOVERY_INVALID',
      message: expect.stringContaining('no metadata'),
    });
  });

  it.each(['unreachable', 'lost'] as const)(
    'says that the server does not answer: %s',
    async (answer) => {
      await expect(find({ [OIDC]: answer })).rejects.toMatchObject({
        code: 'ERR_SERVER_UNREACHABLE',
      });
    },
  );

  it.each([
    'http://as.example',
    'http://127.0.0.1:1',
    'https://as.example?x=1',
    'https://as.example#x',
    'https://a@as.example',
    'https://:a@as.example',
    'https://as.example?',
    'https://as.example\n/x',
    'https://as.exam\tple',
    ' https://as.example',
    'as.example',
  ])('takes no issuer like %j', async (issuer) => {
    await expect(find({}, issuer)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(asked).toEqual([]);
  });
});
