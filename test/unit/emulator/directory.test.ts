import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { describe, expect, it } from 'vitest';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import { call, postForm, refresh, requestToken } from '../../support/emulator-requests.ts';

const startEmulator = emulatorFixture();

describe('discovery', () => {
  it('names the endpoints of the directory, and nothing that Entra lacks', async () => {
    const emulator = await startEmulator();
    const reply = await call(`${emulator.issuer}/.well-known/openid-configuration`);
    expect(reply.headers.get('cache-control')).toBe('max-age=86400, private');
    const metadata = reply.json();
    expect(metadata).toMatchObject({
      issuer: emulator.issuer,
      token_endpoint: emulator.tokenEndpoint,
      authorization_endpoint: emulator.authorizationEndpoint,
      device_authorization_endpoint: emulator.deviceAuthorizationEndpoint,
      jwks_uri: emulator.jwksUri,
    });
    for (const absent of [
      'revocation_endpoint',
      'introspection_endpoint',
      'code_challenge_methods_supported',
      'grant_types_supported',
      'authorization_response_iss_parameter_supported',
      'pushed_authorization_request_endpoint',
    ]) {
      expect(metadata).not.toHaveProperty(absent);
    }
  });

  it('has a pattern for an issuer under common, and nothing under an unknown directory', async () => {
    const { origin } = await startEmulator();
    const common = await call(`${origin}/common/v2.0/.well-known/openid-configuration`);
    expect(common.json()['issuer']).toBe(`${origin}/{tenantid}/v2.0`);
    const unknown = await call(`${origin}/contoso/v2.0/.well-known/openid-configuration`);
    expect(unknown.json()).toMatchObject({ error: 'invalid_request', error_codes: [90002] });
  });

  it('tells MSAL that the host is an authority', async () => {
    const { origin, authorizationEndpoint } = await startEmulator();
    const ask = (endpoint: string) => {
      const query = new URLSearchParams({ 'api-version': '1.1', authorization_endpoint: endpoint });
      return call(`${origin}/common/discovery/instance?${query.toString()}`);
    };
    const known = await ask(authorizationEndpoint);
    expect(known.json()['tenant_discovery_endpoint']).toBe(
      `${origin}/7d548d61-6361-4a6e-85e6-509e2c05d05e/v2.0/.well-known/openid-configuration`,
    );
    const unknown = await ask('https://elsewhere.example/common/oauth2/v2.0/authorize');
    expect(unknown.json()['error']).toBe('invalid_instance');
  });
});

describe('the keys', () => {
  it('verify what the emulator signs, and carry a certificate', async () => {
    const emulator = await startEmulator({ opaqueAccessTokens: false });
    const { accessToken } = await emulator.issueGrant();
    const keys = (await call(emulator.jwksUri)).json();
    expect(keys).toMatchObject({
      keys: [{ kty: 'RSA', use: 'sig', issuer: emulator.issuer, x5c: [expect.any(String)] }],
    });
    const keySet = createLocalJWKSet(keys as unknown as JSONWebKeySet);
    await expect(
      jwtVerify(accessToken, keySet, { issuer: emulator.issuer }),
    ).resolves.toHaveProperty('payload.scp');
    const tampered = accessToken.replace(/\.[^.]{20}/, '.AAAAAAAAAAAAAAAAAAAA');
    await expect(jwtVerify(tampered, keySet)).rejects.toThrow();
  });
});

describe('logging out', () => {
  it('goes where a client registered, and leaves the grant alone', async () => {
    const emulator = await startEmulator();
    const { refreshToken } = await emulator.issueGrant();
    const url = emulator.authorizationEndpoint.replace('authorize', 'logout');
    const target = encodeURIComponent('http://localhost/callback');
    const there = await call(`${url}?post_logout_redirect_uri=${target}&state=s`);
    expect(there.headers.get('location')).toBe('http://localhost/callback?state=s');
    const elsewhere = encodeURIComponent('https://elsewhere.example/');
    const here = await call(`${url}?post_logout_redirect_uri=${elsewhere}`);
    expect(here.status).toBe(200);
    expect((await refresh(emulator, refreshToken)).status).toBe(200);
  });
});

