import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../../support/daemon-fixture.ts';
import { setSabotage } from '../../../support/failpoints.ts';
import { LinkVisitor, unescapeHtml } from '../../../support/link-visitor.ts';

/*
 * Links to consent, from the order to the last page. The sockets, the store and the authorization server are real; the browser is a few lines.
 */

const startDaemon = daemonFixture();
const start = (): Promise<TestDaemon> => startDaemon({ listen: '127.0.0.1:0' });

const SCOPE = 'openid profile offline_access api://perspiotalk/access_as_user';

/** What begins a connection at the world's emulator. */
function beginning(test: TestDaemon, name: string, more: object = {}): object {
  const { authorizationEndpoint, issuer, jwksUri } = test.world.emulator;
  return {
    name,
    provider: 'generic',
    client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
    scope: SCOPE,
    overrides: test.world.overrides({ authorizationEndpoint, issuer, jwksUri }),
    ...more,
  };
}

async function order(test: TestDaemon, body: object): Promise<string> {
  const { status, json } = await test.ask('/v1/connect-links', { method: 'POST', body });
  expect([status, json.detail]).toEqual([200, undefined]);
  return json.url as string;
}

/** Opens a link and presses its button. */
async function begin(visitor: LinkVisitor, link: string): Promise<string> {
  const { signIn } = await visitor.press(await visitor.go(link));
  return signIn ?? expect.fail('no sign-in began');
}

/** A connection that the demo user began by link. */
async function connected(test: TestDaemon, name = 'alpha'): Promise<void> {
  const visitor = new LinkVisitor();
  const seen = await visitor.signIn(await begin(visitor, await order(test, beginning(test, name))));
  expect(seen.title).toBe('Thank you, it is connected');
}

const stateOf = async (test: TestDaemon, name: string): Promise<unknown> =>
  (await test.ask(`/v1/connections/${name}`)).json;

