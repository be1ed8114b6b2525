import { describe, expect, it } from 'vitest';
import { browse } from '../../support/browser.ts';
import { daemonFixture, type Answer, type TestDaemon } from '../../support/daemon-fixture.ts';
import { setSabotage } from '../../support/failpoints.ts';

/*
 * A browser's way in: a link of the owner, good once; a cookie out of reach of scripts and a proof out of reach of other ports. As fields on the
 * wire, since what a browser would not send is what an attacker would.
 */

const start = daemonFixture();

interface Session {
  readonly cookie: string;
  readonly proof: string;
}

type Test = TestDaemon & { readonly origin: string };

async function started(): Promise<Test> {
  const test = await start({ listen: '127.0.0.1:0' });
  await test.world.add('alpha');
  return { ...test, origin: test.daemon.address ?? '' };
}

async function link(test: TestDaemon): Promise<string> {
  const { json } = await test.ask('/v1/dashboard-links', { method: 'POST', body: {} });
  return new URL(json.url as string).hash.slice(1);
}

function redeem(test: Test, code: string, headers = {}): Promise<Answer> {
  return test.ask('/v1/session', {
    ...{ method: 'POST', tcp: true, body: { code } },
    headers: { origin: test.origin, 'sec-fetch-site': 'same-origin', ...headers },
  });
}

async function signIn(test: Test): Promise<Session> {
  const { headers, json } = await redeem(test, await link(test));
  const [cookie = ''] = headers['set-cookie']?.[0]?.split(';') ?? [];
  return { cookie, proof: json.proof as string };
}

function fields({ origin }: Test, { cookie, proof }: Partial<Session>): Record<string, string> {
  return {
    ...(cookie !== undefined && { cookie }),
    ...(proof !== undefined && { 'evergrant-proof': proof }),
    ...{ origin, 'sec-fetch-site': 'same-origin' },
  };
}

const list = (test: Test, session: Partial<Session>): Promise<Answer> =>
  test.ask('/v1/connections', { tcp: true, headers: fields(test, session) });

const pause = (test: Test, headers: Record<string, string>): Promise<Answer> =>
  test.ask('/v1/connections/alpha/pause', { method: 'POST', tcp: true, headers });

describe('the cookie of a browser', () => {
  const publicUrl = 'https://evergrant.example.com';
  const proxied = { 'sec-fetch-site': 'same-origin', origin: publicUrl };

  it.each(['evergrant.example.com', 'HOST'])(
    'is for https alone behind a proxy that ends TLS and asks for %s',
    async (name) => {
      const test = await start({ listen: '127.0.0.1:0', publicUrl });
      await test.world.add('alpha');
      const host = name.replace('HOST', new URL(test.daemon.address ?? '').host);
      const body = { code: await link(test) };
      const ask = { method: 'POST', tcp: true, body, headers: { ...proxied, host } };
      const { headers, json } = await test.ask('/v1/session', ask);
      const [field = ''] = headers['set-cookie'] ?? [];
      expect(field).toMatch(/^__Host-evergrant=[^;]+; Path=\/; .*; Secure$/);
      const [cookie = ''] = field.split(';');
      const fields = { host, cookie, 'evergrant-proof': json.proof as string };
      const listed = await test.ask('/v1/connections', { tcp: true, headers: fields });
      expect(listed.status).toBe(200);
    },
  );

  it('is for http where the same daemon is reached at this machine', async () => {
    const test = await start({ listen: '127.0.0.1:0', publicUrl });
    const signed = { ...test, origin: test.daemon.address ?? '' };
    const { headers } = await redeem(signed, await link(test));
    expect(headers['set-cookie']?.[0]).toMatch(/^evergrant=(?!.*Secure)/);
  });
});

describe('a link to sign in', () => {
  it('signs one browser in, once', async () => {
    const test = await started();
    const code = await link(test);
    expect((await redeem(test, code)).status).toBe(200);
    const again = await redeem(test, code);
    expect(again.status).toBe(401);
    expect(again.json.detail).toContain('used before');
    expect(again.headers['set-cookie']).toBeUndefined();
  });

  it('is good for a minute', async () => {
    const test = await started();
    const [first, second] = [await link(test), await link(test)];
    await test.world.pass(59_999);
    expect((await redeem(test, first)).status).toBe(200);
    await test.world.pass(1);
    expect((await redeem(test, second)).status).toBe(401);
  });

  it('is made for the owner alone, whatever a key or a browser may do', async () => {
    const test = await started();
    const ask = { method: 'POST', body: {}, tcp: true };
    expect((await test.ask('/v1/dashboard-links', ask)).status).toBe(401);
    const key = await test.key({});
    expect((await test.ask('/v1/dashboard-links', { ...ask, key })).status).toBe(403);
    const headers = fields(test, await signIn(test));
    expect((await test.ask('/v1/dashboard-links', { ...ask, headers })).status).toBe(403);
  });

  it.each([
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ origin: 'http://evil.example' }],
    [{ origin: 'null' }],
  ])('signs nobody in for a page of somebody else: %j', async (headers) => {
    const test = await started();
    const { status, headers: answered } = await redeem(test, await link(test), headers);
    expect(status).toBeGreaterThanOrEqual(401);
    expect(status).toBeLessThanOrEqual(403);
    expect(answered['set-cookie']).toBeUndefined();
  });
});

