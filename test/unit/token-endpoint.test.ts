import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EvergrantError, type ErrorCode } from '../../src/errors.ts';
import { HttpConnectError, HttpExchangeError, type Http } from '../../src/system/http.ts';
import {
  exchangeAuthorizationCode,
  openTokenEndpoint,
  refreshAccessToken,
  requestClientCredentialsToken,
  Secret,
  type RefreshOptions,
} from '../../src/token-endpoint.ts';
import { settle } from '../support/fake-clock.ts';
import { httpAnswer, rawServer, type RawServer } from '../support/raw-server.ts';

const good = {
  access_token: 'at-secret-1',
  token_type: 'Bearer',
  expires_in: 3599,
  scope: 'api://perspiotalk/all_readwrite',
  refresh_token: 'rt-secret-2',
  id_token: 'it-secret-1',
};

function refresh(
  server: RawServer,
  options: Partial<RefreshOptions> = {},
): ReturnType<typeof refreshAccessToken> {
  return refreshAccessToken({
    tokenEndpoint: server.url,
    clientId: 'client',
    clientSecret: 'cs-secret-1',
    refreshToken: 'rt-secret-1',
    insecureLoopback: true,
    ...options,
  });
}

async function errorOf(promise: Promise<unknown>): Promise<EvergrantError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof EvergrantError) return error;
  throw new Error('a typed error was expected', { cause: error });
}

/** An HTTP layer that answers without a network. */
function fakeHttp(send: Awaited<ReturnType<Http['connect']>>['send']): Http {
  return {
    connect: () => Promise.resolve({ send, close: () => undefined }),
    close: () => undefined,
  };
}

describe('refreshing as the documentation of Perspio asks', () => {
  const path = '/7d548d61-6361-4a6e-85e6-509e2c05d05e/oauth2/v2.0/token';

  it('sends the bytes of its page, without the defects of its page', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, good)));
    const { origin, host } = new URL(server.url);
    await refreshAccessToken({
      tokenEndpoint: origin + path,
      clientId: '3f1d0b6a-2c44-4e0e-8f39-6d5f0a9b7e21',
      clientSecret: 'dummy~secret+1',
      refreshToken: '1.AbCdEf-demo',
      scope: 'api://perspiotalk/all_readwrite offline_access',
      insecureLoopback: true,
    });
    const form = [
      'client_id=3f1d0b6a-2c44-4e0e-8f39-6d5f0a9b7e21',
      '&client_secret=dummy%7Esecret%2B1',
      '&refresh_token=1.AbCdEf-demo',
      '&scope=api%3A%2F%2Fperspiotalk%2Fall_readwrite%20offline_access',
      '&grant_type=refresh_token',
    ].join('');
    expect(server.received).toEqual([
      [
        `POST ${path} HTTP/1.1`,
        `host: ${host}`,
        'user-agent: evergrant/0.1.0',
        'accept: application/json',
        'content-type: application/x-www-form-urlencoded',
        'accept-encoding: identity',
        'connection: keep-alive',
        `content-length: ${String(form.length)}`,
        '',
        form,
      ].join('\r\n'),
    ]);
  });

  it('sends the same when the scope is copied from the page, quotes and escapes included', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, good)));
    const scope = '"api%3A%2F%2Fperspiotalk%2Fall_readwrite%20offline_access"';
    const issued = await refresh(server, { scope });
    expect(server.received[0]).toContain(
      '&scope=api%3A%2F%2Fperspiotalk%2Fall_readwrite%20offline_access&grant_type',
    );
    expect(issued.warnings).toHaveLength(2);
  });

  it('resolves to the properties of its page', async () => {
    await using server = await rawServer((socket) =>
      socket.write(httpAnswer(200, { ...good, scope: 'api%3A%2F%2Fperspiotalk%2Fall_readwrite' })),
    );
    const issued = await refresh(server);
    expect(issued.accessToken).toBe('at-secret-1');
    expect(issued.tokenType).toBe('Bearer');
    expect(issued.expiresIn).toBe(3599);
    expect(issued.scope).toBe('api://perspiotalk/all_readwrite');
    expect(issued.refreshToken).toBe('rt-secret-2');
    expect(issued.idToken).toBe('it-secret-1');
    expect(issued.raw).toEqual({ ...good, scope: 'api%3A%2F%2Fperspiotalk%2Fall_readwrite' });
  });

  it('cannot read the example of its page, which is no JSON, and says so', async () => {
    const example = '{\n  "access_token": "eyBYY...",\n  "token_type": "Bearer",\n}';
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, example)));
    expect(await errorOf(refresh(server))).toMatchObject({ code: 'ERR_RESPONSE_INVALID' });
  });
});