describe('a link', () => {
  it('begins a connection that then hands out tokens', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const link = await order(test, beginning(test, 'alpha'));
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/consent\/[\w-]{43}$/);
    const asked = await visitor.go(link);
    expect([asked.status, asked.title]).toEqual([200, 'Your consent is asked for']);
    const { signIn = '' } = await visitor.press(asked);
    const parameters = new URL(signIn).searchParams;
    expect(parameters.get('redirect_uri')).toBe(`${new URL(link).origin}/consent/callback`);
    expect(parameters.get('code_challenge_method')).toBe('S256');
    expect(parameters.get('state')).toMatch(/^[\w-]{43}$/);
    const done = await visitor.signIn(signIn);
    expect([done.status, done.title]).toEqual([200, 'Thank you, it is connected']);
    expect(done.html).toContain('demo@perspio.io');
    expect(done.url).toMatch(/\/consent\/result\/[\w-]{16}$/);
    expect((await test.ask('/v1/connections/alpha/token')).status).toBe(200);
  });

  it('renews the grant of a connection, which keeps its id, its name and its history', async () => {
    const test = await start();
    await connected(test);
    const before = (await stateOf(test, 'alpha')) as {
      readonly id: string;
      readonly grantId: string;
    };
    const visitor = new LinkVisitor();
    const link = await order(test, { name: 'alpha' });
    const asked = await visitor.go(link);
    expect(asked.html).toContain('demo@perspio.io');
    const { signIn = '' } = await visitor.press(asked);
    expect((await visitor.signIn(signIn)).title).toBe('Thank you, it is connected');
    const after = (await stateOf(test, 'alpha')) as typeof before;
    expect(after.id).toBe(before.id);
    expect(after.grantId).not.toBe(before.grantId);
    const { json } = await test.ask('/v1/connections/alpha/history');
    const events = json.events.map(({ event }: { readonly event: string }) => event);
    expect(events).toContain('connected');
    expect(events).toContain('reconnected');
  });

  it('to renew can be asked for at the connection itself, with nothing to choose but how long it is good', async () => {
    const test = await start();
    await connected(test);
    const before = (await stateOf(test, 'alpha')) as Readonly<Record<string, unknown>>;
    const key = await test.key({ connections: ['alpha'], verbs: ['manage'] });
    const renew = (name: string, body: object, by = key): ReturnType<TestDaemon['ask']> =>
      test.ask(`/v1/connections/${name}/connect-link`, {
        ...{ method: 'POST', body, key: by, tcp: true },
      });
    const reader = await test.key({ verbs: ['read', 'token', 'proxy'] });
    expect((await renew('beta', {})).status).toBe(403);
    expect((await renew('alpha', {}, reader)).status).toBe(403);
    for (const more of [
      { scope: 'openid' },
      { anyAccount: true },
      { name: 'beta' },
      { life: '8d' },
      { client: { clientId: 'other' } },
      { reconnect: true },
    ])
      expect([(await renew('alpha', more)).status, more]).toEqual([400, more]);
    const { json } = await renew('alpha', { life: '2h' });
    expect(json.expiresAt).toBe(test.world.clock.now() + 2 * 3_600_000);
    expect(json.redirectUri).toBe(`${new URL(json.url as string).origin}/consent/callback`);
    const visitor = new LinkVisitor();
    const other = await visitor.signIn(await begin(visitor, json.url as string), {
      username: 'other@perspio.io',
    });
    expect(other.title).toBe('This is another account');
    const { signIn = '' } = await visitor.press(other);
    expect((await visitor.signIn(signIn)).title).toBe('Thank you, it is connected');
    const after = (await stateOf(test, 'alpha')) as typeof before;
    for (const kept of ['id', 'account', 'clientId', 'tokenEndpoint', 'requestedScopes'])
      expect([kept, after[kept]]).toEqual([kept, before[kept]]);
    expect(after['grantId']).not.toBe(before['grantId']);
  });

  it('to renew is refused with the reason where nobody need consent, or nothing is there', async () => {
    const test = await start();
    await test.world.connect('ci');
    const codes = async (name: string): Promise<unknown> =>
      (await test.ask(`/v1/connections/${name}/connect-link`, { method: 'POST', body: {} })).json
        .code;
    expect(await codes('ci')).toBe('ERR_ARGUMENT');
    expect(await codes('nobody')).toBe('ERR_CONNECTION_UNKNOWN');
  });

  it('is refused when it is made where nothing tells whose account is the right one, unless any is', async () => {
    const test = await start();
    await test.world.add('imported');
    const renewal = '/v1/connections/imported/connect-link';
    const asks = [
      ['/v1/connect-links', { name: 'imported' }],
      ['/v1/connect-links', beginning(test, 'imported', { reconnect: true })],
      [renewal, {}],
    ] as const;
    for (const [target, body] of asks) {
      const { status, json } = await test.ask(target, { method: 'POST', body });
      expect([status, json.code]).toEqual([400, 'ERR_ARGUMENT']);
      expect(json.detail).toContain('evergrant link imported --any-account');
      expect(json.detail).toContain('anyAccount');
    }
    const visitor = new LinkVisitor();
    const link = await order(
      test,
      beginning(test, 'imported', { reconnect: true, anyAccount: true }),
    );
    const seen = await visitor.signIn(await begin(visitor, link));
    expect(seen.title).toBe('Thank you, it is connected');
  });

  it('is not used up by looking at it', async () => {
    const test = await start();
    const link = await order(test, beginning(test, 'alpha'));
    for (let i = 0; i < 5; i++) expect((await new LinkVisitor().go(link)).status).toBe(200);
    expect(test.world.emulator.ledger.count({ endpoint: 'token' })).toBe(0);
    const visitor = new LinkVisitor();
    const seen = await visitor.signIn(await begin(visitor, link));
    expect(seen.title).toBe('Thank you, it is connected');
  });

  it('two of them can be used side by side in one browser', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const [one, two] = [
      await order(test, beginning(test, 'one')),
      await order(test, beginning(test, 'two')),
    ];
    const [first, second] = [await begin(visitor, one), await begin(visitor, two)];
    const other = await visitor.signIn(second, { username: 'other@perspio.io' });
    const demo = await visitor.signIn(first);
    expect([demo.title, other.title]).toEqual(Array(2).fill('Thank you, it is connected'));
    expect(await stateOf(test, 'one')).toMatchObject({ account: 'demo@perspio.io' });
    expect(await stateOf(test, 'two')).toMatchObject({ account: 'other@perspio.io' });
  });

  it('names the public address, and takes what a reverse proxy there passes on', async () => {
    const test = await startDaemon({
      listen: '127.0.0.1:0',
      publicUrl: 'https://evergrant.example.com',
    });
    test.world.emulator.registerClient({
      clientId: 'far',
      redirectUris: ['https://evergrant.example.com/consent/callback'],
    });
    const link = await order(test, beginning(test, 'alpha', { client: { clientId: 'far' } }));
    expect(link).toMatch(/^https:\/\/evergrant\.example\.com\/consent\/[\w-]{43}$/);
    const { pathname } = new URL(link);
    const host = 'evergrant.example.com';
    const asked = await test.ask(pathname, { tcp: true, headers: { host } });
    expect(asked.status).toBe(200);
    const [field = ''] = asked.headers['set-cookie'] ?? [];
    expect(field).toMatch(
      /^__Host-evergrant-consent-[\w-]{16}=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
    );
    const cookie = field.split(';')[0] ?? '';
    const headers = { host, cookie, origin: `https://${host}`, 'sec-fetch-site': 'same-origin' };
    const begun = await test.ask(pathname, { tcp: true, method: 'POST', headers });
    expect(begun.text).toContain(encodeURIComponent(`https://${host}/consent/callback`));
    const strange = { ...headers, origin: `http://${host}` };
    const refused = await test.ask(pathname, { tcp: true, method: 'POST', headers: strange });
    expect(refused.status).toBe(403);
  });
});

