import { describe, expect, it } from 'vitest';
import { judgeAnswer, type ApiVerdict } from '../../../src/resource/verdict.ts';

const NOW = Date.UTC(2026, 0, 1);

function judge(
  status: number,
  headers: Record<string, string> = {},
  body = '',
): Promise<ApiVerdict> {
  return judgeAnswer(
    { status, header: (name) => headers[name] ?? null, body: () => Promise.resolve(body) },
    NOW,
  );
}

const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

describe('an answer of the API', () => {
  it.each([200, 204, 304, 400, 404, 409, 500, 502])(
    'with status %d is the caller’s',
    async (status) => {
      expect(await judge(status)).toEqual({ kind: 'answered' });
    },
  );

  it.each([
    'Bearer error="invalid_token", error_description="expired"',
    'Bearer',
    'Bearer realm="talk"',
    'Basic realm="x", Bearer error="invalid_token"',
    'Bearer error="expired_token"',
  ])('names the token with 401 and %s', async (challenge) => {
    expect(await judge(401, { 'www-authenticate': challenge })).toEqual({
      kind: 'token_rejected',
      named: true,
    });
  });

  it('leaves open what is meant with a bare 401', async () => {
    expect(await judge(401, {}, '{"statusCode":401,"message":"Unauthorized"}')).toEqual({
      kind: 'token_rejected',
      named: false,
    });
  });

  it.each([
    [{}, '{"statusCode":401,"message":"Access denied due to missing subscription key."}'],
    [{}, '{"statusCode":401,"message":"Access denied due to invalid subscription key."}'],
    [
      {
        'www-authenticate':
          'AzureApiManagementKey realm="https://talk.example",name="Ocp-Apim-Subscription-Key",type="header"',
      },
      '',
    ],
  ])('is about the gateway’s key: %j %s', async (headers, body) => {
    expect(await judge(401, headers, body)).toEqual({ kind: 'key_rejected' });
  });

  it('is about the token when a Bearer challenge stands beside words about a key', async () => {
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
    expect(await judge(401, headers, 'subscription key')).toMatchObject({ kind: 'token_rejected' });
  });

  it.each(['Basic realm="x"', 'Negotiate', 'Digest nonce="1"', 'DPoP algs="ES256"'])(
    'is not about a bearer token with 401 and %s alone',
    async (challenge) => {
      expect(await judge(401, { 'www-authenticate': challenge })).toEqual({ kind: 'answered' });
    },
  );

  it.each([
    [
      `Bearer error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`,
      claims,
    ],
    ['Bearer error="insufficient_claims", claims="not base64"', undefined],
    ['Bearer error="insufficient_user_authentication", acr_values="2"', undefined],
  ])('wants another sign-in: %s', async (challenge, decoded) => {
    expect(await judge(401, { 'www-authenticate': challenge })).toMatchObject({
      kind: 'sign_in_wanted',
      claims: decoded,
    });
  });

  it('names missing scopes, with 403 as with 401', async () => {
    const headers = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a b"' };
    for (const status of [401, 403]) {
      expect(await judge(status, headers)).toEqual({ kind: 'scope_insufficient', scope: 'a b' });
    }
  });

  it('with 403 never is about a token that a refresh would mend', async () => {
    expect(await judge(403)).toEqual({ kind: 'answered' });
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
    expect(await judge(403, headers)).toEqual({ kind: 'answered' });
  });

  it('does not blame the token for a malformed request', async () => {
    const headers = { 'www-authenticate': 'Bearer error="invalid_request"' };
    expect(await judge(401, headers)).toEqual({ kind: 'answered' });
  });

  it.each([
    [429, '41', 41_000],
    [429, undefined, 60_000],
    [429, 'soon', 60_000],
    [429, 'Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    [403, '729', 729_000],
    [503, '5', 5_000],
    [429, '9999999', 86_400_000],
  ])('throttles with %d and Retry-After %s', async (status, retryAfter, waitMs) => {
    const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
    expect(await judge(status, headers)).toEqual({ kind: 'throttled', waitMs });
  });
});