describe('what is issued', () => {
  it('can be read but is not printed', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, good)));
    const issued = await refresh(server);
    const printed = [
      inspect(issued, { depth: 9, showHidden: true }),
      JSON.stringify(issued),
      inspect(Object.assign({}, issued)),
    ];
    expect(printed.join()).not.toMatch(/secret-\d/);
    expect(printed[0]).toContain("tokenType: 'Bearer'");
    expect(JSON.parse(printed[1] ?? '')).toMatchObject({
      accessToken: '[secret]',
      expiresIn: 3599,
    });
  });

  it('has the scope asked for when the server names none, and no refresh token when none came', async () => {
    const body = { access_token: 'at', token_type: 'bearer' };
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, body)));
    const issued = await refresh(server, { scope: ['a', 'b'] });
    expect(issued).toMatchObject({ scope: 'a b', refreshToken: undefined, expiresIn: undefined });
    expect((await refresh(server)).scope).toBeUndefined();
  });

  it('takes its type from the dialect where the server names none', async () => {
    await using server = await rawServer((socket) =>
      socket.write(httpAnswer(200, { access_token: 'at' })),
    );
    const issued = await refresh(server, { dialect: { defaultTokenType: 'Bearer' } });
    expect(issued.tokenType).toBe('Bearer');
  });
});

describe('each way to fail has an error of its own', () => {
  const answers: readonly [ErrorCode, string][] = [
    ['ERR_GRANT_REFUSED', httpAnswer(400, { error: 'invalid_grant' })],
    ['ERR_CLIENT_REFUSED', httpAnswer(401, { error: 'invalid_client' })],
    ['ERR_REQUEST_REFUSED', httpAnswer(400, { error: 'invalid_scope' })],
    ['ERR_REQUEST_REFUSED', httpAnswer(404, '<html>', {})],
    ['ERR_REQUEST_REFUSED', httpAnswer(307, '', { location: 'https://elsewhere.example/' })],
    ['ERR_SERVER_THROTTLED', httpAnswer(429, 'Too Many Requests', { 'retry-after': '60' })],
    ['ERR_OUTCOME_UNCERTAIN', httpAnswer(500, '')],
    ['ERR_OUTCOME_UNCERTAIN', httpAnswer(400, { error: 'server_error' })],
    ['ERR_OUTCOME_UNCERTAIN', 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"access'],
    ['ERR_RESPONSE_INVALID', httpAnswer(200, '<html>', {})],
    ['ERR_RESPONSE_INVALID', httpAnswer(200, {})],
    ['ERR_TOKEN_TYPE_UNSUPPORTED', httpAnswer(200, { ...good, token_type: 'mac' })],
    ['ERR_TOKEN_TYPE_UNSUPPORTED', httpAnswer(200, { ...good, token_type: undefined })],
  ];
  it.each(answers)('%s for %j', async (code, answer) => {
    await using server = await rawServer((socket) => socket.end(answer));
    const error = await errorOf(refresh(server));
    expect(error.code).toBe(code);
    expect(server.received).toHaveLength(1);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/secret-\d/);
  });

  it('ERR_SERVER_UNREACHABLE when nobody listens; nothing was sent', async () => {
    const server = await rawServer(() => undefined);
    await server[Symbol.asyncDispose]();
    expect(await errorOf(refresh(server))).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE' });
  });

  it('ERR_SERVER_UNREACHABLE when the caller gave up before, ERR_OUTCOME_UNCERTAIN when after', async () => {
    const controller = new AbortController();
    await using server = await rawServer(() => controller.abort());
    const before = await errorOf(refresh(server, { signal: AbortSignal.abort() }));
    expect(before.code).toBe('ERR_SERVER_UNREACHABLE');
    const after = await errorOf(refresh(server, { signal: controller.signal }));
    expect(after.code).toBe('ERR_OUTCOME_UNCERTAIN');
  });

  it('a wait tells when to come back', async () => {
    const answer = httpAnswer(429, '', { 'retry-after': '60' });
    await using server = await rawServer((socket) => socket.write(answer));
    const error = await errorOf(refresh(server));
    expect(error).toHaveProperty('retryAt', expect.any(Number));
  });

  it('a secret that the server echoes is not in the message', async () => {
    const error_description = 'no such token rt-secret-1 of client cs-secret-1';
    const answer = httpAnswer(400, { error: 'invalid_grant', error_description });
    await using server = await rawServer((socket) => socket.write(answer));
    const error = await errorOf(refresh(server));
    expect(error.message).toContain('no such token [secret] of client [secret]');
    expect(inspect(error, { depth: 9 })).not.toMatch(/secret-\d/);
  });
});

