import {
  ConfidentialClientApplication,
  PublicClientApplication,
  CryptoProvider,
  type INetworkModule,
  type NetworkRequestOptions,
  type NetworkResponse,
} from '@azure/msal-node';
import { describe, expect, it } from 'vitest';
import {
  apiScope,
  clientId,
  clientSecret,
  judgedEmulator,
  redirectUri,
} from './judged-emulator.ts';

const judged = judgedEmulator();

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
    const { status, headers, body } = await judged.send(url, { method, ...options });
    return { status, headers, body: JSON.parse(body) as Body };
  }

  const configuration = (id: string, secret?: string) => ({
    auth: {
      clientId: id,
      authority: `${judged.emulator.origin}/7d548d61-6361-4a6e-85e6-509e2c05d05e`,
      knownAuthorities: [new URL(judged.emulator.origin).host],
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
    const answer = await judged.visit(url);
    expect(answer.searchParams.get('state')).toBe('state-1');

    const first = await app.acquireTokenByCode({
      code: answer.searchParams.get('code') ?? '',
      scopes: [apiScope],
      redirectUri,
      codeVerifier: verifier,
    });
    expect(first.account?.username).toBe('demo@perspio.io');
    expect(judged.emulator.isAccessTokenAlive(first.accessToken)).toBe(true);

    const account = first.account;
    if (account === null) throw new Error('MSAL found no account');
    const second = await app.acquireTokenSilent({
      account,
      scopes: [apiScope],
      forceRefresh: true,
    });
    expect(second.fromCache).toBe(false);
    expect(judged.emulator.isAccessTokenAlive(second.accessToken)).toBe(true);
    const third = await app.acquireTokenSilent({ account, scopes: [apiScope], forceRefresh: true });
    expect(third.accessToken).not.toBe(second.accessToken);
    expect(judged.emulator.ledger.entries({ grantType: 'refresh_token' })).toMatchObject([
      { outcome: 'issued', presentedGeneration: 1, issuedGeneration: 2, replay: false },
      { outcome: 'issued', presentedGeneration: 2, issuedGeneration: 3, replay: false },
    ]);
  });

  it('asks for interaction when the grant was revoked', async () => {
    const app = new ConfidentialClientApplication(configuration(clientId, clientSecret));
    const answer = await judged.visit(
      await app.getAuthCodeUrl({ scopes: [apiScope], redirectUri }),
    );
    const { account } = await app.acquireTokenByCode({
      code: answer.searchParams.get('code') ?? '',
      scopes: [apiScope],
      redirectUri,
    });
    if (account === null) throw new Error('MSAL found no account');
    judged.emulator.revokeUser('demo@perspio.io');
    await expect(
      app.acquireTokenSilent({ account, scopes: [apiScope], forceRefresh: true }),
    ).rejects.toMatchObject({ errorCode: 'invalid_grant', errorNo: 50173 });
  });

  it('gets a token for the application itself', async () => {
    const app = new ConfidentialClientApplication(configuration(clientId, clientSecret));
    const result = await app.acquireTokenByClientCredential({
      scopes: ['api://perspiotalk/.default'],
    });
    expect(judged.emulator.isAccessTokenAlive(result?.accessToken ?? '')).toBe(true);
  });

  it('waits for a device code until the person has decided', async () => {
    judged.emulator.signInAs(undefined);
    const app = new PublicClientApplication(configuration('perspio-public'));
    const result = await app.acquireTokenByDeviceCode({
      scopes: [apiScope],
      deviceCodeCallback: ({ userCode }) => {
        void judged.emulator.ledger.waitFor(1, { outcome: 'authorization_pending' }).then(() => {
          judged.emulator.decideDevice(userCode, { user: 'other@perspio.io' });
        });
      },
    });
    expect(result?.account?.username).toBe('other@perspio.io');
    expect(judged.emulator.isAccessTokenAlive(result?.accessToken ?? '')).toBe(true);
  });
});