describe('a sign-in by link', () => {
  it('by another account is refused, says what to do, and works by the right one after that', async () => {
    const test = await start();
    await connected(test);
    const before = await stateOf(test, 'alpha');
    const visitor = new LinkVisitor();
    const signIn = await begin(visitor, await order(test, { name: 'alpha' }));
    const wrong = await visitor.signIn(signIn, { username: 'other@perspio.io' });
    expect([wrong.status, wrong.title]).toEqual([409, 'This is another account']);
    expect(wrong.html).toContain('other@perspio.io');
    expect(wrong.html).toContain('Sign out at the service');
    expect(await stateOf(test, 'alpha')).toEqual(before);
    const again = await visitor.press(wrong);
    expect((await visitor.signIn(again.signIn ?? '')).title).toBe('Thank you, it is connected');
  });

  it('by another account is taken where the link allows it', async () => {
    const test = await start();
    await connected(test);
    const visitor = new LinkVisitor();
    const link = await order(test, { name: 'alpha', anyAccount: true });
    const seen = await visitor.signIn(await begin(visitor, link), { username: 'other@perspio.io' });
    expect(seen.title).toBe('Thank you, it is connected');
    expect(await stateOf(test, 'alpha')).toMatchObject({ account: 'other@perspio.io' });
  });

  it('that does not tell whose account it is of is refused with the reason', async () => {
    const test = await start();
    await connected(test);
    const visitor = new LinkVisitor();
    const scope = SCOPE.replace('openid profile ', '');
    const seen = await visitor.signIn(
      await begin(visitor, await order(test, { name: 'alpha', scope })),
    );
    expect([seen.status, seen.title]).toEqual([409, 'It is not known whose account this is']);
  });

  it('that the person refuses changes nothing, and can be tried again', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const signIn = await begin(visitor, await order(test, beginning(test, 'alpha')));
    const refused = await visitor.signIn(signIn, { decision: 'deny' });
    expect([refused.status, refused.title]).toEqual([403, 'You did not agree']);
    expect((await test.ask('/v1/connections/alpha')).status).toBe(404);
    const again = await visitor.press(refused);
    expect((await visitor.signIn(again.signIn ?? '')).title).toBe('Thank you, it is connected');
  });

  it('whose code is not redeemed says that it failed, and tells the log why', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const signIn = await begin(visitor, await order(test, beginning(test, 'alpha')));
    test.world.emulator.faults.next('server-error');
    const failed = await visitor.signIn(signIn);
    expect([failed.status, failed.title]).toEqual([502, 'The sign-in failed']);
    expect(test.log.join('\n')).toContain('a sign-in by link brought no grant');
    expect((await test.ask('/v1/connections/alpha')).status).toBe(404);
  });

  it('is over after ten minutes, and can be begun again within the life of the link', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const signIn = await begin(visitor, await order(test, beginning(test, 'alpha')));
    const { url } = await visitor.signIn(signIn, {}, true);
    await test.world.pass(600_000);
    const late = await visitor.go(url, { from: signIn });
    expect([late.status, late.title]).toEqual([410, 'The sign-in took too long']);
    const again = await visitor.press(late);
    expect((await visitor.signIn(again.signIn ?? '')).title).toBe('Thank you, it is connected');
  });

  it('is shown once more, not made once more, when the page is loaded again', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const signIn = await begin(visitor, await order(test, beginning(test, 'alpha')));
    const { url } = await visitor.signIn(signIn, {}, true);
    const first = await visitor.go(url, { from: signIn });
    const second = await visitor.go(url, { from: signIn });
    expect([first.title, second.title]).toEqual(Array(2).fill('Thank you, it is connected'));
    expect((await visitor.go(first.url)).title).toBe('Thank you, it is connected');
    expect(test.world.requestCount()).toBe(1);
  });

  it('is on file by the name of whoever made the link', async () => {
    const test = await start();
    const key = await test.key({ connections: ['alpha', 'beta'], verbs: ['manage'] });
    await connected(test);
    const visitor = new LinkVisitor();
    const body = { name: 'alpha' };
    const made = await test.ask('/v1/connect-links', { method: 'POST', body, key, tcp: true });
    const signIn = await begin(visitor, made.json.url as string);
    await visitor.signIn(signIn, { username: 'other@perspio.io' });
    await test.world.pass(1_000);
    const drawn = await test.store.access.draws({ limit: 100 });
    const consent = drawn.filter(({ what }) => what === 'consent by link');
    expect(
      consent.map(({ caller, connection, refusedBecause }) => [caller, connection, refusedBecause]),
    ).toContainEqual(['key-1', 'alpha', 'wrong-account']);
  });
});

