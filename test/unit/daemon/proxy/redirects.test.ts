import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startApi, type ApiServer } from '../../../support/api-server.ts';
import { startFront, type Front } from '../../../support/proxy-front.ts';

/*
 * Redirects of an API, each handed back: none is followed, and only one that leads to where the proxy itself would go leads through it.
 */

let api: ApiServer;
let second: ApiServer;
let foreign: ApiServer;
let front: Front;
let redirect: { readonly status: number; readonly location: string };

beforeAll(async () => {
  const redirecting = (): Promise<ApiServer> =>
    startApi((incoming, response) => {
      incoming.resume();
      const { status, location } = redirect;
      if (incoming.url !== '/from/here') return void response.end('arrived');
      response.writeHead(status, { location }).end('end');
    });
  [api, second, foreign] = await Promise.all([redirecting(), redirecting(), redirecting()]);
  front = await startFront({ origins: [api.origin, second.origin] });
});

beforeEach(() => {
  for (const { seen } of [api, second, foreign]) (seen as unknown[]).length = 0;
});

afterAll(async () => {
  await Promise.all([front, api, second, foreign].map((one) => one[Symbol.asyncDispose]()));
});

const through = (address: string): string => `/proxy/it/${address}`;

/** Where the API leads to, and what the caller is told. */
const PLACES: Record<string, () => readonly [location: string, told: string]> = {
  'another host': () => {
    const place = `http://localhost:${new URL(foreign.origin).port}/x`;
    return [place, place];
  },
  'another port': () => [`${foreign.origin}/x?y`, `${foreign.origin}/x?y`],
  'another scheme': () => {
    const place = `${api.origin.replace('http', 'https')}/x`;
    return [place, place];
  },
  'another host without a scheme': () => [`//localhost:1/x`, 'http://localhost:1/x'],
  'a host behind userinfo': () => {
    const place = `${api.origin}@${new URL(foreign.origin).host}/x`;
    return [place, new URL(place).href];
  },
  'the API with userinfo': () => {
    const place = `http://user:pw@${new URL(api.origin).host}/x`;
    return [place, place];
  },
  'a path of the API': () => ['/there?a=b#c', through(`${api.origin}/there?a=b#c`)],
  'a neighbour': () => ['there', through(`${api.origin}/from/there`)],
  'a step up': () => ['../there', through(`${api.origin}/there`)],
  'the API whole': () => [`${api.origin}/there`, through(`${api.origin}/there`)],
  'another origin of the API': () => [`${second.origin}/there`, through(`${second.origin}/there`)],
  'a path that the proxy refuses': () => ['/a%2fb', `${api.origin}/a%2fb`],
  'a script': () => ['javascript:alert(1)', 'javascript:alert(1)'],
};

const cases = [301, 302, 303, 307, 308].flatMap((status) =>
  Object.keys(PLACES).map((place) => [status, place] as const),
);

describe('a redirect', () => {
  it.each(cases)('with %d to %s is handed back', async (status, place) => {
    const [location, told] = PLACES[place]?.() ?? ['', ''];
    redirect = { status, location };
    const method = status < 304 ? 'GET' : 'POST';
    const response = await fetch(`${front.url}/from/here`, { method, redirect: 'manual' });
    expect([response.status, await response.text()]).toEqual([status, 'end']);
    expect(response.headers.get('location')).toBe(told);
    expect([api.seen.length, second.seen.length, foreign.seen.length]).toEqual([1, 0, 0]);
  });

  it('within the API can be followed by the caller', async () => {
    redirect = { status: 307, location: `${second.origin}/there` };
    const response = await fetch(`${front.url}/from/here`, { method: 'POST', body: 'x' });
    expect(await response.text()).toBe('arrived');
    expect(second.seen[0]?.headers.authorization).toContain('canary-token');
  });

  it('that the caller follows elsewhere takes no token along', async () => {
    redirect = { status: 302, location: `${foreign.origin}/there` };
    expect(await (await fetch(`${front.url}/from/here`)).text()).toBe('arrived');
    expect(foreign.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('is none where something was made: its address is told whole', async () => {
    redirect = { status: 201, location: '/made/1' };
    const response = await fetch(`${front.url}/from/here`, { method: 'POST' });
    expect(response.headers.get('location')).toBe(`${api.origin}/made/1`);
  });
});
