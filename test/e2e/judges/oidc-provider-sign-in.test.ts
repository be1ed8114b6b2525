import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { obtainByCode, type CodeRequest } from '../../../src/authorize/code.ts';
import { discover } from '../../../src/authorize/discovery.ts';
import type { AuthorizeDeps } from '../../../src/authorize/obtained.ts';
import { generic } from '../../../src/providers/generic.ts';
import { resolveProfile } from '../../../src/providers/profile.ts';
import { Secret } from '../../../src/secret.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { nodeHttp } from '../../../src/system/node-http.ts';
import { systemRandom } from '../../../src/system/random.ts';
import {
  decideInteraction,
  follow,
  INTERACTIONS,
  isInteraction,
} from '../../support/oidc-sign-in.ts';

/*
 * A strict authorization server written by others judges our sign-in: it demands PKCE and pushed requests, and announces `iss`.
 */

const http = nodeHttp();
const deps: AuthorizeDeps = { clock: systemClock, random: systemRandom, http };

let server: Server;
let issuer: string;

const hour = (): number => 3600;

const configuration = {
  clients: [
    {
      client_id: 'judge',
      client_secret: 'judge secret+~',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  ttl: {
    Interaction: hour,
    Session: hour,
    Grant: hour,
    AccessToken: hour,
    RefreshToken: hour,
    IdToken: hour,
  },
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access'],
  features: {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
  },
  interactions: INTERACTIONS,
  findAccount: (_context: unknown, accountId: string) => ({
    accountId,
    claims: () => ({ sub: accountId }),
  }),
};

beforeAll(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration);
  const callback = provider.callback();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void (isInteraction(request)
      ? decideInteraction(provider, 'judge', request, response)
      : callback(request, response));
  });
});

afterAll(() => {
  http.close();
  server.close();
  server.closeAllConnections();
});

async function request(): Promise<CodeRequest> {
  const found = await discover(deps, issuer, { insecureLoopback: true });
  expect(found).toMatchObject({ issuer, authorizationResponseIss: true });
  const profile = resolveProfile(generic, {
    ...found,
    insecureLoopback: true,
    authorizationParameters: { prompt: 'consent' },
  });
  expect(profile.pushedAuthorizationRequestEndpoint).toBeDefined();
  return {
    profile,
    clientId: 'judge',
    authentication: { method: 'client_secret_basic', secret: new Secret('judge secret+~') },
    scopes: ['openid', 'offline_access'],
    redirectUri: 'http://127.0.0.1/callback',
    prompt: { authorize: ({ url }) => follow(url) },
  };
}

describe('a strict server', () => {
  it('accepts our sign-in, and we accept its tokens', async () => {
    const obtained = await obtainByCode(deps, await request());
    expect(obtained.subject).toEqual({ issuer, id: 'alice', display: undefined });
    expect(obtained.tokens.refreshToken).toBeDefined();
    expect(obtained.granted).toEqual(['openid', 'offline_access']);
    expect(obtained.warnings).toEqual([]);
  });

  it('refuses a client with the wrong secret at the pushed request', async () => {
    const asked = await request();
    const authentication = { method: 'client_secret_basic', secret: new Secret('wrong') } as const;
    await expect(obtainByCode(deps, { ...asked, authentication })).rejects.toMatchObject({
      code: 'ERR_CLIENT_REFUSED',
    });
  });

  it('refuses a redirect URI that is not registered', async () => {
    const asked = await request();
    await expect(
      obtainByCode(deps, { ...asked, redirectUri: 'http://127.0.0.1/other' }),
    ).rejects.toMatchObject({ name: 'ClientRejectedError' });
  });
});