describe('a link is refused', () => {
  it('after it was used', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const link = await order(test, beginning(test, 'alpha'));
    await visitor.signIn(await begin(visitor, link));
    for (const one of [visitor, new LinkVisitor()]) {
      const gone = await one.go(link);
      expect([gone.status, gone.title]).toEqual([410, 'This link is not good any more']);
      const posted = await one.go(link, { method: 'POST', body: '', from: link });
      expect(posted.status).toBe(410);
    }
  });

  it('after its time, and its sign-in cannot be begun again', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const link = await order(test, beginning(test, 'alpha', { life: '1h' }));
    const signIn = await begin(visitor, link);
    const refused = await visitor.signIn(signIn, { decision: 'deny' });
    const button = await visitor.go(refused.url);
    await test.world.pass(3_600_000);
    expect((await visitor.go(link)).status).toBe(410);
    expect((await visitor.press(button)).status).toBe(410);
    const after = await visitor.go(refused.url);
    expect(after.title).toBe('You did not agree');
    expect(after.html).not.toContain('<form');
  });

  it('in another browser than the first that began, and that one goes on undisturbed', async () => {
    const test = await start();
    const [visitor, thief] = [new LinkVisitor(), new LinkVisitor()];
    const link = await order(test, beginning(test, 'alpha'));
    const seenBefore = await thief.go(link);
    const signIn = await begin(visitor, link);
    expect((await thief.go(link)).title).toBe('This link is in use in another browser');
    const pressed = await thief.press(seenBefore);
    expect([pressed.status, pressed.signIn]).toEqual([409, undefined]);
    expect((await visitor.signIn(signIn)).title).toBe('Thank you, it is connected');
  });

  it('when a page of another site presses its button, or a program that tells no origin', async () => {
    const test = await start();
    const link = await order(test, beginning(test, 'alpha'));
    const visitor = new LinkVisitor();
    await visitor.go(link);
    const evil = { method: 'POST', body: '', from: 'https://evil.example/' } as const;
    expect((await visitor.go(link, evil)).status).toBe(403);
    const { pathname } = new URL(link);
    const [cookie = ''] = visitor.cookies;
    const bare = await test.ask(pathname, { tcp: true, method: 'POST', headers: { cookie } });
    expect(bare.text).toContain('This did not come from our page');
    expect((await visitor.go(link)).status).toBe(200);
  });

  it('to a browser that keeps no cookie, which is told so', async () => {
    const test = await start();
    const link = await order(test, beginning(test, 'alpha'));
    const seen = await new LinkVisitor().go(link, { method: 'POST', body: '', from: link });
    expect([seen.status, seen.title]).toEqual([400, 'Your browser keeps no cookie of this page']);
  });

  it('after the daemon was started again, as a sign-in under way is', async () => {
    const test = await start();
    const other = await start();
    const visitor = new LinkVisitor();
    const link = await order(test, beginning(test, 'alpha'));
    const { url } = await visitor.signIn(await begin(visitor, link), {}, true);
    const to = (address: string): string =>
      Object.assign(new URL(address), { port: new URL(other.daemon.address ?? '').port }).href;
    expect((await visitor.go(to(link))).status).toBe(410);
    const lost = await visitor.go(to(url), { from: 'https://login.example/' });
    expect([lost.status, lost.title]).toEqual([400, 'This sign-in is not known here']);
    expect(lost.html).toContain('evergrant was started again');
  });
});

