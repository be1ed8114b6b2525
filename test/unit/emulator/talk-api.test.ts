import { beforeEach, describe, expect, it } from 'vitest';
import type { Emulator, EmulatorOptions, Fault } from '../../../src/emulator/emulator.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import { call, requestToken, type Reply } from '../../support/emulator-requests.ts';

const startEmulator = emulatorFixture();
let emulator: Emulator;
let token: string;

async function start(options: EmulatorOptions = {}): Promise<void> {
  emulator = await startEmulator(options);
  token = (await emulator.issueGrant()).accessToken;
}

beforeEach(() => start());

/** Calls the API; headers given replace the right ones, undefined removes one. */
function api(
  path: string,
  headers: Record<string, string | undefined> = {},
  options: RequestInit = {},
): Promise<Reply> {
  const all = {
    authorization: `Bearer ${token}`,
    'ocp-apim-subscription-key': 'demo-subscription-key',
    tid: 'in-demo',
    ...headers,
  };
  const given = Object.entries(all).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return call(`${emulator.apiBase}${path}`, { ...options, headers: Object.fromEntries(given) });
}

async function applicationToken(): Promise<string> {
  const scope = 'api://perspiotalk/.default';
  const reply = await requestToken(emulator, { grant_type: 'client_credentials', scope });
  return String(reply.json()['access_token']);
}

describe('the API', () => {
  it.each(['/assets/v3/', '/locations/v3/labels', '/sites/v3/', '/directory/v3/user'])(
    'serves %s',
    async (path) => {
      const reply = await api(path);
      expect(reply.status).toBe(200);
      expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
    },
  );

  it('shows who is signed in', async () => {
    expect((await api('/directory/v3/user')).json()).toMatchObject({ id: 'demo@perspio.io' });
  });

  it('lets a person write and an application only read', async () => {
    const change = { method: 'PATCH', body: '{"name":"Renamed"}' };
    expect((await api('/assets/v3/in-000120', {}, change)).json()).toEqual({
      id: 'in-000120',
      name: 'Renamed',
    });
    token = await applicationToken();
    expect((await api('/assets/v3/')).status).toBe(200);
    expect((await api('/assets/v3/in-000120', {}, change)).status).toBe(403);
  });

  it('answers 404, 405 and 400 as documented', async () => {
    expect((await api('/assets/v3/in-999999')).status).toBe(404);
    expect((await api('/nothing/v1')).status).toBe(404);
    expect((await api('/assets/v3/', {}, { method: 'DELETE' })).status).toBe(405);
    const broken = { method: 'PATCH', body: '{' };
    expect((await api('/assets/v3/in-000120', {}, broken)).status).toBe(400);
  });
});

describe('the gateway', () => {
  it.each([
    ['a missing key', undefined, /missing/],
    ['a wrong key', 'wrong', /invalid/],
  ])('refuses %s before it looks at the token', async (_what, key, message) => {
    const reply = await api('/assets/v3/', {
      'ocp-apim-subscription-key': key,
      authorization: undefined,
    });
    expect(reply.status).toBe(401);
    expect(reply.json()).toMatchObject({ statusCode: 401 });
    expect(reply.json()['message']).toMatch(message);
    expect(reply.headers.get('www-authenticate')).toBeNull();
  });

  it('limits an application to 20 requests in any 90 seconds', async () => {
    for (let i = 0; i < 20; i++) {
      if (i === 10) emulator.clock.advance(30_000);
      expect((await api('/sites/v3/')).status).toBe(200);
    }
    const limited = await api('/sites/v3/');
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(55);
    expect(Number(limited.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    emulator.clock.advance(60_000);
    expect((await api('/sites/v3/')).status).toBe(200);
  });

  it('answers 403 with Retry-After once the quota of the hour is spent', async () => {
    await start({ apiLimits: { quota: 2 } });
    await api('/sites/v3/');
    await api('/sites/v3/');
    const spent = await api('/sites/v3/');
    expect(spent.status).toBe(403);
    const seconds = Number(spent.headers.get('retry-after'));
    emulator.clock.advance(seconds * 1000);
    expect((await api('/sites/v3/')).status).toBe(200);
  });

  it('counts answers against the bandwidth', async () => {
    await start({ apiLimits: { bandwidthBytes: 10 } });
    expect((await api('/sites/v3/')).status).toBe(200);
    expect((await api('/sites/v3/')).status).toBe(403);
  });
});

describe('a token', () => {
  it.each([
    ['missing', () => undefined],
    ['unknown', () => 'Bearer unknown'],
    ['of another scheme', () => `Basic ${token}`],
  ])('that is %s is refused with a challenge', async (_what, authorization) => {
    const reply = await api('/assets/v3/', { authorization: authorization() });
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/);
  });

  it('dies at its expiry', async () => {
    emulator.clock.advance(3_500_000);
    expect((await api('/assets/v3/')).status).toBe(200);
    emulator.clock.advance(2_000_000);
    expect((await api('/assets/v3/')).status).toBe(401);
  });

  it('dies with its family, at once', async () => {
    emulator.revokeGrant('grant-1');
    expect((await api('/assets/v3/')).status).toBe(401);
  });

  it('for another API is refused', async () => {
    const issued = await emulator.issueGrant({ scope: 'User.Read' });
    token = issued.accessToken;
    expect((await api('/assets/v3/')).status).toBe(401);
  });

  it('with the tenant header of somebody else is refused, without one it is not', async () => {
    expect((await api('/assets/v3/', { tid: 'in-other' })).status).toBe(401);
    expect((await api('/assets/v3/', { tid: undefined })).status).toBe(200);
  });
});

describe('a fault of the API', () => {
  it.each<[Fault, number]>([
    ['api-key-missing', 401],
    ['api-key-invalid', 401],
    ['token-rejected', 401],
    ['quota-exceeded', 403],
    ['rate-limited', 429],
    ['claims-challenge', 401],
  ])('%s strikes the API and not the token endpoint', async (fault, status) => {
    emulator.faults.next(fault);
    await applicationToken();
    expect((await api('/assets/v3/')).status).toBe(status);
    expect((await api('/assets/v3/')).status).toBe(200);
  });

  it('claims-challenge carries claims in base64', async () => {
    emulator.faults.next({ kind: 'claims-challenge', claims: '{"access_token":{"nbf":1}}' });
    const challenge = (await api('/assets/v3/')).headers.get('www-authenticate') ?? '';
    expect(challenge).toMatch(
      /^Bearer realm="", authorization_uri="http.+", error="insufficient_claims"/,
    );
    const encoded = /claims="([^"]+)"/.exec(challenge)?.[1] ?? '';
    expect(Buffer.from(encoded, 'base64').toString()).toBe('{"access_token":{"nbf":1}}');
  });

  it('may be any other, where it is told to strike the API', async () => {
    emulator.faults.next('server-error', { endpoint: 'api' });
    expect((await api('/assets/v3/')).status).toBe(500);
  });
});
