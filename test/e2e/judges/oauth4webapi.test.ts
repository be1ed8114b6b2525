import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import {
  apiScope,
  clientId,
  clientSecret,
  judgedEmulator,
  redirectUri,
} from './judged-emulator.ts';

const judged = judgedEmulator();

describe('oauth4webapi', () => {
  const client: oauth.Client = { client_id: clientId };
  const authentication = oauth.ClientSecretPost(clientSecret);
  const options = () => ({
    [oauth.customFetch]: (url: string, init: Parameters<typeof judged.fetch>[1]) =>
      judged.fetch(url, init),
  });

  async function discover(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(judged.emulator.issuer);
    const response = await oauth.discoveryRequest(issuer, options());
    return oauth.processDiscoveryResponse(issuer, response);
  }

  /** Where the browser is sent after the sign-in, and what belongs to it. */
  async function signIn(server: oauth.AuthorizationServer, redirect = redirectUri) {
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const url = new URL(server.authorization_endpoint ?? '');
    url.search = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirect,
      scope: `openid offline_access ${apiScope}`,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }).toString();
    return { answer: await judged.visit(url.href), verifier, state };
  }

  async function redeem(
    server: oauth.AuthorizationServer,
    parameters: URLSearchParams,
    verifier: string,
    redirect = redirectUri,
  ): Promise<oauth.TokenEndpointResponse> {
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      parameters,
      redirect,
      verifier,
      options(),
    );
    return oauth.processAuthorizationCodeResponse(server, client, response);
  }

  async function refresh(server: oauth.AuthorizationServer, token: string) {
    const response = await oauth.refreshTokenGrantRequest(
      server,
      client,
      authentication,
      token,
      options(),
    );
    return oauth.processRefreshTokenResponse(server, client, response);
  }

  it('accepts iss, redeems a code with PKCE at any loopback port, and refreshes with rotation', async () => {
    const server = await discover();
    expect(server.authorization_response_iss_parameter_supported).toBe(true);
    const redirect = 'http://localhost:49152/callback';
    const { answer, verifier, state } = await signIn(server, redirect);
    expect(answer.port).toBe('49152');
    expect(answer.searchParams.get('iss')).toBe(judged.emulator.issuer);
    const parameters = oauth.validateAuthResponse(server, client, answer, state);
    const first = await redeem(server, parameters, verifier, redirect);
    const second = await refresh(server, first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(judged.emulator.isAccessTokenAlive(second.access_token)).toBe(true);
  });

  it('refuses an answer whose iss is another', async () => {
    const server = await discover();
    const { answer, state } = await signIn(server);
    answer.searchParams.set('iss', 'https://elsewhere.example');
    expect(() => oauth.validateAuthResponse(server, client, answer, state)).toThrow(/"iss"/);
  });

  it('finds the whole family revoked after a replay', async () => {
    const server = await discover();
    const { answer, verifier, state } = await signIn(server);
    const parameters = oauth.validateAuthResponse(server, client, answer, state);
    const first = await redeem(server, parameters, verifier);
    const second = await refresh(server, first.refresh_token ?? '');
    await expect(refresh(server, first.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(refresh(server, second.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(judged.emulator.isAccessTokenAlive(second.access_token)).toBe(false);
  });

  it('revokes a grant by its refresh token', async () => {
    const server = await discover();
    const { refreshToken = '', accessToken } = await judged.emulator.issueGrant({ clientId });
    const response = await oauth.revocationRequest(
      server,
      client,
      authentication,
      refreshToken,
      options(),
    );
    await oauth.processRevocationResponse(response);
    expect(judged.emulator.isAccessTokenAlive(accessToken)).toBe(false);
  });

  it('is refused a code that is redeemed with another verifier', async () => {
    const server = await discover();
    const { answer, state } = await signIn(server);
    const parameters = oauth.validateAuthResponse(server, client, answer, state);
    const another = oauth.generateRandomCodeVerifier();
    await expect(redeem(server, parameters, another)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });
});