describe('what comes back from a sign-in is refused', () => {
  /** A sign-in that has come as far as the way back. */
  async function onItsWay(): Promise<{
    readonly test: TestDaemon;
    readonly visitor: LinkVisitor;
    readonly url: string;
    readonly from: string;
  }> {
    const test = await start();
    const visitor = new LinkVisitor();
    const from = await begin(visitor, await order(test, beginning(test, 'alpha')));
    const { url } = await visitor.signIn(from, {}, true);
    return { test, visitor, url, from };
  }

  const FOREIGN = [400, 'This sign-in is not known here'];

  it('in another browser, and the right one can still finish', async () => {
    const { visitor, url, from } = await onItsWay();
    const seen = await new LinkVisitor().go(url, { from });
    expect([seen.status, seen.title]).toEqual(FOREIGN);
    expect((await visitor.go(url, { from })).title).toBe('Thank you, it is connected');
  });

  it('and this notices when the browser is not checked', async () => {
    const { url, from } = await onItsWay();
    setSabotage('consent-browser', true);
    const seen = await new LinkVisitor().go(url, { from, stay: true });
    setSabotage('consent-browser', false);
    expect(seen.url).not.toContain('/consent/callback');
  });

  it.each([
    ['with a wrong state', 'state', 'A'.repeat(43)],
    ['with an empty state', 'state', ''],
  ])('%s, and the right one can still finish', async (_, name, value) => {
    const { test, visitor, url, from } = await onItsWay();
    const changed = new URL(url);
    changed.searchParams.set(name, value);
    const seen = await visitor.go(changed.href, { from });
    expect([seen.status, seen.title]).toEqual(FOREIGN);
    expect(test.world.requestCount()).toBe(0);
    expect((await visitor.go(url, { from })).title).toBe('Thank you, it is connected');
  });

  it('without a state, or with two', async () => {
    const { visitor, url, from } = await onItsWay();
    const [without, twice] = [new URL(url), new URL(url)];
    without.searchParams.delete('state');
    twice.searchParams.append('state', 'x');
    for (const one of [without, twice])
      expect((await visitor.go(one.href, { from })).status).toBe(400);
  });

  it('with the issuer of another server, and no code is sent to anybody', async () => {
    const { test, visitor, url, from } = await onItsWay();
    const changed = new URL(url);
    changed.searchParams.set('iss', 'https://evil.example');
    const seen = await visitor.go(changed.href, { from });
    expect([seen.status, seen.title]).toEqual([502, 'The sign-in failed']);
    expect(seen.html).toContain('another authorization server');
    expect(test.world.requestCount()).toBe(0);
  });

  it('when it belongs to a sign-in that was begun anew since', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const link = await order(test, beginning(test, 'alpha'));
    const first = await begin(visitor, link);
    const { url } = await visitor.signIn(first, {}, true);
    const second = await begin(visitor, link);
    expect((await visitor.go(url, { from: first })).title).toBe('This sign-in is not known here');
    expect((await visitor.signIn(second)).title).toBe('Thank you, it is connected');
  });
});

