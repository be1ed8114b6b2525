import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { obtainByCode } from '../../../src/authorize/code.ts';
import { discover } from '../../../src/authorize/discovery.ts';
import type { Obtained } from '../../../src/authorize/obtained.ts';
import type { BeginOptions } from '../../../src/keeper-api.ts';
import { generic } from '../../../src/providers/generic.ts';
import { resolveProfile, type ProfileOverrides } from '../../../src/providers/profile.ts';
import { Secret } from '../../../src/secret.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { nodeHttp } from '../../../src/system/node-http.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { makeKeptHome, type FreshTokens, type KeptHome } from '../../support/kept-home.ts';
import { startWorkersProvider, type WorkersProvider } from '../../support/workers-provider.ts';

/*
 * A server by others judges our sign-in and the keeper. It announces `iss`, insists on the client authentication that was registered, and
 * rotates in a way of its own: a refresh token stays good until the one that replaced it is used.
 */

const HOUR_MS = 3_600_000;
const SECRET = 'a secret: +~%/ü';
const SCOPES = ['read', 'write'];
const METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const;

type Method = (typeof METHODS)[number];

interface Registered {
  readonly clientId: string;
  readonly method: Method;
}

let server: WorkersProvider;
/** Where the browser of the last sign-in ended. */
let landed: URL;

beforeEach(async () => {
  // It warns once of what it could do elsewhere.
  vi.spyOn(console, 'warn').mockReturnValue();
  server = await startWorkersProvider();
});
afterEach(() => server[Symbol.asyncDispose]());

async function register(method: Method): Promise<Registered> {
  const { clientId } = await server.admin.createClient({
    redirectUris: ['http://127.0.0.1/callback'],
    tokenEndpointAuthMethod: method,
  });
  if (method !== 'none') await server.admin.updateClient(clientId, { clientSecret: SECRET });
  return { clientId, method };
}

/** Signs in as a person's browser does. */
async function signIn(
  { clientId, method }: Registered,
  { secret = SECRET, overrides }: { secret?: string; overrides?: ProfileOverrides } = {},
): Promise<Obtained> {
  const http = nodeHttp();
  const deps = { clock: systemClock, random: systemRandom, http };
  try {
    const found = await discover(deps, server.issuer, { insecureLoopback: true });
    return await obtainByCode(deps, {
      profile: resolveProfile(generic, { ...found, insecureLoopback: true, ...overrides }),
      clientId,
      authentication: method === 'none' ? { method } : { method, secret: new Secret(secret) },
      scopes: SCOPES,
      redirectUri: 'http://127.0.0.1/callback',
      prompt: {
        async authorize({ url }) {
          const page = await fetch(url);
          await page.text();
          landed = new URL(page.url);
        },
      },
    });
  } finally {
    http.close();
  }
}

async function greeting(accessToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const answer = await fetch(server.api, { headers });
  await answer.text();
  return answer.status;
}

/** Sends a public client's token request past evergrant. */
async function send(clientId: string, parameters: Record<string, string>): Promise<unknown> {
  const body = new URLSearchParams({ client_id: clientId, ...parameters });
  const answer = await fetch(`${server.issuer}/token`, { method: 'POST', body });
  const text = await answer.text();
  return text === '' ? undefined : (JSON.parse(text) as { error?: unknown }).error;
}

