import { beforeEach, describe, expect, it } from 'vitest';
import { AccessToken } from '../../../src/access-token.ts';
import { callApi, type ApiDeps } from '../../../src/resource/call.ts';
import type { ApiFinding } from '../../../src/resource/exchange.ts';
import { findProvider } from '../../../src/providers/providers.ts';
import { newApiMemory } from '../../../src/resource/memory.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/*
 * An API that knows which tokens it likes, and a keeper that makes a new generation whenever a refused one is the newest.
 */

interface Call {
  readonly url: string;
  readonly method: string;
  readonly authorization: string | null;
  readonly body: unknown;
}

const INVALID = { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } };

let generation: number;
let refreshes: number;
let likedFrom: number;
let calls: Call[];
let findings: ApiFinding[];
let answer: (call: Call) => Response;
let deps: ApiDeps;

beforeEach(() => {
  generation = 1;
  refreshes = 0;
  likedFrom = 2;
  calls = [];
  findings = [];
  answer = ({ authorization }) =>
    Number(authorization?.replace('Bearer at-', '')) >= likedFrom
      ? new Response('fine')
      : new Response('no', INVALID);
  deps = {
    token: async ({ rejected }) => {
      await Promise.resolve();
      if (rejected?.generation === generation) {
        refreshes++;
        generation++;
      }
      return tokenOf(generation);
    },
    api: { origins: ['https://talk.example'], base: 'https://talk.example' },
    settings: {},
    transport: async (input, init = {}) => {
      const call = {
        url: String(input),
        method: init.method ?? 'GET',
        authorization: new Headers(init.headers).get('authorization'),
        body: init.body,
      };
      calls.push(call);
      await Promise.resolve();
      return answer(call);
    },
    clock: fakeClock(),
    memory: newApiMemory(),
    report: (finding) => findings.push(finding),
  };
});

function tokenOf(number: number): AccessToken {
  return new AccessToken(`at-${number}`, {
    type: 'Bearer',
    scope: [],
    expiresAt: 0,
    generation: number,
  });
}

/** A body without end that tells when nobody wants it. */
function endless(cancelled: () => Promise<void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
    cancel: cancelled,
  });
}

describe('a call whose token is refused', () => {
  it('does not wait for what the refusal has to say', async () => {
    const never = Promise.withResolvers<undefined>().promise;
    answer = ({ authorization }) =>
      authorization === 'Bearer at-1'
        ? new Response(
            endless(() => never),
            INVALID,
          )
        : new Response('fine');
    expect(await (await callApi(deps, '/assets')).text()).toBe('fine');
  });

  it('drops the refusal when no newer token can be had', async () => {
    const dropped = Promise.withResolvers<undefined>();
    const body = endless(async () => dropped.resolve(undefined));
    answer = () => new Response(body, INVALID);
    const first = deps.token;
    deps = {
      ...deps,
      token: async (demand) => {
        if (demand.rejected !== undefined) throw new Error('consent is gone');
        return first(demand);
      },
    };
    await expect(callApi(deps, '/assets')).rejects.toThrow('consent is gone');
    await dropped.promise;
  });

  it('is repeated once with a newer token', async () => {
    const response = await callApi(deps, '/assets');
    expect(await response.text()).toBe('fine');
    expect(calls.map(({ authorization }) => authorization)).toEqual(['Bearer at-1', 'Bearer at-2']);
    expect(refreshes).toBe(1);
    expect(findings).toEqual([]);
  });

  it('uses a newer token that exists already instead of refreshing', async () => {
    const first = deps.token;
    let asked = 0;
    deps = {
      ...deps,
      token: (demand) => {
        if (++asked === 1) {
          const old = tokenOf(1);
          generation = 2;
          return Promise.resolve(old);
        }
        return first(demand);
      },
    };
    expect((await callApi(deps, '/assets')).status).toBe(200);
    expect(refreshes).toBe(0);
  });

  it.each([
    ['a string', 'body'],
    ['bytes', new Uint8Array([1, 2])],
    ['an array buffer', new ArrayBuffer(2)],
    ['a form', new URLSearchParams({ a: '1' })],
    ['a multipart form', new FormData()],
    ['a blob', new Blob(['x'])],
    ['nothing', undefined],
    ['null', null],
  ])('is repeated when its body is %s', async (_kind, body) => {
    const init = body === undefined ? { method: 'POST' } : { method: 'POST', body };
    expect((await callApi(deps, '/assets', init)).status).toBe(200);
    expect(calls).toHaveLength(2);
    expect(calls[1]?.body).toBe(calls[0]?.body);
  });

  it('hands the refusal back when its body is a stream, and still renews for the next call', async () => {
    const body = new Blob(['x']).stream();
    const response = await callApi(deps, '/assets', { method: 'POST', body, duplex: 'half' });
    expect(response.status).toBe(401);
    expect(await response.text()).toBe('no');
    expect(calls).toHaveLength(1);
    expect(refreshes).toBe(1);
    expect((await callApi(deps, '/assets')).status).toBe(200);
    expect(refreshes).toBe(1);
  });

  it('is not repeated when renewal brings the same token again', async () => {
    deps = { ...deps, token: () => Promise.resolve(tokenOf(1)) };
    expect((await callApi(deps, '/assets')).status).toBe(401);
    expect(calls).toHaveLength(1);
  });

  it('rejects with the reason when no other token can be had', async () => {
    const failure = new Error('the grant is gone');
    deps = {
      ...deps,
      token: ({ rejected }) =>
        rejected === undefined ? Promise.resolve(tokenOf(1)) : Promise.reject(failure),
    };
    await expect(callApi(deps, '/assets')).rejects.toBe(failure);
  });

  it('ends with its signal while the renewal goes on', async () => {
    const renewal = Promise.withResolvers<AccessToken>();
    const asked = Promise.withResolvers<undefined>();
    deps = {
      ...deps,
      token: ({ rejected }) => {
        if (rejected === undefined) return Promise.resolve(tokenOf(1));
        asked.resolve(undefined);
        return renewal.promise;
      },
    };
    const controller = new AbortController();
    const call = callApi(deps, '/assets', { signal: controller.signal });
    await asked.promise;
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    expect(deps.memory.renewals.size).toBe(1);
    renewal.resolve(tokenOf(2));
    expect(await deps.memory.renewals.get(1)).toMatchObject({ generation: 2 });
  });
});

