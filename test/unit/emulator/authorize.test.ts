import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Emulator } from '../../../src/emulator/emulator.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import {
  call,
  postForm,
  requestToken,
  type FormMembers,
  type Reply,
} from '../../support/emulator-requests.ts';

const startEmulator = emulatorFixture();
let emulator: Emulator;

beforeEach(async () => {
  emulator = await startEmulator();
});

const verifier = 'a'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');
const asked = {
  client_id: 'perspio-demo',
  response_type: 'code',
  redirect_uri: 'http://localhost/callback',
  scope: 'openid profile offline_access api://perspiotalk/access_as_user',
  state: 'state-1',
  nonce: 'nonce-1',
  code_challenge: challenge,
  code_challenge_method: 'S256',
};

function authorize(members: FormMembers = {}): Promise<Reply> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries<string | undefined>({ ...asked, ...members })) {
    if (value !== undefined) parameters.set(name, value);
  }
  return call(`${emulator.authorizationEndpoint}?${parameters.toString()}`);
}

function targetOf(reply: Reply): URL {
  expect(reply.status).toBe(302);
  return new URL(reply.headers.get('location') ?? '');
}

/** Fills in the form of a sign-in page and posts it. */
function submit(page: Reply, members: FormMembers = {}): Promise<Reply> {
  const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const [, name = '', value = ''] =
    /<input type="hidden" name="(\w+)" value="([^"]+)"/.exec(page.text) ?? [];
  return postForm(`${emulator.origin}${action}`, {
    [name]: value,
    username: 'demo@perspio.io',
    password: 'demo-password',
    decision: 'accept',
    ...members,
  });
}

async function getCode(members: FormMembers = {}): Promise<string> {
  const target = targetOf(await submit(await authorize(members)));
  return target.searchParams.get('code') ?? '';
}

function redeem(code: string, members: FormMembers = {}): Promise<Reply> {
  return requestToken(emulator, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: asked.redirect_uri,
    code_verifier: verifier,
    ...members,
  });
}

describe('signing in', () => {
  it('leads from the page to a code, and from the code to tokens of that person', async () => {
    const page = await authorize();
    expect(page.status).toBe(200);
    expect(page.text).toContain('perspio-demo');
    const target = targetOf(await submit(page, { username: 'other@perspio.io' }));
    expect(target.origin + target.pathname).toBe('http://localhost/callback');
    expect(target.searchParams.get('state')).toBe('state-1');
    expect(target.searchParams.has('iss')).toBe(false);
    const reply = await redeem(target.searchParams.get('code') ?? '');
    expect(reply.status).toBe(200);
    expect(reply.json()).toHaveProperty('refresh_token');
    expect(decodeJwt(String(reply.json()['id_token']))).toMatchObject({
      aud: 'perspio-demo',
      nonce: 'nonce-1',
      preferred_username: 'other@perspio.io',
    });
    expect(emulator.describe()).toMatchObject([{ user: 'other@perspio.io', generation: 1 }]);
  });

  it('shows the page again after a wrong password, with the reason', async () => {
    const page = await authorize();
    const again = await submit(page, { password: 'wrong' });
    expect(again.status).toBe(401);
    expect(again.text).toContain('role="alert"');
    expect(emulator.ledger.entries({ endpoint: 'sign-in' })).toMatchObject([{ aadsts: 50126 }]);
    targetOf(await submit(again));
  });

  it('is refused to a disabled account', async () => {
    emulator.disableUser('demo@perspio.io');
    const page = await submit(await authorize());
    expect(page.status).toBe(401);
  });

  it('can be denied', async () => {
    const target = targetOf(await submit(await authorize(), { decision: 'deny' }));
    expect(target.searchParams.get('error')).toBe('access_denied');
    expect(target.searchParams.get('error_description')).toMatch(/^AADSTS65004: /);
    expect(target.searchParams.get('state')).toBe('state-1');
  });

  it('takes a page only once', async () => {
    const page = await authorize();
    await submit(page);
    const again = await submit(page);
    expect(again.status).toBe(400);
  });

  it('is skipped for a person who is signed in', async () => {
    emulator.signInAs('demo@perspio.io');
    expect(targetOf(await authorize()).searchParams.get('code')).toMatch(/^1\./);
    emulator.signInAs(undefined);
    expect((await authorize()).status).toBe(200);
  });

  it('is refused to an account that was disabled while it was signed in', async () => {
    emulator.signInAs('demo@perspio.io');
    emulator.disableUser('demo@perspio.io');
    const target = targetOf(await authorize());
    expect(target.searchParams.get('error_description')).toMatch(/^AADSTS50057: /);
  });

  it('escapes the names it shows', async () => {
    emulator = await startEmulator({ users: [{ username: `"'&<i>@perspio.io`, password: '"' }] });
    emulator.registerClient({ clientId: '<script>' });
    const page = await authorize({ client_id: '<script>' });
    expect(page.status).toBe(200);
    expect(page.text).toContain('<strong>&#60;script&#62;</strong>');
    expect(page.text).toContain('value="&#34;&#39;&#38;&#60;i&#62;@perspio.io"');
  });
});

