import { describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../../support/daemon-fixture.ts';
import { LinkVisitor } from '../../../support/link-visitor.ts';

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

  it('is not used up by looking at it', async () => {
    const test = await start();
    const link = await order(test, beginning(test, 'alpha'));
    for (let i = 0; i < 5; i++) expect((await new LinkVisitor().go(link)).status).toBe(200);
    expect(test.world.emulator.ledger.count({ endpoint: 'token' })).toBe(0);
    const visitor = new LinkVisitor();
    const seen = await visitor.signIn(await begin(visitor, link));
    expect(seen.title).toBe('Thank you, it is connected');
  });
});