describe('a hundred calls refused at once', () => {
  it('cause one refresh and all succeed', async () => {
    const responses = await Promise.all(
      Array.from({ length: 100 }, () => callApi(deps, '/assets')),
    );
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(refreshes).toBe(1);
    expect(calls).toHaveLength(200);
  });

  it('cause one refresh and all fail when the API likes no token', async () => {
    likedFrom = Infinity;
    const responses = await Promise.all(
      Array.from({ length: 100 }, () => callApi(deps, '/assets')),
    );
    expect(responses.every(({ status }) => status === 401)).toBe(true);
    expect(refreshes).toBe(1);
    expect(findings[0]).toEqual({ kind: 'token_rejected', generation: 2, named: true });
  });

  it('are followed by no further refresh until a newer token came by itself', async () => {
    likedFrom = Infinity;
    for (let call = 0; call < 20; call++) await callApi(deps, '/assets');
    expect(refreshes).toBe(1);
    generation = 5;
    for (let call = 0; call < 20; call++) await callApi(deps, '/assets');
    expect(refreshes).toBe(2);
  });
});

describe('an answer that no refresh mends', () => {
  it.each<[string, number, Record<string, string>, string, ApiFinding | undefined]>([
    ['403', 403, {}, '', undefined],
    [
      'a 403 that blames the token',
      403,
      { 'www-authenticate': 'Bearer error="invalid_token"' },
      '',
      undefined,
    ],
    [
      'a wrong key',
      401,
      {},
      'Access denied due to invalid subscription key.',
      { kind: 'key_rejected' },
    ],
    [
      'a claims challenge',
      401,
      { 'www-authenticate': 'Bearer error="insufficient_claims", claims="e30="' },
      '',
      { kind: 'sign_in_wanted', error: 'insufficient_claims', claims: '{}' },
    ],
    [
      'a missing scope',
      403,
      { 'www-authenticate': 'Bearer error="insufficient_scope", scope="w"' },
      '',
      { kind: 'scope_insufficient', scope: 'w' },
    ],
    ['another scheme', 401, { 'www-authenticate': 'Basic realm="x"' }, '', undefined],
  ])('is handed back: %s', async (_name, status, headers, body, finding) => {
    answer = () => new Response(body, { status, headers });
    const response = await callApi(deps, '/assets');
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(body);
    expect(calls).toHaveLength(1);
    expect(refreshes).toBe(0);
    expect(findings).toEqual(finding === undefined ? [] : [finding]);
  });

  it.each([
    [429, '41', 41_000],
    [403, '120', 120_000],
  ])(
    'is told when it throttles, and remembered where limits count all calls: %d',
    async (status, retryAfter, waitMs) => {
      answer = () => new Response('', { status, headers: { 'retry-after': retryAfter } });
      expect((await callApi(deps, '/assets')).status).toBe(status);
      const until = deps.clock.now() + waitMs;
      expect(findings).toEqual([{ kind: 'throttled', until }]);
      expect((await callApi(deps, '/assets')).status).toBe(status);
      expect(calls).toHaveLength(2);
      const api = { ...deps.api!, limits: findProvider('perspio').api?.limits ?? [] };
      deps = { ...deps, api };
      await callApi(deps, '/assets');
      const held = await callApi(deps, '/assets');
      expect([held.status, held.headers.get('retry-after')]).toEqual([429, retryAfter]);
      expect(await held.json()).toMatchObject({ code: 'ERR_API_THROTTLED' });
      expect(calls).toHaveLength(3);
    },
  );

  it('keeps a long body whole for the caller', async () => {
    const body = 'x'.repeat(100_000);
    answer = () => new Response(body, { status: 401 });
    deps = { ...deps, token: () => Promise.resolve(tokenOf(1)) };
    expect(await (await callApi(deps, '/assets')).text()).toBe(body);
  });
});

describe('a call outside the API', () => {
  it('asks for no token and sends nothing', async () => {
    await expect(callApi(deps, 'https://evil.example/')).rejects.toMatchObject({
      code: 'ERR_ORIGIN_NOT_ALLOWED',
    });
    expect(calls).toEqual([]);
  });
});
