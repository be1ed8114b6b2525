import fc from 'fast-check';
import * as judge from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import {
  authorizationCodeGrant,
  clientCredentialsGrant,
  refreshTokenGrant,
  type GrantParameters,
} from '../../../src/oauth/grants.ts';
import type { ClientAuthentication } from '../../../src/oauth/outcome.ts';
import { readTokenAnswer } from '../../../src/oauth/token-answer.ts';
import { encodeTokenRequest } from '../../../src/oauth/token-request.ts';
import { isBearer } from '../../../src/oauth/token-response.ts';
import { Secret } from '../../../src/secret.ts';

/* oauth4webapi judges ours: the same requests, and the same verdict on answers wherever the standard is clear. */

const server: judge.AuthorizationServer = {
  issuer: 'https://as.example',
  token_endpoint: 'https://as.example/token',
};

interface Sent {
  readonly form: Record<string, string>;
  readonly credentials: string[] | undefined;
  readonly accept: string | null;
  readonly contentType: string | null;
}

function sent(headers: Headers, body: string): Sent {
  const authorization = headers.get('authorization');
  const basic = authorization === null ? undefined : Buffer.from(authorization.slice(6), 'base64');
  const decode = (text: string): string => new URLSearchParams(`v=${text}`).get('v') ?? '';
  return {
    form: Object.fromEntries(new URLSearchParams(body)),
    credentials: basic?.toString().split(':').map(decode),
    accept: headers.get('accept'),
    contentType: headers.get('content-type')?.split(';')[0] ?? null,
  };
}

/** Options that make the judge hand its request over instead of sending it. */
function capture(): { [judge.customFetch]: typeof fetch; request(): Sent } {
  let captured: Sent | undefined;
  return {
    [judge.customFetch]: (_url, init) => {
      const body = init?.body instanceof URLSearchParams ? init.body.toString() : '';
      captured = sent(new Headers(init?.headers), body);
      return Promise.resolve(new Response('{}', { status: 400 }));
    },
    request() {
      if (captured === undefined) throw new Error('the judge sent nothing');
      return captured;
    },
  };
}

function ours(
  clientId: string,
  authentication: ClientAuthentication,
  parameters: GrantParameters,
): Sent {
  const tokenEndpoint = 'https://as.example/token';
  const encoded = encodeTokenRequest({ tokenEndpoint, clientId, authentication, parameters });
  return sent(new Headers(encoded.headers), encoded.body);
}

const text = fc.string({ minLength: 1, unit: 'grapheme' });

describe('our requests equal those of the judge', () => {
  const methods = fc.constantFrom('client_secret_post', 'client_secret_basic', 'none');

  function authentication(
    method: string,
    secret: string,
  ): [ClientAuthentication, judge.ClientAuth] {
    if (method === 'client_secret_post')
      return [{ method, secret: new Secret(secret) }, judge.ClientSecretPost(secret)];
    if (method === 'client_secret_basic')
      return [{ method, secret: new Secret(secret) }, judge.ClientSecretBasic(secret)];
    return [{ method: 'none' }, judge.None()];
  }

  it('when refreshing', async () => {
    await fc.assert(
      fc.asyncProperty(
        methods,
        text,
        text,
        text,
        async (method, clientId, secret, refreshToken) => {
          const [mine, theirs] = authentication(method, secret);
          const options = { ...capture(), additionalParameters: { scope: 'a b' } };
          await judge.refreshTokenGrantRequest(
            server,
            { client_id: clientId },
            theirs,
            refreshToken,
            options,
          );
          const grant = refreshTokenGrant({
            refreshToken: new Secret(refreshToken),
            scope: ['a', 'b'],
          });
          expect(ours(clientId, mine, grant)).toEqual(options.request());
        },
      ),
    );
  });

  it('when asking for client credentials', async () => {
    await fc.assert(
      fc.asyncProperty(methods, text, text, async (method, clientId, secret) => {
        const [mine, theirs] = authentication(method, secret);
        const options = capture();
        const client = { client_id: clientId };
        await judge.clientCredentialsGrantRequest(server, client, theirs, { scope: 'x' }, options);
        const grant = clientCredentialsGrant({ scope: ['x'] });
        expect(ours(clientId, mine, grant)).toEqual(options.request());
      }),
    );
  });

  it('when trading a code', async () => {
    const client = { client_id: 'c' };
    const callback = judge.validateAuthResponse(
      server,
      client,
      new URLSearchParams('code=c%2B&state=s'),
      's',
    );
    const redirectUri = 'http://localhost:1234/';
    const options = capture();
    await judge.authorizationCodeGrantRequest(
      server,
      client,
      judge.ClientSecretPost('s'),
      callback,
      redirectUri,
      'v',
      options,
    );
    const grant = authorizationCodeGrant({
      code: new Secret('c+'),
      redirectUri,
      codeVerifier: new Secret('v'),
    });
    const mine: ClientAuthentication = { method: 'client_secret_post', secret: new Secret('s') };
    expect(ours('c', mine, grant)).toEqual(options.request());
  });
});

