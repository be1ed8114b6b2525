import type { webcrypto } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Emulator, EmulatorOptions } from '../../../src/emulator/emulator.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import { call, refresh, requestToken, sendRaw } from '../../support/emulator-requests.ts';

const startEmulator = emulatorFixture();
let emulator: Emulator;

async function start(options: EmulatorOptions): Promise<void> {
  emulator = await startEmulator(options);
}

beforeEach(() => start({}));

async function grant(scope?: string): Promise<string> {
  const issued = await emulator.issueGrant(scope === undefined ? {} : { scope });
  return issued.refreshToken ?? '';
}

const clientCredentials = {
  grant_type: 'client_credentials',
  scope: 'api://perspiotalk/.default',
};

describe('a request that is malformed', () => {
  const post = (body: string, type = 'application/x-www-form-urlencoded') =>
    call(emulator.tokenEndpoint, { method: 'POST', headers: { 'content-type': type }, body });

  it.each([
    ['has a line break in its body', 'grant_type=client_credentials\r\n&client_id=x', 9002313],
    ['has a bare line feed in its body', 'grant_type=client_credentials\n&client_id=x', 9002313],
    ['is not percent-encoded properly', 'grant_type=%zz', 9002313],
    ['names a parameter twice', 'grant_type=client_credentials&scope=a&scope=b', 9000411],
    ['has no grant_type', 'client_id=perspio-demo', 900144],
    ['has an empty grant_type', 'grant_type=&client_id=perspio-demo', 900144],
    ['has an unknown grant_type', 'grant_type=password&client_id=perspio-demo', 70003],
    ['has no client_id', 'grant_type=client_credentials', 900144],
    ['comes from an unknown client', 'grant_type=client_credentials&client_id=nobody', 700016],
  ])('is refused when it %s', async (_what, body, code) => {
    const reply = await post(body);
    expect(reply.status).toBe(400);
    expect(reply.json()['error_codes']).toEqual([code]);
  });

  it('is refused when its body is JSON', async () => {
    const reply = await post('{"grant_type":"client_credentials"}', 'application/json');
    expect(reply.json()).toMatchObject({ error: 'invalid_request', error_codes: [900144] });
  });

  it('is refused when it is not a POST', async () => {
    const reply = await call(emulator.tokenEndpoint);
    expect(reply.json()).toMatchObject({ error: 'invalid_request', error_codes: [900561] });
  });

  it('is refused when it comes out of a web page', async () => {
    const reply = await requestToken(emulator, clientCredentials, { origin: 'http://localhost' });
    expect(reply.json()['error_codes']).toEqual([9002326]);
  });

  it('gets no further than the front door when its Host has a scheme', async () => {
    const path = new URL(emulator.tokenEndpoint).pathname;
    const answer = await sendRaw(
      emulator,
      `POST ${path} HTTP/1.1\r\nHost: https://login.microsoftonline.com\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain('AADSTS');
  });

  it('is refused under an unknown directory and under the common one', async () => {
    const elsewhere = (name: string) =>
      emulator.tokenEndpoint.replace('7d548d61-6361-4a6e-85e6-509e2c05d05e', name);
    const unknown = await requestToken({ tokenEndpoint: elsewhere('contoso') }, clientCredentials);
    expect(unknown.json()['error_codes']).toEqual([90002]);
    const common = await requestToken({ tokenEndpoint: elsewhere('common') }, clientCredentials);
    expect(common.json()['error_codes']).toEqual([50194]);
  });
});

describe('an error answer', () => {
  it("has Entra's members, headers and request ids", async () => {
    const id = '5d0c2f7e-8f55-4a0b-9a35-0d6a3a1f7c11';
    const reply = await requestToken(
      emulator,
      { grant_type: 'refresh_token', refresh_token: 'unknown', scope: 'openid' },
      { 'client-request-id': id, 'return-client-request-id': 'true' },
    );
    const body = reply.json();
    expect(reply.status).toBe(400);
    expect(body).toMatchObject({
      error: 'invalid_grant',
      error_codes: [70000],
      correlation_id: id,
    });
    expect(body['timestamp']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
    expect(body['error_description']).toMatch(
      new RegExp(
        `^AADSTS70000: .+ Trace ID: [0-9a-f-]{36} Correlation ID: ${id} Timestamp: \\S+ \\S+Z$`,
      ),
    );
    expect(reply.headers.get('cache-control')).toBe('no-store, no-cache');
    expect(reply.headers.get('client-request-id')).toBe(id);
    expect(reply.headers.getSetCookie()).toHaveLength(3);
    const silent = await requestToken(emulator, {}, { 'client-request-id': id });
    expect(silent.headers.get('client-request-id')).toBeNull();
    const lookup = await call(String(body['error_uri']));
    expect(lookup.status).toBe(200);
  });

  it('separates its parts by line breaks where that is asked for', async () => {
    await start({ errorSeparator: 'crlf' });
    const reply = await refresh(emulator, 'unknown');
    expect(reply.json()['error_description']).toMatch(/\r\nTrace ID: .+\r\nCorrelation ID: /);
  });
});

describe('client authentication', () => {
  it.each([
    ['a wrong secret', { client_secret: 'wrong' }, 7000215],
    ['no secret', { client_secret: undefined }, 7000218],
    ['a secret of a public client', { client_id: 'perspio-public' }, 700025],
  ])('refuses %s', async (_what, members, code) => {
    const reply = await requestToken(emulator, { ...clientCredentials, ...members });
    expect(reply.status).toBe(401);
    expect(reply.json()).toMatchObject({ error: 'invalid_client', error_codes: [code] });
  });

  it('takes the secret by Basic, form-encoded', async () => {
    const credentials = Buffer.from('perspio-demo:demo~secret%2B1').toString('base64');
    const reply = await requestToken(
      emulator,
      { ...clientCredentials, client_id: undefined, client_secret: undefined },
      { authorization: `Basic ${credentials}` },
    );
    expect(reply.status).toBe(200);
    expect(emulator.ledger.entries()).toMatchObject([{ clientId: 'perspio-demo' }]);
  });

  it('refuses an expired secret, and takes a new one with the old refresh token', async () => {
    const refreshToken = await grant();
    emulator.expireClientSecret('perspio-demo');
    const refused = await refresh(emulator, refreshToken);
    expect(refused.status).toBe(401);
    expect(refused.json()['error_codes']).toEqual([7000222]);
    const secret = emulator.resetClientSecret('perspio-demo');
    expect((await refresh(emulator, refreshToken)).json()['error_codes']).toEqual([7000215]);
    const repaired = await refresh(emulator, refreshToken, { client_secret: secret });
    expect(repaired.status).toBe(200);
  });

  it.each(['PS256', 'RS256'])('verifies an assertion signed with %s', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    emulator.registerClient({
      clientId: 'with-key',
      publicJwk: { ...(await exportJWK(publicKey)), alg },
    });
    const signingKey = alg === 'RS256' ? privateKey : await pssKey(privateKey);
    const assertion = (audience: string) =>
      new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg, typ: 'JWT' })
        .setIssuer('with-key')
        .setSubject('with-key')
        .setAudience(audience)
        .setExpirationTime('5 minutes')
        .sign(signingKey);
    const ask = async (audience: string) =>
      requestToken(emulator, {
        ...clientCredentials,
        client_id: 'with-key',
        client_secret: undefined,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(audience),
      });
    expect((await ask(emulator.tokenEndpoint)).status).toBe(200);
    expect((await ask('https://elsewhere.example')).json()['error_codes']).toEqual([700027]);
  });
});

/** The same RSA key, for PSS. */
async function pssKey(key: webcrypto.CryptoKey): Promise<webcrypto.CryptoKey> {
  const exported = await crypto.subtle.exportKey('pkcs8', key);
  const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' };
  return crypto.subtle.importKey('pkcs8', exported, algorithm, false, ['sign']);
}

describe('a refresh', () => {
  it('is taken to the letter of the documented request, and answered with its members', async () => {
    const reply = await refresh(emulator, await grant(), {
      scope: 'api://perspiotalk/all_readwrite offline_access',
    });
    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({
      token_type: 'Bearer',
      scope: 'api://perspiotalk/access_as_user api://perspiotalk/all_readwrite',
      expires_in: expect.any(Number) as number,
      ext_expires_in: expect.any(Number) as number,
      access_token: expect.any(String) as string,
      refresh_token: expect.any(String) as string,
    });
  });

  it.each([
    ['holds double quotes', '"api://perspiotalk/all_readwrite offline_access"', 70011],
    ['was encoded twice', 'api%3A%2F%2Fperspiotalk%2Fall_readwrite', 70011],
    ['names an unknown scope', 'api://perspiotalk/everything', 70011],
    ['names an unknown resource', 'api://elsewhere/scope', 500011],
    ['has no consent', 'https://graph.microsoft.com/Mail.Read', 65001],
  ])('is refused when its scope %s', async (_what, scope, code) => {
    const reply = await refresh(emulator, await grant(), { scope });
    expect(reply.status).toBe(400);
    expect(reply.json()['error_codes']).toEqual([code]);
    expect(emulator.describe()).toMatchObject([{ generation: 1, alive: true }]);
  });

  it('without a scope gets what was granted, or is refused where it must send one', async () => {
    expect((await refresh(emulator, await grant(), { scope: undefined })).status).toBe(200);
    await start({ refreshScopeRequired: true });
    const reply = await refresh(emulator, await grant(), { scope: undefined });
    expect(reply.json()['error_codes']).toEqual([900144]);
  });

  it('over several resources gets a token for the first', async () => {
    const both = 'api://perspiotalk/access_as_user User.Read offline_access';
    const refreshToken = await grant(both);
    const talk = await refresh(emulator, refreshToken, { scope: both });
    expect(talk.json()['scope']).toContain('api://perspiotalk/');
    const graph = await refresh(emulator, refreshToken, { scope: 'User.Read offline_access' });
    expect(graph.json()['scope']).toBe('https://graph.microsoft.com/User.Read');
  });

  it('brings an id_token only with openid', async () => {
    const refreshToken = await grant();
    const without = await refresh(emulator, refreshToken);
    expect(without.json()).not.toHaveProperty('id_token');
    const scope = 'openid profile api://perspiotalk/access_as_user';
    const reply = await refresh(emulator, refreshToken, { scope });
    expect(decodeJwt(String(reply.json()['id_token']))).toMatchObject({
      aud: 'perspio-demo',
      iss: emulator.issuer,
      preferred_username: 'demo@perspio.io',
    });
  });

  it('is refused to another client', async () => {
    const reply = await refresh(emulator, await grant(), {
      client_id: 'perspio-public',
      client_secret: undefined,
    });
    expect(reply.json()['error_codes']).toEqual([70000]);
  });

  it('is refused with 65001 once consent is withdrawn', async () => {
    const refreshToken = await grant();
    emulator.withdrawConsent('demo@perspio.io', 'perspio-demo');
    const reply = await refresh(emulator, refreshToken);
    expect(reply.json()).toMatchObject({ suberror: 'consent_required', error_codes: [65001] });
  });

  it('brings client_info only when asked, and refresh_in only where configured', async () => {
    await start({ refreshInSeconds: 1800 });
    const reply = await refresh(emulator, await grant(), { client_info: '1' });
    expect(reply.json()['refresh_in']).toBe(1800);
    const info = Buffer.from(String(reply.json()['client_info']), 'base64url').toString();
    expect(JSON.parse(info)).toHaveProperty('utid', '7d548d61-6361-4a6e-85e6-509e2c05d05e');
  });
});

describe('client credentials', () => {
  it('yield an access token and never a refresh token', async () => {
    const reply = await requestToken(emulator, clientCredentials);
    expect(Object.keys(reply.json())).toEqual([
      'token_type',
      'expires_in',
      'ext_expires_in',
      'access_token',
    ]);
  });

  it.each([
    ['single scopes', 'api://perspiotalk/all_readwrite', 70011],
    [
      'several resources',
      'api://perspiotalk/.default https://graph.microsoft.com/.default',
      700022,
    ],
    ['no scope', undefined, 900144],
  ])('refuse %s', async (_what, scope, code) => {
    const reply = await requestToken(emulator, { ...clientCredentials, scope });
    expect(reply.json()['error_codes']).toEqual([code]);
  });
});

describe('throttling of one client', () => {
  it('is a plain 429 for client credentials and 50196 for a grant of a person', async () => {
    await start({ tokenRequestsPerSecond: 1 });
    const refreshToken = await grant();
    expect((await requestToken(emulator, clientCredentials)).status).toBe(200);
    const throttled = await requestToken(emulator, clientCredentials);
    expect(throttled.status).toBe(429);
    expect(throttled.headers.get('retry-after')).toBe('60');
    expect(throttled.headers.get('content-type')).toMatch(/^text\/plain/);
    const looping = await refresh(emulator, refreshToken);
    expect(looping.json()).toMatchObject({ error: 'invalid_grant', error_codes: [50196] });
    const capability = { 'x-ms-lib-capability': 'retry-after, h429' };
    const members = { grant_type: 'refresh_token', refresh_token: refreshToken };
    expect((await requestToken(emulator, members, capability)).status).toBe(429);
    emulator.clock.advance(1_100);
    expect((await refresh(emulator, refreshToken)).status).toBe(200);
  });
});

describe('an access token', () => {
  it("is a signed JWT with Entra's claims and a random life", async () => {
    await start({ opaqueAccessTokens: false });
    const refreshToken = await grant();
    const lives = new Set<unknown>();
    for (let i = 0; i < 5; i++) {
      const reply = await refresh(emulator, refreshToken);
      const { access_token: token, expires_in: life } = reply.json();
      expect(life).toBeGreaterThanOrEqual(3600);
      expect(life).toBeLessThanOrEqual(5399);
      lives.add(life);
      expect(decodeProtectedHeader(String(token))).toMatchObject({ alg: 'RS256', typ: 'JWT' });
      const claims = decodeJwt(String(token));
      expect(claims).toMatchObject({
        iss: emulator.issuer,
        tid: '7d548d61-6361-4a6e-85e6-509e2c05d05e',
        azp: 'perspio-demo',
        azpacr: '1',
        scp: 'access_as_user all_readwrite',
        ver: '2.0',
      });
      expect((claims.exp ?? 0) - (claims.iat ?? 0) - Number(life)).toBeCloseTo(300, -1);
    }
    expect(lives.size).toBeGreaterThan(1);
  });

  it('of an application has roles and no scope', async () => {
    await start({ opaqueAccessTokens: false });
    const reply = await requestToken(emulator, clientCredentials);
    const claims = decodeJwt(String(reply.json()['access_token']));
    expect(claims).toMatchObject({ roles: ['all_read'], idtyp: 'app' });
    expect(claims).not.toHaveProperty('scp');
  });
});
