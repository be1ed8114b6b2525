import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import Provider from 'oidc-provider';
import type { BeginOptions } from '../../../src/keeper-api.ts';
import { refreshAccessToken } from '../../../src/token-endpoint.ts';
import type { FreshTokens } from '../../support/kept-home.ts';
import type { KillJudge } from './random-kills.ts';

/*
 * oidc-provider, an authorization server that nobody here wrote: refresh tokens rotate at each use, and one that is used again takes its
 * whole grant along.
 */

const CLIENT = 'app';
const ACCOUNT = 'alice';
const SCOPE = 'openid offline_access';
const LIFE_S = 3_600;

/** The running server, which is also the judge of what it still honours. */
export interface ForeignServer extends KillJudge, AsyncDisposable {
  readonly registration: BeginOptions;
}

/** Starts it on loopback. Each answer takes a few milliseconds, before and after the commit. */
export async function startForeignServer(): Promise<ForeignServer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const provider = new Provider(issuer, configuration);
  const answer = provider.callback();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void delay(5).then(() => answer(request, response));
  });
  const tokenEndpoint = `${issuer}/token`;
  const lives = async (token: { readonly grantId: string } | undefined): Promise<boolean> =>
    token !== undefined && (await provider.Grant.find(token.grantId)) !== undefined;
  return {
    registration: {
      provider: 'generic',
      client: { clientId: CLIENT },
      overrides: { tokenEndpoint, insecureLoopback: true, rotation: 'single-use' },
    },
    signIn: () => signIn(provider, tokenEndpoint),
    async isHonoured(refreshToken) {
      const token = await provider.RefreshToken.find(refreshToken);
      return token?.consumed === undefined && (await lives(token));
    },
    isAlive: async (accessToken) => lives(await provider.AccessToken.find(accessToken)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A grant as a sign-in leaves it, and its first exchange. */
async function signIn(provider: Provider, tokenEndpoint: string): Promise<FreshTokens> {
  const grant = new provider.Grant({ accountId: ACCOUNT, clientId: CLIENT });
  grant.addOIDCScope(SCOPE);
  const grantId = await grant.save();
  const client = await provider.Client.find(CLIENT);
  const about = { accountId: ACCOUNT, client, grantId, scope: SCOPE, gty: 'authorization_code' };
  const first = await new provider.RefreshToken(about).save();
  const issued = await refreshAccessToken({
    tokenEndpoint,
    clientId: CLIENT,
    refreshToken: first,
    insecureLoopback: true,
  });
  const { accessToken, refreshToken = '' } = issued;
  return { accessToken, refreshToken, lifeMs: LIFE_S * 1_000 };
}

const life = (): number => LIFE_S;

const configuration = {
  clients: [
    {
      client_id: CLIENT,
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
  ],
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access'],
  ttl: {
    AccessToken: life,
    RefreshToken: life,
    Grant: life,
    IdToken: life,
    Session: life,
    Interaction: life,
  },
  features: { devInteractions: { enabled: false } },
  findAccount: (_context: unknown, accountId: string) => ({
    accountId,
    claims: () => ({ sub: accountId }),
  }),
};
