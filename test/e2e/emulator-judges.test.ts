import { Agent, request as httpsRequest } from 'node:https';
import {
  ConfidentialClientApplication,
  PublicClientApplication,
  CryptoProvider,
  type INetworkModule,
  type NetworkRequestOptions,
  type NetworkResponse,
} from '@azure/msal-node';
import * as openid from 'openid-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/emulator.ts';

/*
 * Two clients that know nothing of evergrant judge the emulator: what they accept is what the real services send. They come in over TLS
 * and trust nothing but the emulator's own authority.
 */

const clientId = 'perspio-demo';
const clientSecret = 'demo~secret+1';
const redirectUri = 'http://localhost/callback';
const apiScope = 'api://perspiotalk/access_as_user';

let emulator: Emulator;
let agent: Agent;

beforeEach(async () => {
  emulator = await startEmulator({
    tls: true,
    autoSignIn: 'demo@perspio.io',
    deviceIntervalSeconds: 1,
    rotation: 'single-use',
  });
  agent = new Agent({ ca: emulator.caCertificate, keepAlive: true });
});

afterEach(async () => {
  agent.destroy();
  await emulator.close();
});

interface Received {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** One request that trusts the emulator's authority and follows no redirect. */
function send(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const message = httpsRequest(url, { agent, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          ),
          body: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    message.once('error', reject);
    message.end(body);
  });
}

/** Goes to the authorization URL as a browser would and returns where it is sent. */
async function visit(url: string): Promise<URL> {
  const { status, headers } = await send(url);
  expect(status).toBe(302);
  return new URL(headers['location'] ?? '');
}