describe('administrator consent', () => {
  it('lets a client have scopes that nobody consented to', async () => {
    const emulator = await startEmulator({
      clients: [{ clientId: 'perspio-demo', clientSecret: 'demo~secret+1', preconsented: [] }],
    });
    const { refreshToken } = await emulator.issueGrant({
      scope: 'api://perspiotalk/access_as_user offline_access',
    });
    const before = await refresh(emulator, refreshToken);
    expect(before.json()['error_codes']).toEqual([65001]);
    const url = emulator.authorizationEndpoint.replace('oauth2/v2.0/authorize', 'adminconsent');
    const query = 'client_id=perspio-demo&state=s&redirect_uri=http%3A%2F%2Flocalhost%2Fcallback';
    const consented = await call(`${url}?${query}`);
    expect(consented.headers.get('location')).toContain('admin_consent=True');
    expect((await refresh(emulator, refreshToken)).status).toBe(200);
  });
});

describe('userinfo', () => {
  it('names the person behind a token for Microsoft Graph, and no other', async () => {
    const emulator = await startEmulator();
    const ask = async (scope: string) => {
      const { accessToken } = await emulator.issueGrant({ scope });
      const headers = { authorization: `Bearer ${accessToken}` };
      return call(`${emulator.origin}/oidc/userinfo`, { headers });
    };
    expect((await ask('openid profile')).json()).toMatchObject({ email: 'demo@perspio.io' });
    expect((await ask('api://perspiotalk/access_as_user')).status).toBe(401);
  });
});

describe('the revocation endpoint', () => {
  const credentials = { client_id: 'perspio-demo', client_secret: 'demo~secret+1' };
  const revoke = (tokenEndpoint: string, token: string | undefined, members = {}) =>
    postForm(tokenEndpoint.replace('/token', '/revoke'), { ...credentials, token, ...members });

  it('does not exist, unless asked for', async () => {
    const { tokenEndpoint } = await startEmulator();
    expect((await revoke(tokenEndpoint, 'token')).status).toBe(404);
  });

  it('ends the family of a refresh token, and takes unknown tokens calmly', async () => {
    const emulator = await startEmulator({ revocationEndpoint: true });
    const { refreshToken = '', accessToken } = await emulator.issueGrant();
    expect((await revoke(emulator.tokenEndpoint, 'unknown')).status).toBe(200);
    expect(emulator.isRefreshTokenHonoured(refreshToken)).toBe(true);
    expect((await revoke(emulator.tokenEndpoint, refreshToken)).status).toBe(200);
    expect(emulator.isRefreshTokenHonoured(refreshToken)).toBe(false);
    expect(emulator.isAccessTokenAlive(accessToken)).toBe(false);
  });

  it('ends an access token alone', async () => {
    const emulator = await startEmulator({ revocationEndpoint: true });
    const { refreshToken = '', accessToken } = await emulator.issueGrant();
    await revoke(emulator.tokenEndpoint, accessToken);
    expect(emulator.isAccessTokenAlive(accessToken)).toBe(false);
    expect(emulator.isRefreshTokenHonoured(refreshToken)).toBe(true);
  });

  it('authenticates the client, and protects the tokens of others', async () => {
    const emulator = await startEmulator({ revocationEndpoint: true });
    const { refreshToken = '' } = await emulator.issueGrant({ clientId: 'perspio-public' });
    const { tokenEndpoint } = emulator;
    const wrong = await revoke(tokenEndpoint, refreshToken, { client_secret: 'wrong' });
    expect(wrong.status).toBe(401);
    expect((await revoke(tokenEndpoint, refreshToken)).status).toBe(400);
    expect(emulator.isRefreshTokenHonoured(refreshToken)).toBe(true);
  });
});

describe('the options', () => {
  it.each<[object, string]>([
    [{ host: '0.0.0.0' }, 'loopback'],
    [{ accessLifeSeconds: -1 }, 'accessLifeSeconds'],
    [{ seed: 1, random: { fraction: () => 0, bytes: () => Buffer.of(), uuid: () => '' } }, 'seed'],
    [{ rotations: 'none' }, 'rotations'],
  ])('%j is refused with a word about %s', async (options, word) => {
    await expect(startEmulator(options)).rejects.toThrow(word);
  });

  it('seed makes tokens and lives repeatable', async () => {
    const issue = async (seed: number) => {
      const emulator = await startEmulator({ seed });
      const { refreshToken, accessToken, expiresIn } = await emulator.issueGrant();
      return { refreshToken, accessToken, expiresIn };
    };
    expect(await issue(7)).toEqual(await issue(7));
    expect(await issue(8)).not.toEqual(await issue(7));
  });

  it('accessLifeSeconds fixes the life', async () => {
    const emulator = await startEmulator({ accessLifeSeconds: 120 });
    expect(await emulator.issueGrant()).toMatchObject({ expiresIn: 120 });
    const scope = 'api://perspiotalk/.default';
    const reply = await requestToken(emulator, { grant_type: 'client_credentials', scope });
    expect(reply.json()['expires_in']).toBe(120);
  });
});