describe('our sign-in at the provider for Cloudflare Workers', () => {
  it.each(METHODS)('is accepted with %s, and its tokens by the API', async (method) => {
    const { tokens, granted, warnings } = await signIn(await register(method));
    expect(granted).toEqual(SCOPES);
    expect(warnings).toEqual([]);
    expect(tokens.refreshToken).toBeDefined();
    expect(await greeting(tokens.accessToken.reveal())).toBe(200);
    expect(await greeting('another')).toBe(401);
  });

  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'with a wrong secret by %s is told as the refusal of the client',
    async (method) => {
      const signedIn = signIn(await register(method), { secret: 'wrong' });
      await expect(signedIn).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    },
  );

  it('with another client authentication than was registered is told so that it is looked for', async () => {
    const { clientId } = await register('client_secret_basic');
    const signedIn = signIn({ clientId, method: 'client_secret_post' });
    await expect(signedIn).rejects.toMatchObject({
      code: 'ERR_CLIENT_REFUSED',
      message: expect.stringContaining('how the client is registered to prove itself') as string,
    });
  });

  it('that the person declines is told as declined', async () => {
    server.grants = () => undefined;
    const signedIn = signIn(await register('none'));
    await expect(signedIn).rejects.toMatchObject({ code: 'ERR_AUTHORIZATION_DENIED' });
  });

  it('tells what was asked for but not granted', async () => {
    server.grants = () => ['read'];
    const { granted, warnings } = await signIn(await register('none'));
    expect(granted).toEqual(['read']);
    expect(warnings).toEqual(['asked for but not granted: write']);
  });

  it('may name the resource, and another than the server has is told as the refusal of the request', async () => {
    const client = await register('none');
    const naming = (resource: string): Promise<Obtained> =>
      signIn(client, { overrides: { tokenParameters: { resource } } });
    const { tokens } = await naming(server.api);
    expect(await greeting(tokens.accessToken.reveal())).toBe(200);
    await expect(naming(`${server.api}/other`)).rejects.toMatchObject({
      code: 'ERR_REQUEST_REFUSED',
      refusal: { error: 'invalid_target' },
    });
  });

  it('while the server is throttled is told until when to wait', async () => {
    server.throttleNextToken();
    await expect(signIn(await register('none'))).rejects.toMatchObject({
      code: 'ERR_SERVER_THROTTLED',
      retryAt: expect.any(Number) as number,
    });
  });
});