describe('an argument that cannot be right is named, and nothing is sent', () => {
  it.each<[Partial<Record<keyof RefreshOptions, unknown>>, string]>([
    [{ refreshToken: undefined }, 'refreshToken must be a non-empty string'],
    [{ refreshToken: '' }, 'refreshToken must be a non-empty string'],
    [{ refreshToken: 7 }, 'refreshToken must be a non-empty string'],
    [{ refreshToken: 'rt\n' }, 'refreshToken holds a line break'],
    [{ clientId: '' }, 'clientId must be'],
    [{ clientSecret: '' }, 'clientSecret must be'],
    [
      { clientSecret: undefined, clientAuthentication: 'client_secret_basic' },
      'clientSecret must be',
    ],
    [{ clientAuthentication: 'none' }, 'clientSecret must be left out'],
    [{ clientAuthentication: 'tls_client_auth' }, 'clientAuthentication "tls_client_auth" is not'],
    [{ scope: 'a "b"' }, 'scope holds'],
    [{ timeoutMs: 0 }, 'timeoutMs must be'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs must be'],
    [{ extraParameters: { client_secret: 'x' } }, 'the extra parameter client_secret'],
    [{ tokenEndpoint: 'login.example/token' }, 'the token endpoint is not a URL'],
    [{ tokenEndpoint: 'ftp://login.example/token' }, 'begins with ftp:'],
    [{ tokenEndpoint: 'http://login.example/token' }, 'is plain http to login.example'],
    [
      { tokenEndpoint: 'http://127.0.0.1.evil.example/' },
      'is plain http to 127.0.0.1.evil.example',
    ],
    [{ tokenEndpoint: 'https://u:p@login.example/token' }, 'holds credentials'],
    [{ tokenEndpoint: 'https://login.example/token#x' }, 'holds a fragment'],
    [{ insecureLoopback: false }, 'allow that by insecureLoopback'],
  ])('%j', async (options, message) => {
    await using server = await rawServer(() => undefined);
    const error = await errorOf(refresh(server, options as Partial<RefreshOptions>));
    expect(['ERR_ARGUMENT', 'ERR_CONFIGURATION']).toContain(error.code);
    expect(error.message).toContain(message);
    expect(server.received.join('')).toBe('');
  });

  it.each(['localhost', '127.9.9.9', '[::1]'])(
    'http to %s is allowed where tests ask for it',
    async (host) => {
      const options = {
        tokenEndpoint: `http://${host}:1/`,
        http: fakeHttp(() => Promise.reject(new HttpConnectError('no'))),
      };
      await using server = await rawServer(() => undefined);
      expect((await errorOf(refresh(server, options))).code).toBe('ERR_SERVER_UNREACHABLE');
    },
  );

  it('a code verifier must be one', async () => {
    const request = exchangeAuthorizationCode({
      tokenEndpoint: 'https://as.example/token',
      clientId: 'c',
      code: 'code',
      redirectUri: 'http://localhost',
      codeVerifier: 'short',
    });
    expect((await errorOf(request)).message).toContain('codeVerifier must be 43 to 128');
  });
});

describe('the other grants', () => {
  it('a code is traded with its verifier', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, good)));
    const issued = await exchangeAuthorizationCode({
      tokenEndpoint: server.url,
      clientId: 'client',
      code: 'the-code',
      redirectUri: 'http://localhost:1234/',
      codeVerifier: new Secret('v'.repeat(43)),
      insecureLoopback: true,
    });
    expect(issued.refreshToken).toBe('rt-secret-2');
    expect(server.received[0]?.split('\r\n\r\n')[1]).toBe(
      `client_id=client&code=the-code&redirect_uri=http%3A%2F%2Flocalhost%3A1234%2F&code_verifier=${'v'.repeat(43)}&grant_type=authorization_code`,
    );
  });

  it('client credentials are asked for by Basic where the server wants that', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, good)));
    await requestClientCredentialsToken({
      tokenEndpoint: server.url,
      clientId: 'client',
      clientSecret: 'cs',
      clientAuthentication: 'client_secret_basic',
      scope: 'api://perspiotalk/.default',
      extraParameters: { audience: 'x' },
      insecureLoopback: true,
    });
    expect(server.received[0]).toContain(`authorization: Basic ${btoa('client:cs')}\r\n`);
    expect(server.received[0]?.split('\r\n\r\n')[1]).toBe(
      'scope=api%3A%2F%2Fperspiotalk%2F.default&grant_type=client_credentials&audience=x',
    );
  });

  it('a lost answer to client credentials means "try again", since nothing was used up', async () => {
    await using server = await rawServer((socket) => socket.end(httpAnswer(500, '')));
    const request = requestClientCredentialsToken({
      tokenEndpoint: server.url,
      clientId: 'client',
      clientSecret: 'cs',
      insecureLoopback: true,
    });
    expect(await errorOf(request)).toMatchObject({ code: 'ERR_SERVER_FAILED' });
  });
});