describe('@azure/msal-node', () => {
  const network: INetworkModule = {
    sendGetRequestAsync: (url, options) => exchange(url, 'GET', options),
    sendPostRequestAsync: (url, options) => exchange(url, 'POST', options),
  };

  async function exchange<Body>(
    url: string,
    method: string,
    options: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<Body>> {
    const { status, headers, body } = await send(url, { method, ...options });
    return { status, headers, body: JSON.parse(body) as Body };
  }

  const configuration = (id: string, secret?: string) => ({
    auth: {
      clientId: id,
      authority: `${emulator.origin}/7d548d61-6361-4a6e-85e6-509e2c05d05e`,
      knownAuthorities: [new URL(emulator.origin).host],
      ...(secret === undefined ? {} : { clientSecret: secret }),
    },
    system: { networkClient: network },
  });

  it('redeems a code with PKCE and then refreshes silently', async () => {
    const app = new ConfidentialClientApplication(configuration(clientId, clientSecret));
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
    const url = await app.getAuthCodeUrl({
      scopes: [apiScope],
      redirectUri,
      codeChallenge: challenge,
      codeChallengeMethod: 'S256',
      state: 'state-1',
    });
    const answer = await visit(url);
    expect(answer.searchParams.get('state')).toBe('state-1');

    const first = await app.acquireTokenByCode({
      code: answer.searchParams.get('code') ?? '',
      scopes: [apiScope],
      redirectUri,
      codeVerifier: verifier,
    });
    expect(first.account?.username).toBe('demo@perspio.io');
    expect(emulator.isAccessTokenAlive(first.accessToken)).toBe(true);

    const account = first.account;
    if (account === null) throw new Error('MSAL found no account');
    const second = await app.acquireTokenSilent({
      account,
      scopes: [apiScope],
      forceRefresh: true,
    });
    expect(second.fromCache).toBe(false);
    expect(emulator.isAccessTokenAlive(second.accessToken)).toBe(true);
    const third = await app.acquireTokenSilent({ account, scopes: [apiScope], forceRefresh: true });
    expect(third.accessToken).not.toBe(second.accessToken);
    expect(emulator.ledger.entries({ grantType: 'refresh_token' })).toMatchObject([
      { outcome: 'issued', presentedGeneration: 1, issuedGeneration: 2, replay: false },
      { outcome: 'issued', presentedGeneration: 2, issuedGeneration: 3, replay: false },
    ]);
  });

  it('asks for interaction when the grant was revoked', async () => {
    const app = new ConfidentialClientApplication(configuration(clientId, clientSecret));
    const answer = await visit(await app.getAuthCodeUrl({ scopes: [apiScope], redirectUri }));
    const { account } = await app.acquireTokenByCode({
      code: answer.searchParams.get('code') ?? '',
      scopes: [apiScope],
      redirectUri,
    });
    if (account === null) throw new Error('MSAL found no account');
    emulator.revokeUser('demo@perspio.io');
    await expect(
      app.acquireTokenSilent({ account, scopes: [apiScope], forceRefresh: true }),
    ).rejects.toMatchObject({ errorCode: 'invalid_grant', errorNo: 50173 });
  });

  it('gets a token for the application itself', async () => {
    const app = new ConfidentialClientApplication(configuration(clientId, clientSecret));
    const result = await app.acquireTokenByClientCredential({
      scopes: ['api://perspiotalk/.default'],
    });
    expect(emulator.isAccessTokenAlive(result?.accessToken ?? '')).toBe(true);
  });

  it('waits for a device code until the person has decided', async () => {
    emulator.signInAs(undefined);
    const app = new PublicClientApplication(configuration('perspio-public'));
    const result = await app.acquireTokenByDeviceCode({
      scopes: [apiScope],
      deviceCodeCallback: ({ userCode }) => {
        void emulator.ledger.waitFor(1, { outcome: 'authorization_pending' }).then(() => {
          emulator.decideDevice(userCode, { user: 'other@perspio.io' });
        });
      },
    });
    expect(result?.account?.username).toBe('other@perspio.io');
    expect(emulator.isAccessTokenAlive(result?.accessToken ?? '')).toBe(true);
  });
});

describe('openid-client', () => {
  const customFetch: openid.CustomFetch = async (url, { method, headers, body }) => {
    const text = body === undefined || body === null ? undefined : String(body as URLSearchParams);
    const received = await send(url, {
      method,
      headers,
      ...(text === undefined ? {} : { body: text }),
    });
    const { status, headers: answered, body: answer } = received;
    return new Response(status === 204 ? null : answer, { status, headers: answered });
  };

  const discover = (id: string, authentication?: openid.ClientAuth) =>
    openid.discovery(new URL(emulator.issuer), id, {}, authentication ?? openid.None(), {
      [openid.customFetch]: customFetch,
    });

  it.each([
    ['in the body', openid.ClientSecretPost(clientSecret)],
    ['by Basic', openid.ClientSecretBasic(clientSecret)],
  ])('redeems a code with PKCE and refreshes, its secret sent %s', async (_how, authentication) => {
    const config = await discover(clientId, authentication);
    const verifier = openid.randomPKCECodeVerifier();
    const nonce = openid.randomNonce();
    const state = openid.randomState();
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: `openid profile offline_access ${apiScope}`,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      nonce,
      state,
    });
    const tokens = await openid.authorizationCodeGrant(config, await visit(url.href), {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
      expectedState: state,
      idTokenExpected: true,
    });
    expect(tokens.claims()).toMatchObject({ preferred_username: 'demo@perspio.io', nonce });
    expect(tokens.scope).toContain(apiScope);

    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    expect(emulator.isAccessTokenAlive(refreshed.access_token)).toBe(true);

    await expect(
      openid.refreshTokenGrant(config, tokens.refresh_token ?? ''),
    ).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
    expect(emulator.isAccessTokenAlive(refreshed.access_token)).toBe(false);
  });

  it('gets a token for the application itself', async () => {
    const config = await discover(clientId, openid.ClientSecretPost(clientSecret));
    const tokens = await openid.clientCredentialsGrant(config, {
      scope: 'api://perspiotalk/.default',
    });
    expect(tokens.refresh_token).toBeUndefined();
    expect(emulator.isAccessTokenAlive(tokens.access_token)).toBe(true);
  });

  it('is told of a wrong secret', async () => {
    const config = await discover(clientId, openid.ClientSecretPost('not the secret'));
    await expect(
      openid.clientCredentialsGrant(config, { scope: 'api://perspiotalk/.default' }),
    ).rejects.toMatchObject({ error: 'invalid_client', status: 401 });
  });

  it('waits for a device code until the person has decided', async () => {
    emulator.signInAs(undefined);
    const config = await discover('perspio-public');
    const device = await openid.initiateDeviceAuthorization(config, {
      scope: `openid offline_access ${apiScope}`,
    });
    void emulator.ledger.waitFor(1, { outcome: 'authorization_pending' }).then(() => {
      emulator.decideDevice(device.user_code, { user: 'other@perspio.io' });
    });
    const tokens = await openid.pollDeviceAuthorizationGrant(config, device);
    expect(tokens.refresh_token).toBeDefined();
    expect(emulator.isAccessTokenAlive(tokens.access_token)).toBe(true);
  });
});