describe('whoever asks for a link', () => {
  const post = (test: TestDaemon, body: object, key?: string): ReturnType<TestDaemon['ask']> =>
    test.ask('/v1/connect-links', {
      method: 'POST',
      body,
      ...(key !== undefined && { key, tcp: true }),
    });

  it('is told which setting is missing where no browser can reach the daemon', async () => {
    const test = await startDaemon();
    const { status, json } = await post(test, beginning(test, 'alpha'));
    expect([status, json.code]).toEqual([400, 'ERR_CONFIGURATION']);
    expect(json.detail).toContain('daemon.listen is missing');
  });

  it('is told at once what is wrong with the order', async () => {
    const test = await start();
    await test.world.connect('ci');
    await test.world.add('old');
    const codes = async (body: object): Promise<unknown> => (await post(test, body)).json.code;
    expect(await codes({ name: 'nobody' })).toBe('ERR_CONNECTION_UNKNOWN');
    expect(await codes({ name: 'ci' })).toBe('ERR_ARGUMENT');
    expect(await codes({ name: 'old', anyAccount: true })).toBe('ERR_CONFIGURATION');
    expect(await codes(beginning(test, 'old'))).toBe('ERR_CONNECTION_EXISTS');
    expect(await codes(beginning(test, '../x'))).toBe('ERR_ARGUMENT');
    expect(await codes(beginning(test, 'new', { provider: 'none' }))).toBe('ERR_PROVIDER_UNKNOWN');
    expect(await codes(beginning(test, 'new', { life: '8d' }))).toBe('ERR_ARGUMENT');
    expect(await codes(beginning(test, 'new', { overrides: test.world.overrides() }))).toBe(
      'ERR_CONFIGURATION',
    );
  });

  it('needs a key that may manage that connection, and all of them for secrets, endpoints and scopes', async () => {
    const test = await start();
    await connected(test);
    const key = await test.key({ connections: ['alpha', 'new'], verbs: ['manage'] });
    const reader = await test.key({ verbs: ['read', 'token', 'proxy'] });
    const status = async (body: object, by: string): Promise<number> =>
      (await post(test, body, by)).status;
    expect(await status({ name: 'alpha' }, key)).toBe(200);
    expect(await status({ name: 'alpha' }, reader)).toBe(403);
    expect(await status({ name: 'beta' }, key)).toBe(403);
    expect(await status({ name: 'alpha', scope: 'openid' }, key)).toBe(403);
    expect(await status(beginning(test, 'new'), key)).toBe(403);
    const bare = await test.ask('/v1/connect-links', {
      method: 'POST',
      body: { name: 'alpha' },
      tcp: true,
    });
    expect(bare.status).toBe(401);
  });

  it('gets no more than 1,000 that wait at once', async () => {
    const test = await start();
    await connected(test);
    let last = 0;
    for (let i = 0; i <= 1_000 && last !== 429; i++)
      last = (await post(test, { name: 'alpha' })).status;
    expect(last).toBe(429);
    await test.world.pass(25 * 3_600_000);
    expect((await post(test, { name: 'alpha' })).status).toBe(200);
  }, 120_000);

  it('gets no more than 50 that wait at once with a key, and leaves room for others', async () => {
    const test = await start();
    await connected(test);
    const key = await test.key({ connections: ['alpha'], verbs: ['manage'] });
    const states: number[] = [];
    for (let i = 0; i <= 50; i++) states.push((await post(test, { name: 'alpha' }, key)).status);
    expect(states).toEqual([...Array<number>(50).fill(200), 429]);
    expect((await post(test, { name: 'alpha' })).status).toBe(200);
  }, 120_000);

  it('has made it for nothing once the key is revoked', async () => {
    const test = await start();
    await connected(test);
    const key = await test.key({ connections: ['alpha'], verbs: ['manage'] }, { name: 'leaver' });
    const { url } = (await post(test, { name: 'alpha' }, key)).json as { url: string };
    const open = (await new LinkVisitor().go(url)).status;
    await test.store.access.revokeKeys('leaver', test.world.clock.now());
    expect([open, (await new LinkVisitor().go(url)).status]).toEqual([200, 410]);
  });

  it.each([
    ['has begun a sign-in for nothing when its key is revoked before the answer', false],
    ['and this notices when the key is not looked at', true],
  ])('%s', async (_, isSabotaged) => {
    const test = await start();
    await connected(test);
    const key = await test.key({ connections: ['alpha'], verbs: ['manage'] }, { name: 'leaver' });
    const { url } = (await post(test, { name: 'alpha' }, key)).json as { url: string };
    const before = await stateOf(test, 'alpha');
    const visitor = new LinkVisitor();
    const signIn = await begin(visitor, url);
    await test.store.access.revokeKeys('leaver', test.world.clock.now());
    if (isSabotaged) setSabotage('link-maker', true);
    const { title } = await visitor.signIn(signIn);
    setSabotage('link-maker', false);
    const isRefused = title === 'This link is not good any more';
    expect(isRefused).toBe(!isSabotaged);
    expect(isRefused).toBe(isDeepStrictEqual(await stateOf(test, 'alpha'), before));
  });

  it('may say where secrets are sent as the owner alone, whatever the key', async () => {
    const test = await start();
    const key = await test.key({ connections: ['*'], verbs: ['manage'] });
    const asked = await post(test, beginning(test, 'alpha'), key);
    expect([asked.status, asked.json.code]).toEqual([403, 'ERR_ACCESS_FORBIDDEN']);
    expect(asked.json.detail).toContain('overrides are for the owner');
  });
});