describe('an authorization request', () => {
  it.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['a redirect URI that is not registered', { redirect_uri: 'http://localhost/elsewhere' }],
    ['another case of the redirect URI', { redirect_uri: 'http://localhost/Callback' }],
    ['IPv6 loopback', { redirect_uri: 'http://[::1]/callback' }],
    ['https on loopback, unless registered', { redirect_uri: 'https://localhost/callback' }],
  ])('with %s sends nobody anywhere', async (_what, members) => {
    const reply = await authorize(members);
    expect(reply.status).toBe(400);
    expect(reply.headers.get('location')).toBeNull();
    expect(reply.text).toContain('AADSTS');
  });

  it.each(['http://localhost:8123/callback', 'http://127.0.0.1:1/callback', 'http://localhost:80'])(
    'may name any port of loopback: %s',
    async (redirectUri) => {
      emulator.signInAs('demo@perspio.io');
      const target = targetOf(await authorize({ redirect_uri: redirectUri }));
      expect(target.origin).toBe(new URL(redirectUri).origin);
    },
  );

  it('with a redirect URI without a path comes back with a slash', async () => {
    emulator.signInAs('demo@perspio.io');
    const reply = await authorize({ redirect_uri: 'http://localhost:9' });
    expect(reply.headers.get('location')).toMatch(/^http:\/\/localhost:9\/\?code=/);
  });

  it.each([
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['an unknown response mode', { response_mode: 'carrier_pigeon' }, 'invalid_request'],
    ['no scope', { scope: undefined }, 'invalid_request'],
    ['a quoted scope', { scope: '"api://perspiotalk/access_as_user"' }, 'invalid_scope'],
    ['a malformed challenge', { code_challenge: 'short' }, 'invalid_request'],
    ['an unknown challenge method', { code_challenge_method: 'S512' }, 'invalid_request'],
    ['nobody signed in for prompt=none', { prompt: 'none' }, 'login_required'],
  ])('with %s is sent back with the error', async (_what, members, error) => {
    const target = targetOf(await authorize(members));
    expect(target.searchParams.get('error')).toBe(error);
    expect(target.searchParams.get('state')).toBe('state-1');
  });

  it('is answered in the fragment or by a form where that is asked for', async () => {
    emulator.signInAs('demo@perspio.io');
    const fragment = targetOf(await authorize({ response_mode: 'fragment' }));
    expect(fragment.search).toBe('');
    expect(fragment.hash).toMatch(/^#code=/);
    const form = await authorize({ response_mode: 'form_post' });
    expect(form.status).toBe(200);
    expect(form.text).toMatch(/<form method="post" action="http:\/\/localhost\/callback">/);
  });

  it('is answered with iss only where that is announced', async () => {
    const options = { announceIss: true, autoSignIn: 'demo@perspio.io' };
    emulator = await startEmulator(options);
    expect(targetOf(await authorize()).searchParams.get('iss')).toBe(emulator.issuer);
    const metadata = await call(`${emulator.issuer}/.well-known/openid-configuration`);
    expect(metadata.json()['authorization_response_iss_parameter_supported']).toBe(true);
  });
});

describe('an authorization code', () => {
  it.each([
    ['another verifier', { code_verifier: 'b'.repeat(43) }, 501481],
    ['no verifier', { code_verifier: undefined }, 501481],
    ['a verifier that is too short', { code_verifier: 'a' }, 501491],
    ['another redirect URI', { redirect_uri: 'http://localhost:81/callback' }, 500112],
    ['no redirect URI', { redirect_uri: undefined }, 900144],
    [
      'scopes of several resources',
      { scope: 'User.Read api://perspiotalk/access_as_user' },
      700022,
    ],
  ])('is refused with %s, and not used up by that', async (_what, members, error) => {
    const code = await getCode();
    expect((await redeem(code, members)).json()['error_codes']).toEqual([error]);
    expect((await redeem(code)).status).toBe(200);
  });

  it('is good once', async () => {
    const code = await getCode();
    await redeem(code);
    const again = await redeem(code);
    expect(again.json()).toMatchObject({ error: 'invalid_grant', error_codes: [54005] });
  });

  it('lives ten minutes', async () => {
    const [early, late] = [await getCode(), await getCode()];
    emulator.clock.advance(599_000);
    expect((await redeem(early)).status).toBe(200);
    emulator.clock.advance(2_000);
    expect((await redeem(late)).json()['error_codes']).toEqual([70008]);
  });

  it('is of no use to another client', async () => {
    const code = await getCode();
    const members = { client_id: 'perspio-public', client_secret: undefined };
    expect((await redeem(code, members)).json()['error_codes']).toEqual([70000]);
  });

  it('takes a plain challenge, and none at all', async () => {
    const plain = { code_challenge: verifier, code_challenge_method: undefined };
    expect((await redeem(await getCode(plain))).status).toBe(200);
    const none = { code_challenge: undefined, code_challenge_method: undefined };
    const code = await getCode(none);
    expect((await redeem(code)).json()['error_codes']).toEqual([501481]);
    expect((await redeem(code, { code_verifier: undefined })).status).toBe(200);
  });

  it('brings no refresh token without offline_access and no id_token without openid', async () => {
    const code = await getCode({ scope: 'api://perspiotalk/access_as_user' });
    const body = (await redeem(code)).json();
    expect(body).not.toHaveProperty('refresh_token');
    expect(body).not.toHaveProperty('id_token');
    expect(emulator.describe()).toMatchObject([{ generation: 0, alive: false }]);
  });
});