describe('the keeper at the provider for Cloudflare Workers', () => {
  let home: KeptHome;
  let client: Registered;

  async function keep(method: Method, overrides?: ProfileOverrides): Promise<void> {
    client = await register(method);
    const clientSecret = method === 'none' ? {} : { clientSecret: SECRET };
    const begin: BeginOptions = {
      provider: 'generic',
      client: { clientId: client.clientId, authentication: method, ...clientSecret },
      overrides: {
        tokenEndpoint: `${server.issuer}/token`,
        revocationEndpoint: `${server.issuer}/token`,
        insecureLoopback: true,
        api: { origins: [server.issuer], base: server.api },
        ...overrides,
      },
    };
    home = await makeKeptHome(begin, await freshTokens());
  }
  afterEach(() => home[Symbol.asyncDispose]());

  async function freshTokens(): Promise<FreshTokens> {
    const { tokens } = await signIn(client);
    return {
      refreshToken: tokens.refreshToken?.reveal() ?? '',
      accessToken: tokens.accessToken.reveal(),
      lifeMs: tokens.accessLifeMs ?? 0,
    };
  }

  /** A token after the life of the last. */
  async function nextToken(demand?: { timeoutMs: number }): ReturnType<KeptHome['token']> {
    home.aheadMs += HOUR_MS;
    return home.token(demand);
  }

  /** Uses a refresh token past the keeper. */
  async function replay(token: string): Promise<unknown> {
    return send(client.clientId, { grant_type: 'refresh_token', refresh_token: token });
  }

  it.each(METHODS)('refreshes with %s, and keeps each new refresh token', async (method) => {
    await keep(method);
    const seen = new Set([(await home.look()).refreshToken]);
    for (let generation = 2; generation <= 4; generation++) {
      const token = await nextToken();
      expect(token).toMatchObject({ generation });
      if ('value' in token) expect(await greeting(token.value)).toBe(200);
      seen.add((await home.look()).refreshToken);
    }
    expect(seen.size).toBe(4);
  });

  it('is not harmed by a refresh token that is used up', async () => {
    await keep('none');
    const first = (await home.look()).refreshToken;
    await nextToken();
    await nextToken();
    expect(await replay(first)).toBe('invalid_grant');
    expect(await nextToken()).toMatchObject({ generation: 4 });
  });

  it('tells that its refresh token is used up after a thief has used the one before it, and its owner is asked', async () => {
    await keep('none');
    const first = (await home.look()).refreshToken;
    await nextToken();
    expect(await replay(first)).toBeUndefined();
    expect(await nextToken()).toMatchObject({ code: 'ERR_GRANT_REFUSED' });
    expect((await home.look()).notices).toEqual(['attention']);
  });

  it('tells that the grant is revoked after the code was used again, until there is a new one', async () => {
    await keep('none');
    const code = landed.searchParams.get('code') ?? '';
    const redirect_uri = `${landed.origin}${landed.pathname}`;
    expect(
      await send(client.clientId, { grant_type: 'authorization_code', code, redirect_uri }),
    ).toBe('invalid_grant');
    expect(await nextToken()).toMatchObject({ code: 'ERR_GRANT_REFUSED' });
    await home.signIn(await freshTokens());
    expect(await nextToken()).toHaveProperty('value');
  });

  it('tells that the grant is revoked after the same person has signed in once more elsewhere', async () => {
    await keep('client_secret_basic');
    await freshTokens();
    expect(await nextToken()).toMatchObject({ code: 'ERR_GRANT_REFUSED' });
  });

  it('recovers by its last try when an answer is lost, since the refresh token that it sent is still good', async () => {
    await keep('none');
    server.loseNextAnswer();
    const before = (await home.look()).refreshToken;
    home.aheadMs += HOUR_MS - 60_000;
    expect(await home.token()).toMatchObject({ generation: 1 });
    expect((await home.look()).connection.state.kind).toBe('uncertain');
    home.aheadMs += 60_000;
    expect(await home.token()).toMatchObject({ generation: 2 });
    const { refreshToken, connection, notices } = await home.look();
    expect(refreshToken).not.toBe(before);
    expect(connection.state.kind).toBe('active');
    expect(notices).toEqual(['uncertain', 'recovered']);
  });

  it('sends again at once when an answer is lost and the server is known to give a grace', async () => {
    await keep('none', { rotation: 'grace', graceMs: 10 * HOUR_MS });
    server.loseNextAnswer();
    const before = server.seen.length;
    expect(await nextToken()).toMatchObject({ generation: 2 });
    expect(server.seen.length - before).toBe(2);
    expect((await home.look()).notices).toEqual([]);
  });

  it('waits when the server is throttled after it has used up the refresh token', async () => {
    await keep('none');
    server.throttleNextToken();
    expect(await nextToken({ timeoutMs: 1_000 })).toHaveProperty('code');
    expect((await home.look()).connection.state.kind).toBe('active');
    expect(await nextToken()).toHaveProperty('value');
  });

  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'tells that a secret by %s was replaced at the server, and goes on with the new one',
    async (method) => {
      await keep(method);
      const clientSecret = 'another secret';
      await server.admin.updateClient(client.clientId, { clientSecret });
      expect(await nextToken()).toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
      expect((await home.look()).notices).toEqual(['client_refused']);
      await home.visit((_connection, { keeper }) =>
        keeper.setClientSecret(client.clientId, clientSecret),
      );
      expect(await home.token()).toMatchObject({ generation: 2 });
    },
  );

  it('renews a token that the API refuses, and the call succeeds', async () => {
    await keep('none');
    const token = await home.token();
    const value = 'value' in token ? token.value : '';
    expect(await send(client.clientId, { token: value })).toBeUndefined();
    expect(await greeting(value)).toBe(401);
    const answer = await home.visit(async (connection) => {
      const response = await connection.fetch('');
      return [response.status, await response.text()];
    });
    expect(answer).toEqual([200, 'welcome']);
    expect(await home.token()).toMatchObject({ generation: 2 });
  });

  it.each(METHODS)('revokes the whole grant with %s when it disconnects', async (method) => {
    await keep(method);
    const token = await home.token();
    await home.visit((connection) => connection.disconnect());
    expect(await greeting('value' in token ? token.value : '')).toBe(401);
    expect((await server.admin.listUserGrants('alice')).items).toEqual([]);
  });
});