describe('a session', () => {
  it('has a cookie that scripts and other sites do not reach', async () => {
    const test = await started();
    const { headers } = await redeem(test, await link(test));
    const [name, ...attributes] = headers['set-cookie']?.[0]?.split('; ') ?? [];
    expect(name).toMatch(/^evergrant=[\w-]{43}$/);
    expect(attributes).toEqual(['Path=/', 'Max-Age=43200', 'HttpOnly', 'SameSite=Strict']);
  });

  it('needs both of its halves, of the same session', async () => {
    const test = await started();
    const [one, other] = [await signIn(test), await signIn(test)];
    expect((await list(test, one)).status).toBe(200);
    const wrong: readonly Partial<Session>[] = [
      {},
      { cookie: one.cookie },
      { proof: one.proof },
      { cookie: one.cookie, proof: other.proof },
      { cookie: `${one.cookie}; ${other.cookie}`, proof: one.proof },
      { cookie: `${one.cookie}x`, proof: one.proof },
    ];
    for (const session of wrong) expect((await list(test, session)).status).toBe(401);
  });

  it('ends an hour after it was last used', async () => {
    const test = await started();
    const session = await signIn(test);
    await test.world.pass(3_599_999);
    expect((await list(test, session)).status).toBe(200);
    await test.world.pass(3_600_000);
    expect((await list(test, session)).status).toBe(401);
  });

  it('ends twelve hours after it began, however often it is used', async () => {
    const test = await started();
    const session = await signIn(test);
    for (let halves = 1; halves < 24; halves++) {
      await test.world.pass(1_800_000);
      expect((await list(test, session)).status, `after ${String(halves)} half hours`).toBe(200);
    }
    await test.world.pass(1_800_000);
    expect((await list(test, session)).status).toBe(401);
  });

  it('ends with signing out, and takes its cookie along', async () => {
    const test = await started();
    const session = await signIn(test);
    const out = { method: 'DELETE', tcp: true, headers: fields(test, session) };
    const { status, headers } = await test.ask('/v1/session', out);
    expect(status).toBe(200);
    expect(headers['set-cookie']?.[0]).toContain('evergrant=; Path=/; Max-Age=0');
    expect((await list(test, session)).status).toBe(401);
  });

  it.each([
    ['GET', '/v1/connections/alpha/token', undefined],
    ['GET', '/proxy/alpha/x', undefined],
    ['POST', '/v1/connections', {}],
    ['POST', '/v1/refresh-due', {}],
    ['POST', '/v1/connect-links', { name: 'alpha' }],
    ['POST', '/v1/connections/alpha/rename', { name: 'beta' }],
  ])('is not good for %s %s', async (method, target, body) => {
    const test = await started();
    const headers = fields(test, await signIn(test));
    const { status } = await test.ask(target, { method, body, tcp: true, headers });
    expect([401, 403, 404]).toContain(status);
    expect(test.world.requestCount()).toBe(0);
  });

  it('may ask a person to consent once more to what exists, and choose nothing; the link is in no log and no audit', async () => {
    const test = await started();
    const { authorizationEndpoint, issuer, jwksUri } = test.world.emulator;
    await test.world.connect('beta', {
      grant: 'code',
      scope: 'openid profile offline_access api://perspiotalk/access_as_user',
      overrides: test.world.overrides({ authorizationEndpoint, issuer, jwksUri }),
      prompt: {
        authorize: async ({ url }) => {
          await browse(url);
        },
      },
    });
    const headers = fields(test, await signIn(test));
    const renew = (body: object): Promise<Answer> =>
      test.ask('/v1/connections/beta/connect-link', { method: 'POST', body, tcp: true, headers });
    for (const more of [{ anyAccount: true }, { scope: 'openid' }, { provider: 'generic' }])
      expect((await renew(more)).status).toBe(400);
    const { status, json, headers: answered } = await renew({});
    expect([status, answered['cache-control']]).toEqual([200, 'no-store']);
    const token = new URL(json.url as string).pathname.split('/').at(-1) ?? '';
    expect(token).toMatch(/^[\w-]{43}$/);
    await test.world.pass(1_000);
    const draws = await test.store.access.draws({ limit: 100 });
    expect(draws.map(({ caller, what }) => [caller, what])).toContainEqual([
      'dashboard',
      'renewLink',
    ]);
    expect(JSON.stringify(draws) + test.log.join('\n')).not.toContain(token);
  });

  it('may look at what receivers of webhooks could not be told, and have them told again', async () => {
    const test = await started();
    const headers = fields(test, await signIn(test));
    const listed = await test.ask('/v1/dead-letters', { tcp: true, headers });
    expect(listed.json).toEqual({ deadLetters: [], webhooks: [], next: null });
    const again = { method: 'POST', body: {}, tcp: true, headers };
    const { json } = await test.ask('/v1/dead-letters/none/retry', again);
    expect(json.code).toBe('ERR_LETTER_UNKNOWN');
  });

  it('changes something only for a page of ours, and the switch shows that the check is what stops others', async () => {
    const test = await started();
    const good = fields(test, await signIn(test));
    const { origin: _origin, 'sec-fetch-site': _site, ...silent } = good;
    const others = [silent, { ...silent, 'sec-fetch-site': 'none' }];
    for (const headers of others) expect((await pause(test, headers)).status).toBe(401);
    setSabotage('browser-origin-check', true);
    try {
      for (const headers of others) expect((await pause(test, headers)).status).toBe(200);
    } finally {
      setSabotage('browser-origin-check', false);
    }
    expect((await pause(test, good)).status).toBe(200);
  });
});
