import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { obtainByCode, type CodeRequest } from '../../../src/authorize/code.ts';
import type { Obtained } from '../../../src/authorize/obtained.ts';
import { generic } from '../../../src/providers/generic.ts';
import { resolveProfile, type Profile } from '../../../src/providers/profile.ts';
import { Secret } from '../../../src/secret.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { fakeHttp, type FakeAnswer, type FakeRequest } from '../../support/fake-http.ts';

/*
 * What leaves this machine during a sign-in: the address shown to the person, the pushed request and the token request.
 */

const profile = resolveProfile(generic, {
  issuer: 'https://as.example',
  tokenEndpoint: 'https://as.example/token',
  authorizationEndpoint: 'https://as.example/authorize?tenant=t',
  authorizationParameters: {
    access_type: 'offline',
    code_challenge_method: 'plain',
    state: 'fixed',
  },
  tokenParameters: { audience: 'api', grant_type: 'password' },
});
const pushing: Profile = {
  ...profile,
  pushedAuthorizationRequestEndpoint: 'https://as.example/par',
};

let clock: FakeClock;
let answers: Record<string, FakeAnswer>;
let requests: FakeRequest[];
let shown: URL[];

beforeEach(() => {
  clock = fakeClock();
  requests = [];
  shown = [];
  answers = {
    'https://as.example/token': {
      json: { access_token: 'at', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt' },
    },
    'https://as.example/par': {
      status: 201,
      json: { request_uri: 'urn:ietf:params:oauth:request_uri:1', expires_in: 60 },
    },
  };
});

/** A person who signs in at once and comes back with `query`, in which STATE stands for the state. */
function obtain(
  overrides: Partial<CodeRequest> = {},
  query = 'code=abc&state=STATE',
): Promise<Obtained> {
  const http = fakeHttp((request) => answers[request.url] ?? { status: 404 });
  requests = http.requests;
  return obtainByCode(
    { clock, random: systemRandom, http },
    {
      profile,
      clientId: 'client',
      authentication: { method: 'client_secret_basic', secret: new Secret('sec ret') },
      scopes: ['a', 'b'],
      prompt: {
        async authorize({ url, redirectUri }) {
          shown.push(new URL(url));
          const state =
            shown.at(-1)?.searchParams.get('state') ?? requests[0]?.form.get('state') ?? '';
          await fetch(`${redirectUri}/?${query.replace('STATE', state)}`);
        },
      },
      ...overrides,
    },
  );
}

function challengeOf(verifier: string | null | undefined): string {
  return createHash('sha256')
    .update(verifier ?? '')
    .digest('base64url');
}

describe('the address shown to the person', () => {
  it('asks for a code with state and an S256 challenge, whatever the profile adds', async () => {
    await obtain({ loginHint: 'alice' });
    const parameters = Object.fromEntries(shown[0]?.searchParams ?? []);
    expect(parameters).toMatchObject({
      tenant: 't',
      access_type: 'offline',
      login_hint: 'alice',
      response_type: 'code',
      client_id: 'client',
      scope: 'a b',
      code_challenge_method: 'S256',
    });
    expect(parameters['state']).toMatch(/^[\w-]{43}$/);
    expect(parameters['code_challenge']).toMatch(/^[\w-]{43}$/);
    expect(parameters['redirect_uri']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(parameters).not.toHaveProperty('nonce');
    expect(parameters).not.toHaveProperty('client_secret');
  });

  it('carries a nonce with openid, and no two attempts share a value', async () => {
    await obtain({ scopes: ['openid'] });
    await obtain({ scopes: ['openid'] });
    for (const name of ['state', 'nonce', 'code_challenge']) {
      const values = shown.map((url) => url.searchParams.get(name));
      expect(values[0]).toMatch(/^[\w-]{43}$/);
      expect(values[0]).not.toBe(values[1]);
    }
  });

  it('holds a reference alone where requests are pushed', async () => {
    await obtain({ profile: pushing, scopes: ['openid'] });
    expect(Object.fromEntries(shown[0]?.searchParams ?? [])).toEqual({
      tenant: 't',
      client_id: 'client',
      request_uri: 'urn:ietf:params:oauth:request_uri:1',
    });
    const pushed = requests[0];
    expect(pushed?.url).toBe('https://as.example/par');
    expect(pushed?.headers['authorization']).toBe(`Basic ${btoa('client:sec%20ret')}`);
    expect(pushed?.form.get('code_challenge_method')).toBe('S256');
    expect(pushed?.form.get('nonce')).toMatch(/^[\w-]{43}$/);
  });

  it.each([
    [{ status: 400, json: { error: 'invalid_scope' } }, 'ERR_REQUEST_REFUSED'],
    [{ status: 401, json: { error: 'invalid_client' } }, 'ERR_CLIENT_REFUSED'],
    [{ status: 200, json: {} }, 'ERR_RESPONSE_INVALID'],
    [{ status: 201, text: '<html>' }, 'ERR_RESPONSE_INVALID'],
    ['unreachable', 'ERR_SERVER_UNREACHABLE'],
  ] satisfies [FakeAnswer, string][])(
    'is not shown when the push fails: %j',
    async (answer, code) => {
      answers['https://as.example/par'] = answer;
      await expect(obtain({ profile: pushing })).rejects.toMatchObject({ code });
      expect(shown).toEqual([]);
    },
  );
});

describe('the code', () => {
  it('is redeemed once with its verifier and the same redirect URI', async () => {
    const obtained = await obtain();
    expect(requests).toHaveLength(1);
    const form = requests[0]?.form;
    const parameters = shown[0]?.searchParams;
    expect(Object.fromEntries(form ?? [])).toMatchObject({
      grant_type: 'authorization_code',
      audience: 'api',
      code: 'abc',
    });
    expect(form?.get('redirect_uri')).toBe(parameters?.get('redirect_uri'));
    expect(challengeOf(form?.get('code_verifier'))).toBe(parameters?.get('code_challenge'));
    expect(requests[0]?.headers['authorization']).toBe(`Basic ${btoa('client:sec%20ret')}`);
    expect(obtained.sentAt).toBe(clock.now());
    expect(obtained.granted).toEqual(['a', 'b']);
  });

  it.each<[FakeAnswer, string]>([
    ['lost', 'ERR_OUTCOME_UNCERTAIN'],
    [{ status: 500, text: 'oops' }, 'ERR_OUTCOME_UNCERTAIN'],
    [{ text: '<html>' }, 'ERR_OUTCOME_UNCERTAIN'],
    ['unreachable', 'ERR_SERVER_UNREACHABLE'],
    [{ status: 400, json: { error: 'invalid_grant' } }, 'ERR_AUTHORIZATION_FAILED'],
    [{ status: 307, headers: { location: 'https://evil.example' } }, 'ERR_REQUEST_REFUSED'],
    [{ status: 429 }, 'ERR_SERVER_THROTTLED'],
  ])('is sent once, whatever comes: %j', async (answer, code) => {
    answers['https://as.example/token'] = answer;
    await expect(obtain()).rejects.toMatchObject({ code });
    expect(requests).toHaveLength(1);
  });

  it.each([
    'error=access_denied&state=STATE',
    'code=abc&state=STATE&iss=https://evil.example',
    'code=abc&code=def&state=STATE',
  ])('is not redeemed after %s', async (query) => {
    await expect(obtain({}, query)).rejects.toThrow();
    expect(requests).toEqual([]);
  });
});

describe('the wait for the person', () => {
  it('ends after fifteen minutes', async () => {
    const waiting = obtain({ prompt: { authorize: () => undefined } });
    waiting.catch(() => undefined);
    await expect.poll(() => clock.pending).toBe(1);
    await clock.advance(900_000);
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_AUTHORIZATION_FAILED' });
    expect(clock.pending).toBe(0);
  });

  it('ends when the address cannot be shown, and tells the one who offers to paste', async () => {
    let told: AbortSignal | undefined;
    const waiting = obtain({
      prompt: {
        authorize: () => Promise.reject(new Error('no browser')),
        pastedRedirect: (signal) => {
          told = signal;
          return new Promise<never>(() => undefined);
        },
      },
    });
    await expect(waiting).rejects.toThrow('no browser');
    expect(told?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('does not begin without an authorization endpoint', async () => {
    const { authorizationEndpoint: _left, ...without } = profile;
    await expect(obtain({ profile: without })).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' });
  });
});
