import { OAuth2Server } from 'oauth2-mock-server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeKeptHome, type KeptHome } from '../../support/kept-home.ts';

/*
 * A tolerant server by others judges the keeper: it takes any refresh token and gives a new one each time.
 */

const HOUR_MS = 3_600_000;
let server: OAuth2Server;
let home: KeptHome;

beforeEach(async () => {
  server = new OAuth2Server();
  await server.issuer.keys.generate('RS256');
  await server.start(0, '127.0.0.1');
  const tokenEndpoint = `${server.issuer.url ?? ''}/token`;
  const overrides = { tokenEndpoint, insecureLoopback: true, rotation: 'reusable' } as const;
  home = await makeKeptHome(
    { provider: 'generic', client: { clientId: 'mock' }, overrides },
    { refreshToken: 'first', accessToken: 'first-access', lifeMs: HOUR_MS },
  );
});
afterEach(async () => {
  await home[Symbol.asyncDispose]();
  await server.stop();
});

it('the keeper refreshes there, and keeps the refresh token that comes with each answer', async () => {
  home.aheadMs += HOUR_MS;
  expect(await home.token()).toMatchObject({ generation: 2 });
  const { refreshToken } = await home.look();
  expect(refreshToken).not.toBe('first');
  home.aheadMs += HOUR_MS;
  expect(await home.token()).toMatchObject({ generation: 3 });
  expect((await home.look()).refreshToken).not.toBe(refreshToken);
});

it('429 is waited for, and condemns nothing', async () => {
  server.service.once('beforeResponse', (response) => {
    response.statusCode = 429;
    response.body = { error: 'slow_down' };
  });
  home.aheadMs += HOUR_MS;
  expect(await home.token({ timeoutMs: 1_000 })).toHaveProperty('code');
  expect((await home.look()).connection.state.kind).toBe('active');
  home.aheadMs += HOUR_MS;
  expect(await home.token()).toMatchObject({ generation: 2 });
});

it('an answer that is no object is not taken for one, and the next request heals', async () => {
  server.service.once('beforeResponse', (response) => {
    response.body = '';
  });
  home.aheadMs += HOUR_MS;
  expect(await home.token({ timeoutMs: 1_000 })).toHaveProperty('code');
  home.aheadMs += HOUR_MS;
  expect(await home.token()).toMatchObject({ generation: 2 });
});