describe('the registration of a link for a new connection', () => {
  const clients = async (test: TestDaemon): Promise<unknown[]> =>
    (await test.ask('/v1/clients')).json.clients as unknown[];

  it('is stored with the connection, and not before: nothing of a link that nobody uses is left', async () => {
    const test = await start();
    const link = await order(test, beginning(test, 'alpha'));
    expect(await clients(test)).toEqual([]);
    const visitor = new LinkVisitor();
    const signIn = await begin(visitor, link);
    // Whatever ends this process now, by force or not, the next one finds none.
    expect(await clients(test)).toEqual([]);
    await test.world.pass(25 * 3_600_000);
    expect((await new LinkVisitor().go(link)).status).toBe(410);
    expect(signIn).not.toBe('');
    expect(await clients(test)).toEqual([]);
  });

  it('is not stored by a sign-in that fails, and is by one that succeeds', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const link = await order(test, beginning(test, 'alpha'));
    await visitor.signIn(await begin(visitor, link), { decision: 'deny' });
    expect(await clients(test)).toEqual([]);
    const done = await visitor.signIn(await begin(visitor, link));
    expect(done.title).toBe('Thank you, it is connected');
    expect(await clients(test)).toMatchObject([{ clientId: 'perspio-demo', connections: 1 }]);
  });

  it('stays where others use it, or had it before', async () => {
    const test = await start();
    await connected(test);
    await order(test, beginning(test, 'beta'));
    await test.world.pass(25 * 3_600_000);
    expect(await clients(test)).toMatchObject([{ connections: 1 }]);
  });

  it('is one where two are used at once', async () => {
    const test = await start();
    const visitors = [new LinkVisitor(), new LinkVisitor()] as const;
    const links = [
      await order(test, beginning(test, 'alpha')),
      await order(test, beginning(test, 'beta')),
    ] as const;
    const signIns = [await begin(visitors[0], links[0]), await begin(visitors[1], links[1])];
    await Promise.all(visitors.map((one, i) => one.signIn(signIns[i] ?? '')));
    expect(await clients(test)).toMatchObject([{ connections: 2 }]);
    for (const name of ['alpha', 'beta'])
      expect((await test.ask(`/v1/connections/${name}/token`)).status).toBe(200);
  });
});

describe('the pages', () => {
  it('hold no secret, no script and nothing of elsewhere, and say so to the browser', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const link = await order(test, beginning(test, 'alpha'));
    const asked = await visitor.go(link);
    const pressed = await visitor.press(asked);
    const { url } = await visitor.signIn(pressed.signIn ?? '', {}, true);
    const code = new URL(url).searchParams.get('code') ?? expect.fail('no code');
    const done = await visitor.go(url);
    for (const page of [asked, pressed, done]) {
      const policy = String(page.headers['content-security-policy']);
      expect(policy).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action '(self|none)'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      expect(page.headers['cache-control']).toBe('no-store');
      expect(page.headers['referrer-policy']).toMatch(/^(no-referrer|same-origin)$/);
      expect(page.html).not.toMatch(/<script|<img|<link|src=|javascript:/i);
      for (const secret of [
        code,
        'demo~secret+1',
        ...visitor.cookies.map((one) => one.split('=')[1] ?? ''),
      ])
        expect(page.html).not.toContain(secret);
    }
    expect(test.log.join('\n')).not.toContain(code);
    expect(test.log.join('\n')).not.toContain(link.slice(-43));
  });

  it('show what the server says as text', async () => {
    const test = await start();
    const visitor = new LinkVisitor();
    const signIn = await begin(visitor, await order(test, beginning(test, 'alpha')));
    const { url } = await visitor.signIn(signIn, { decision: 'deny' }, true);
    const changed = new URL(url);
    changed.searchParams.set('error_description', `<script>alert(1)</script>"'><b>`);
    const seen = await visitor.go(changed.href, { from: signIn });
    expect(seen.html).not.toMatch(/<script|<b>/);
    expect(unescapeHtml(seen.html)).toContain('alert(1)');
  });
});
