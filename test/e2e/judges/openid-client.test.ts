import * as openid from 'openid-client';
import { describe, expect, it } from 'vitest';
import {
  apiScope,
  clientId,
  clientSecret,
  judgedEmulator,
  redirectUri,
} from './judged-emulator.ts';

const judged = judgedEmulator();

describe('openid-client', () => {
  const customFetch: openid.CustomFetch = (url, options) => judged.fetch(url, options);

  const discover = (id: string, authentication?: openid.ClientAuth) =>
    openid.discovery(new URL(judged.emulator.issuer), id, {}, authentication ?? openid.None(), {
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
    const tokens = await openid.authorizationCodeGrant(config, await judged.visit(url.href), {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
      expectedState: state,
      idTokenExpected: true,
    });
    expect(tokens.claims()).toMatchObject({ preferred_username: 'demo@perspio.io', nonce });
    expect(tokens.scope).toContain(apiScope);

    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    expect(judged.emulator.isAccessTokenAlive(refreshed.access_token)).toBe(true);

    await expect(
      openid.refreshTokenGrant(config, tokens.refresh_token ?? ''),
    ).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
    expect(judged.emulator.isAccessTokenAlive(refreshed.access_token)).toBe(false);
  });

  it('gets a token for the application itself', async () => {
    const config = await discover(clientId, openid.ClientSecretPost(clientSecret));
    const tokens = await openid.clientCredentialsGrant(config, {
      scope: 'api://perspiotalk/.default',
    });
    expect(tokens.refresh_token).toBeUndefined();
    expect(judged.emulator.isAccessTokenAlive(tokens.access_token)).toBe(true);
  });

  it('revokes a grant', async () => {
    const config = await discover(clientId, openid.ClientSecretPost(clientSecret));
    const { refreshToken = '', accessToken } = await judged.emulator.issueGrant({ clientId });
    await openid.tokenRevocation(config, refreshToken);
    expect(judged.emulator.isAccessTokenAlive(accessToken)).toBe(false);
    expect(judged.emulator.isRefreshTokenHonoured(refreshToken)).toBe(false);
  });

  it('is told of a wrong secret', async () => {
    const config = await discover(clientId, openid.ClientSecretPost('not the secret'));
    await expect(
      openid.clientCredentialsGrant(config, { scope: 'api://perspiotalk/.default' }),
    ).rejects.toMatchObject({ error: 'invalid_client', status: 401 });
  });

  it('waits for a device code until the person has decided', async () => {
    judged.emulator.signInAs(undefined);
    const config = await discover('perspio-public');
    const device = await openid.initiateDeviceAuthorization(config, {
      scope: `openid offline_access ${apiScope}`,
    });
    void judged.emulator.ledger.waitFor(1, { outcome: 'authorization_pending' }).then(() => {
      judged.emulator.decideDevice(device.user_code, { user: 'other@perspio.io' });
    });
    const tokens = await openid.pollDeviceAuthorizationGrant(config, device);
    expect(tokens.refresh_token).toBeDefined();
    expect(judged.emulator.isAccessTokenAlive(tokens.access_token)).toBe(true);
  });
});