describe('the two halves of an exchange', () => {
  const open = { fresh: true, connectTimeoutMs: 9000, insecureLoopback: true };
  const send = { dialect: {}, timeoutMs: 9000, now: () => 0 };
  const request = (tokenEndpoint: string) =>
    ({ tokenEndpoint, clientId: 'c', authentication: { method: 'none' }, parameters: {} }) as const;

  it('let a caller act between connecting and sending', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, good)));
    const { nodeHttp } = await import('../../src/system/node-http.ts');
    const endpoint = await openTokenEndpoint(nodeHttp(), server.url, open);
    if (endpoint.kind !== 'open') throw new Error(endpoint.reason);
    await settle();
    expect(server.received).toEqual(['']);
    const outcome = await endpoint.send(request(server.url), { ...send, requestId: 'id-1' });
    expect(outcome.kind).toBe('refreshed');
    expect(server.received[0]).toContain('\r\nclient-request-id: id-1\r\n');
  });

  it('send to no other address than the one connected to', async () => {
    const http = fakeHttp(() => Promise.reject(new Error('must not be called')));
    const endpoint = await openTokenEndpoint(http, 'https://as.example/token', open);
    if (endpoint.kind !== 'open') throw new Error(endpoint.reason);
    await expect(endpoint.send(request('https://evil.example/token'), send)).rejects.toThrow(
      'another token endpoint',
    );
  });

  it('keep the part of an answer that came, and its status', async () => {
    const partial = new TextEncoder().encode('{"access');
    const error = new HttpExchangeError('reset', 'it broke', 200, partial);
    const endpoint = await openTokenEndpoint(
      fakeHttp(() => Promise.reject(error)),
      'https://as.example/',
      open,
    );
    if (endpoint.kind !== 'open') throw new Error(endpoint.reason);
    expect(await endpoint.send(request('https://as.example/'), send)).toEqual({
      kind: 'ambiguous',
      reason: 'it broke',
      status: 200,
      retryAfterMs: undefined,
      body: partial,
      answer: 'cut',
    });
  });

  it('tell a connection that died before sending from a lost answer', async () => {
    const error = new HttpConnectError('it closed');
    const endpoint = await openTokenEndpoint(
      fakeHttp(() => Promise.reject(error)),
      'https://as.example/',
      open,
    );
    if (endpoint.kind !== 'open') throw new Error(endpoint.reason);
    expect(await endpoint.send(request('https://as.example/'), send)).toEqual({
      kind: 'not_sent',
      reason: 'it closed',
    });
  });

  it('do not hide a defect as an outcome', async () => {
    const http = fakeHttp(() => Promise.reject(new TypeError('a defect')));
    const endpoint = await openTokenEndpoint(http, 'https://as.example/', open);
    if (endpoint.kind !== 'open') throw new Error(endpoint.reason);
    await expect(endpoint.send(request('https://as.example/'), send)).rejects.toThrow(TypeError);
  });
});
