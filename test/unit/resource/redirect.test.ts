import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AccessToken } from '../../../src/access-token.ts';
import { callApi, type ApiDeps } from '../../../src/resource/call.ts';
import { newApiMemory } from '../../../src/resource/memory.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { systemFetch } from '../../../src/system/fetch.ts';

/*
 * Redirects over the real fetch: from an API that may be sent the token to places that may not. Whatever arrives at the foreign listener is
 * a leak.
 */

interface Site {
  readonly server: Server;
  readonly port: number;
  readonly seen: IncomingMessage[];
}

let api: Site;
let second: Site;
let foreign: Site;
let redirect: { readonly status: number; readonly location: string | undefined };
let deps: ApiDeps;

async function site(): Promise<Site> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    const hops = Number(/^\/hop\/(\d+)$/.exec(request.url ?? '')?.[1] ?? '0');
    if (request.url === '/redirect') {
      const { status, location } = redirect;
      response.writeHead(status, location === undefined ? {} : { location });
    } else if (hops > 0) {
      response.writeHead(307, { location: `/hop/${hops - 1}` });
    }
    response.end('end');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, seen };
}

beforeAll(async () => {
  [api, second, foreign] = await Promise.all([site(), site(), site()]);
});

afterAll(() => {
  for (const { server } of [api, second, foreign]) {
    server.close();
    server.closeAllConnections();
  }
});

beforeEach(() => {
  for (const { seen } of [api, second, foreign]) seen.length = 0;
  const origin = `http://127.0.0.1:${api.port}`;
  const token = new AccessToken('at-1', {
    type: 'Bearer',
    scope: [],
    expiresAt: 0,
    generation: 1,
  });
  deps = {
    token: () => Promise.resolve(token),
    api: { origins: [origin, `http://127.0.0.1:${second.port}`], base: origin },
    settings: {},
    transport: systemFetch,
    clock: systemClock,
    memory: newApiMemory(),
  };
});

const statuses = [301, 302, 303, 307, 308];
const places: Record<string, () => string> = {
  'another port': () => `http://127.0.0.1:${foreign.port}/`,
  'another host': () => `http://localhost:${foreign.port}/`,
  'another host without a scheme': () => `//localhost:${foreign.port}/`,
  'another scheme': () => `https://127.0.0.1:${api.port}/`,
  'a host behind userinfo': () => `http://127.0.0.1:${api.port}@127.0.0.1:${foreign.port}/`,
  'the API with userinfo': () => `http://user:pw@127.0.0.1:${api.port}/leak`,
};
const cases = statuses.flatMap((status) =>
  Object.keys(places).flatMap((place) =>
    ['GET', 'POST'].map((method) => [status, method, place] as const),
  ),
);

describe('a redirect', () => {
  it.each(cases)('with %d of a %s to %s is handed back', async (status, method, place) => {
    redirect = { status, location: places[place]?.() };
    const response = await callApi(deps, '/redirect', { method });
    expect(response.status).toBe(status);
    expect(await response.text()).toBe('end');
    expect(foreign.seen).toEqual([]);
    expect(api.seen).toHaveLength(1);
  });

  it('within the API is followed with the token, five times at most', async () => {
    expect((await callApi(deps, '/hop/5')).status).toBe(200);
    expect(api.seen).toHaveLength(6);
    expect(api.seen.every(({ headers }) => headers.authorization === 'Bearer at-1')).toBe(true);
    const response = await callApi(deps, '/hop/6');
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('/hop/0');
  });

  it('to another origin of the API is followed with the token', async () => {
    redirect = { status: 302, location: `http://127.0.0.1:${second.port}/x` };
    expect((await callApi(deps, '/redirect')).status).toBe(200);
    expect(second.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer at-1']);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'of a %s within the API is handed back',
    async (method) => {
      redirect = { status: 307, location: '/hop/0' };
      expect((await callApi(deps, '/redirect', { method })).status).toBe(307);
      expect(api.seen).toHaveLength(1);
    },
  );

  it('of a HEAD within the API is followed', async () => {
    redirect = { status: 301, location: '/hop/0' };
    expect((await callApi(deps, '/redirect', { method: 'HEAD' })).status).toBe(200);
  });

  it.each([undefined, 'http://', 'http://127.0.0.1:99999/'])(
    'without a usable location is handed back: %s',
    async (location) => {
      redirect = { status: 302, location };
      expect((await callApi(deps, '/redirect')).status).toBe(302);
    },
  );

  it('is handed back or refused where the call says so', async () => {
    redirect = { status: 302, location: '/hop/0' };
    expect((await callApi(deps, '/redirect', { redirect: 'manual' })).status).toBe(302);
    await expect(callApi(deps, '/redirect', { redirect: 'error' })).rejects.toThrow(TypeError);
    expect(api.seen).toHaveLength(2);
  });
});
