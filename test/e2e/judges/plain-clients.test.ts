import { OAuth2Client, CodeChallengeMethod } from 'google-auth-library';
import { AuthorizationCode, type AccessToken } from 'simple-oauth2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmulator, type Emulator } from '../../../src/emulator/emulator.ts';
import { apiScope, clientId, clientSecret, redirectUri } from './judged-emulator.ts';

/*
 * Two more clients by others, of the plain kind: they know no discovery and speak to the emulator without TLS.
 */

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator({
    autoSignIn: 'demo@perspio.io',
    rotation: 'single-use',
    revocationEndpoint: true,
  });
});
afterEach(() => emulator.close());

/** Goes to the authorization URL as a browser would. @returns the code that it is given. */
async function codeFrom(url: string): Promise<string> {
  const { headers } = await fetch(url, { redirect: 'manual' });
  return new URL(headers.get('location') ?? '').searchParams.get('code') ?? '';
}

const scope = `openid offline_access ${apiScope}`;

describe('simple-oauth2', () => {
  function client(): AuthorizationCode {
    const pathOf = (url: string): string => new URL(url).pathname;
    return new AuthorizationCode({
      client: { id: clientId, secret: clientSecret },
      auth: {
        tokenHost: emulator.origin,
        tokenPath: pathOf(emulator.tokenEndpoint),
        authorizePath: pathOf(emulator.authorizationEndpoint),
        revokePath: pathOf(emulator.tokenEndpoint).replace(/token$/, 'revoke'),
      },
      // Its revocation demands a body of JSON otherwise; RFC 7009 asks for none.
      http: { json: 'force' },
      options: { authorizationMethod: 'body' },
    });
  }

  async function signedIn(): Promise<AccessToken> {
    const url = client().authorizeURL({ redirect_uri: redirectUri, scope, state: 's' });
    return client().getToken({ code: await codeFrom(url), redirect_uri: redirectUri, scope });
  }

  it('redeems a code, refreshes with rotation, and is refused a replay', async () => {
    const first = await signedIn();
    const second = await first.refresh();
    expect(second.token['refresh_token']).not.toBe(first.token['refresh_token']);
    expect(emulator.isAccessTokenAlive(String(second.token['access_token']))).toBe(true);
    await expect(first.refresh()).rejects.toMatchObject({ output: { statusCode: 400 } });
    expect(emulator.isAccessTokenAlive(String(second.token['access_token']))).toBe(false);
  });

  it('revokes what it got', async () => {
    const token = await signedIn();
    await token.revoke('refresh_token');
    expect(emulator.isAccessTokenAlive(String(token.token['access_token']))).toBe(false);
  });
});

describe('google-auth-library', () => {
  function client(): OAuth2Client {
    return new OAuth2Client({
      clientId,
      clientSecret,
      redirectUri,
      endpoints: {
        oauth2AuthBaseUrl: emulator.authorizationEndpoint,
        oauth2TokenUrl: emulator.tokenEndpoint,
      },
    });
  }

  it('redeems a code with PKCE and refreshes for each call that finds no living token', async () => {
    const google = client();
    const { codeVerifier, codeChallenge } = await google.generateCodeVerifierAsync();
    const url = google.generateAuthUrl({
      scope,
      response_type: 'code',
      ...(codeChallenge !== undefined && { code_challenge: codeChallenge }),
      code_challenge_method: CodeChallengeMethod.S256,
    });
    const { tokens } = await google.getToken({ code: await codeFrom(url), codeVerifier });
    expect(emulator.isAccessTokenAlive(tokens.access_token ?? '')).toBe(true);

    google.setCredentials({ refresh_token: tokens.refresh_token ?? null });
    const { token } = await google.getAccessToken();
    expect(token).not.toBe(tokens.access_token);
    expect(emulator.isAccessTokenAlive(token ?? '')).toBe(true);
    expect(emulator.ledger.entries({ grantType: 'refresh_token' })).toMatchObject([
      { outcome: 'issued', presentedGeneration: 1, issuedGeneration: 2 },
    ]);
  });

  it('is told of a grant that was revoked', async () => {
    const google = client();
    const { refreshToken = '' } = await emulator.issueGrant({ clientId });
    emulator.revokeUser('demo@perspio.io');
    google.setCredentials({ refresh_token: refreshToken });
    await expect(google.getAccessToken()).rejects.toThrow('invalid_grant');
  });
});