describe('our verdict on an answer equals that of the judge', () => {
  async function judged(status: number, body: string): Promise<boolean> {
    const headers = { 'content-type': 'application/json' };
    const response = new Response(body, { status, headers });
    try {
      await judge.processRefreshTokenResponse(server, { client_id: 'c' }, response);
      return true;
    } catch {
      return false;
    }
  }

  function isAccepted(status: number, body: string): boolean {
    const bytes = new TextEncoder().encode(body);
    const headers = { 'content-type': 'application/json' };
    const outcome = readTokenAnswer({ status, headers, body: bytes }, {}, 0);
    return outcome.kind === 'refreshed' && isBearer(outcome.tokens.tokenType);
  }

  const good = { access_token: 'at', token_type: 'Bearer', expires_in: 3599 };
  it.each<[number, object | string, boolean]>([
    [200, good, true],
    [200, { ...good, token_type: 'bEARER' }, true],
    [200, { ...good, expires_in: undefined }, true],
    [200, { ...good, refresh_token: 'rt', scope: 'a b', extra: { any: 1 } }, true],
    [200, { ...good, access_token: undefined }, false],
    [200, { ...good, access_token: '' }, false],
    [200, { ...good, access_token: 1 }, false],
    [200, { ...good, token_type: undefined }, false],
    [200, { ...good, token_type: 'mac' }, false],
    [200, { ...good, refresh_token: 5 }, false],
    [200, '{"access_token":"at","token_type":"Bearer",}', false],
    [200, '[]', false],
    [200, 'null', false],
    [200, '', false],
    [400, { error: 'invalid_grant' }, false],
    [401, { error: 'invalid_client' }, false],
    [503, { error: 'temporarily_unavailable' }, false],
    [500, '<html>', false],
    [302, '', false],
  ])('%d %j', async (status, body, expected) => {
    const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
    expect(isAccepted(status, bodyText)).toBe(expected);
    expect(await judged(status, bodyText)).toBe(expected);
  });

  it('for sound answers of any content', async () => {
    const printable = fc.stringMatching(/^[\x20-\x7e]+$/);
    const sound = fc.record(
      {
        access_token: printable,
        token_type: fc.constantFrom('Bearer', 'bearer', 'BEARER'),
        expires_in: fc.integer({ min: 1, max: 86_400 }),
        refresh_token: printable,
        scope: fc.constantFrom('a', 'a b', 'api://x/.default'),
      },
      { requiredKeys: ['access_token', 'token_type'] },
    );
    await fc.assert(
      fc.asyncProperty(sound, async (members) => {
        const body = JSON.stringify(members);
        expect(await judged(200, body)).toBe(true);
        expect(isAccepted(200, body)).toBe(true);
      }),
    );
  });
});
