import { expect, it } from 'vitest';
import { Secret } from '../../../src/secret.ts';
import { revokeToken } from '../../../src/token-endpoint/revocation.ts';
import { fakeHttp, type FakeAnswer } from '../../support/fake-http.ts';

/** Why a revocation is not done, where the server answers so. */
function revoke(answer: FakeAnswer): Promise<string | undefined> {
  return revokeToken(
    fakeHttp(() => answer),
    {
      revocationEndpoint: 'https://as.example/revoke',
      clientId: 'app',
      authentication: { method: 'none' },
      token: new Secret('a-refresh-token'),
      insecureLoopback: false,
    },
  );
}

it.each<[string, FakeAnswer]>([
  ['says nothing', { text: '' }],
  ['calls one that it does not know an error', { status: 400, json: { error: 'invalid_token' } }],
])('a refresh token is revoked where the server %s', async (_what, answer) => {
  expect(await revoke(answer)).toBeUndefined();
});

it.each<[string, FakeAnswer, string]>([
  ['refuses the client', { status: 401, json: { error: 'invalid_client' } }, 'status 401'],
  ['refuses the request', { status: 400, json: { error: 'invalid_request' } }, 'status 400'],
  ['refuses without a word', { status: 400, text: '' }, 'status 400'],
  ['wants a bearer token itself', { status: 401, json: { error: 'invalid_token' } }, 'status 401'],
  ['cannot do it now', { status: 503, text: '' }, 'status 503'],
  ['cannot be reached', 'unreachable', 'refused'],
  ['does not answer', 'lost', 'reset'],
])('it is not where the server %s', async (_what, answer, why) => {
  expect(await revoke(answer)).toContain(why);
});
