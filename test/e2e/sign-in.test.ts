import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { obtainByClientCredentials } from '../../src/authorize/client-credentials.ts';
import { obtainByCode, type CodeRequest } from '../../src/authorize/code.ts';
import { obtainByDevice } from '../../src/authorize/device.ts';
import { discover } from '../../src/authorize/discovery.ts';
import { expectedRefreshToken, type AuthorizeDeps } from '../../src/authorize/obtained.ts';
import { checkSubject } from '../../src/authorize/subject.ts';
import { startEmulator, type Emulator } from '../../src/emulator/emulator.ts';
import type { ConsentPrompt } from '../../src/keeper-api.ts';
import type { ClientAuthentication } from '../../src/oauth/outcome.ts';
import { perspio } from '../../src/providers/perspio.ts';
import {
  resolveProfile,
  type Profile,
  type ProfileOverrides,
} from '../../src/providers/profile.ts';
import { Secret } from '../../src/secret.ts';
import { systemClock } from '../../src/system/clock.ts';
import { nodeHttp } from '../../src/system/node-http.ts';
import { systemRandom } from '../../src/system/random.ts';
import { browse, type Person, type Visit } from '../support/browser.ts';

/*
 * Every way a connection begins, against the emulator of Entra. A browser of a few lines plays the person.
 */

const http = nodeHttp();
const deps: AuthorizeDeps = { clock: systemClock, random: systemRandom, http };
const secret: ClientAuthentication = {
  method: 'client_secret_post',
  secret: new Secret('demo~secret+1'),
};
const scopes = ['api://perspiotalk/access_as_user', 'offline_access', 'openid', 'profile'];

let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator({ deviceIntervalSeconds: 1 });
});

beforeEach(() => {
  emulator.signInAs(undefined);
  emulator.faults.clear();
  emulator.ledger.clear();
});

afterAll(async () => {
  http.close();
  await emulator.close();
});

function profileOf(server: Emulator, further: ProfileOverrides = {}): Profile {
  return resolveProfile(perspio, {
    issuer: server.issuer,
    tokenEndpoint: server.tokenEndpoint,
    authorizationEndpoint: server.authorizationEndpoint,
    deviceAuthorizationEndpoint: server.deviceAuthorizationEndpoint,
    jwksUri: server.jwksUri,
    insecureLoopback: true,
    ...further,
  });
}

function request(overrides: Partial<CodeRequest> = {}): CodeRequest {
  return {
    profile: profileOf(emulator),
    clientId: 'perspio-demo',
    authentication: secret,
    scopes,
    prompt: person(),
    ...overrides,
  };
}

/** A person at the browser of this machine; what they saw last is in `visits`. */
function person(choice: Person = {}, visits: Visit[] = []): ConsentPrompt {
  return {
    async authorize({ url }) {
      visits.push(await browse(url, { person: choice }));
    },
  };
}

function tokenRequests(): number {
  return emulator.ledger.count({ endpoint: 'token' });
}

describe('a sign-in by browser', () => {
  it('brings tokens, account and scopes when somebody is signed in already', async () => {
    emulator.signInAs('demo@perspio.io');
    const before = systemClock.now();
    const obtained = await obtainByCode(deps, request());
    const { accessToken, refreshToken } = obtained.tokens;
    expect(emulator.isAccessTokenAlive(accessToken.reveal())).toBe(true);
    expect(emulator.isRefreshTokenHonoured(refreshToken?.reveal() ?? '')).toBe(true);
    expect(obtained.subject).toMatchObject({ issuer: emulator.issuer, display: 'demo@perspio.io' });
    expect(obtained.requested).toEqual(scopes);
    expect(obtained.granted).toContain('api://perspiotalk/access_as_user');
    expect(obtained.granted).not.toContain('offline_access');
    expect(obtained.warnings).toEqual([]);
    expect(obtained.sentAt).toBeGreaterThanOrEqual(before);
    expect(obtained.sentAt).toBeLessThanOrEqual(systemClock.now());
  });

  it('brings tokens after the form of the sign-in page was sent', async () => {
    const visits: Visit[] = [];
    const obtained = await obtainByCode(
      deps,
      request({ prompt: person({ username: 'other@perspio.io' }, visits) }),
    );
    expect(obtained.subject?.display).toBe('other@perspio.io');
    await expect.poll(() => visits.length).toBe(1);
    expect(visits[0]).toMatchObject({ status: 200 });
    expect(visits[0]?.text).toContain('The answer has arrived');
  });

  it('sends a public client without any secret', async () => {
    emulator.signInAs('demo@perspio.io');
    const obtained = await obtainByCode(
      deps,
      request({ clientId: 'perspio-public', authentication: { method: 'none' } }),
    );
    expect(obtained.tokens.refreshToken).toBeDefined();
  });

  it.each([
    ['the host alone', { redirectUri: 'http://localhost' }],
    ['a path', { redirectUri: 'http://localhost/callback' }],
    ['the address literal', { redirectUri: 'http://127.0.0.1/callback' }],
  ])('comes back where the registered URI has %s', async (_name, redirect) => {
    emulator.signInAs('demo@perspio.io');
    expect((await obtainByCode(deps, request(redirect))).tokens.refreshToken).toBeDefined();
  });

  it('is denied when the person declines', async () => {
    await expect(
      obtainByCode(deps, request({ prompt: person({ decision: 'deny' }) })),
    ).rejects.toMatchObject({
      name: 'AuthorizationRequiredError',
      code: 'ERR_AUTHORIZATION_DENIED',
      refusal: { error: 'access_denied' },
    });
    expect(tokenRequests()).toBe(0);
  });

  it('ignores redirects with another state and goes on waiting', async () => {
    emulator.signInAs('demo@perspio.io');
    const forged: number[] = [];
    const prompt: ConsentPrompt = {
      async authorize({ url, redirectUri }) {
        for (const query of [
          'code=stolen&state=guess',
          'code=stolen',
          'error=access_denied&state=',
        ]) {
          const response = await fetch(`${redirectUri}/?${query}`);
          forged.push(response.status);
        }
        await browse(url);
      },
    };
    expect((await obtainByCode(deps, request({ prompt }))).tokens.refreshToken).toBeDefined();
    expect(forged).toEqual([400, 400, 400]);
    expect(tokenRequests()).toBe(1);
  });

  it('takes the address that a person pastes', async () => {
    emulator.signInAs('demo@perspio.io');
    const end = Promise.withResolvers<string>();
    const prompt: ConsentPrompt = {
      async authorize({ url, redirectUri }) {
        const visit = await browse(url, { stopBefore: redirectUri });
        end.resolve(`  ${visit.url}\n`);
      },
      pastedRedirect: () => end.promise,
    };
    const obtained = await obtainByCode(deps, request({ prompt }));
    expect(obtained.subject?.display).toBe('demo@perspio.io');
  });

  it.each([
    'no address',
    'https://login.example/?code=1&state=2',
    'http://localhost:1/?code=1&state=2',
    'REDIRECT/?code=1&state=guess',
    'REDIRECT/other?code=1&state=guess',
  ])('refuses a pasted address that does not belong to it: %s', async (address) => {
    const redirect = Promise.withResolvers<string>();
    const prompt: ConsentPrompt = {
      authorize: ({ redirectUri }) => redirect.resolve(redirectUri),
      pastedRedirect: async () => address.replace('REDIRECT', await redirect.promise),
    };
    await expect(obtainByCode(deps, request({ prompt }))).rejects.toMatchObject({
      code: 'ERR_AUTHORIZATION_FAILED',
      message: expect.not.stringContaining('code=1'),
    });
    expect(tokenRequests()).toBe(0);
  });

  it('never sends the code twice when the answer is lost', async () => {
    emulator.signInAs('demo@perspio.io');
    emulator.faults.next({ kind: 'cut-after-commit' }, { endpoint: 'token' });
    await expect(obtainByCode(deps, request())).rejects.toMatchObject({
      name: 'OutcomeUncertainError',
      code: 'ERR_OUTCOME_UNCERTAIN',
      message: expect.stringContaining('start over'),
    });
    expect(tokenRequests()).toBe(1);
  });

  it('names the operator when the secret is wrong', async () => {
    emulator.signInAs('demo@perspio.io');
    const authentication: ClientAuthentication = {
      method: 'client_secret_post',
      secret: new Secret('wrong-secret'),
    };
    await expect(obtainByCode(deps, request({ authentication }))).rejects.toMatchObject({
      name: 'ClientRejectedError',
      code: 'ERR_CLIENT_REFUSED',
      message: expect.not.stringContaining('wrong-secret'),
    });
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const prompt: ConsentPrompt = { authorize: () => controller.abort(new Error('no more')) };
    await expect(
      obtainByCode({ ...deps, signal: controller.signal }, request({ prompt })),
    ).rejects.toThrow('no more');
  });

  it('says at once that the refresh token is missing', async () => {
    emulator.signInAs('demo@perspio.io');
    emulator.faults.next({ kind: 'no-refresh-token' }, { endpoint: 'token' });
    const obtained = await obtainByCode(deps, request());
    expect(obtained.tokens.refreshToken).toBeUndefined();
    expect(expectedRefreshToken('authorization_code', obtained)).toBe(true);
    expect(obtained.warnings).toContainEqual(expect.stringContaining('did not grant it'));
  });

  it('says that offline_access was forgotten', async () => {
    emulator.signInAs('demo@perspio.io');
    const obtained = await obtainByCode(
      deps,
      request({ scopes: ['api://perspiotalk/access_as_user'] }),
    );
    expect(obtained.tokens.refreshToken).toBeUndefined();
    expect(obtained.subject).toBeUndefined();
    expect(obtained.warnings).toContainEqual(expect.stringContaining('was not asked for'));
  });

  it('keeps the tokens when the keys that sign id tokens cannot be had', async () => {
    emulator.signInAs('demo@perspio.io');
    emulator.faults.next({ kind: 'server-error' }, { endpoint: 'keys' });
    const obtained = await obtainByCode(deps, request());
    expect(obtained.subject?.display).toBe('demo@perspio.io');
    expect(obtained.warnings).toContainEqual(expect.stringContaining('not verified'));
  });

  it('keeps the tokens when the id token is of another issuer', async () => {
    emulator.signInAs('demo@perspio.io');
    const profile = profileOf(emulator, { issuer: 'https://login.example/v2.0' });
    const obtained = await obtainByCode(deps, request({ profile }));
    expect(obtained.subject).toBeUndefined();
    expect(obtained.tokens.refreshToken).toBeDefined();
    expect(obtained.warnings).toContainEqual(expect.stringContaining('another issuer'));
  });

  it('refuses to renew a connection with another account unless that is confirmed', async () => {
    emulator.signInAs('demo@perspio.io');
    const before = await obtainByCode(deps, request());
    const again = await obtainByCode(deps, request());
    await checkSubject(before.subject, again.subject, undefined);
    emulator.signInAs('other@perspio.io');
    const other = await obtainByCode(deps, request());
    await expect(checkSubject(before.subject, other.subject, undefined)).rejects.toMatchObject({
      code: 'ERR_SUBJECT_MISMATCH',
    });
    await checkSubject(before.subject, other.subject, {
      confirmSubject: () => Promise.resolve(true),
    });
  });
});

describe('a server that announces iss', () => {
  it('is believed when it names itself, and refused when it does not', async () => {
    await using announcing = await startEmulator({
      announceIss: true,
      autoSignIn: 'demo@perspio.io',
    });
    const found = await discover(deps, announcing.issuer, { insecureLoopback: true });
    expect(found.authorizationResponseIss).toBe(true);
    const profile = profileOf(announcing, found);
    expect((await obtainByCode(deps, request({ profile }))).tokens.refreshToken).toBeDefined();

    const prompt: ConsentPrompt = {
      async authorize({ url, redirectUri }) {
        const visit = new URL((await browse(url, { stopBefore: redirectUri })).url);
        visit.searchParams.delete('iss');
        await browse(visit.href);
      },
    };
    announcing.ledger.clear();
    await expect(obtainByCode(deps, request({ profile, prompt }))).rejects.toMatchObject({
      code: 'ERR_AUTHORIZATION_FAILED',
    });
    expect(announcing.ledger.count({ endpoint: 'token' })).toBe(0);
  });
});

describe('a sign-in at another device', () => {
  function deviceRequest(deviceCode: NonNullable<ConsentPrompt['deviceCode']>) {
    return request({ prompt: { authorize: () => undefined, deviceCode } });
  }

  it('brings tokens once the person has decided', async () => {
    const obtained = await obtainByDevice(
      deps,
      deviceRequest(({ userCode, verificationUri, expiresAt }) => {
        expect(URL.canParse(verificationUri)).toBe(true);
        expect(expiresAt).toBeGreaterThan(systemClock.now());
        emulator.decideDevice(userCode, { user: 'demo@perspio.io' });
      }),
    );
    expect(obtained.subject?.display).toBe('demo@perspio.io');
    expect(obtained.tokens.refreshToken).toBeDefined();
    expect(obtained.warnings).toEqual([]);
  });

  it('goes on asking while the person has not decided', async () => {
    const userCodes: string[] = [];
    const obtaining = obtainByDevice(
      deps,
      deviceRequest(({ userCode }) => void userCodes.push(userCode)),
    );
    await emulator.ledger.waitFor(2, { endpoint: 'token' });
    emulator.decideDevice(userCodes[0] ?? '', { user: 'demo@perspio.io' });
    expect((await obtaining).tokens.refreshToken).toBeDefined();
  });

  it('is denied when the person declines', async () => {
    await expect(
      obtainByDevice(
        deps,
        deviceRequest(({ userCode }) => emulator.decideDevice(userCode, 'deny')),
      ),
    ).rejects.toMatchObject({ code: 'ERR_AUTHORIZATION_DENIED' });
  });

  it('ends when the code has expired at the server', async () => {
    await using other = await startEmulator({ deviceIntervalSeconds: 1 });
    const profile = profileOf(other);
    const prompt: ConsentPrompt = {
      authorize: () => undefined,
      deviceCode: () => other.clock.advance(3_600_000),
    };
    await expect(obtainByDevice(deps, request({ profile, prompt }))).rejects.toMatchObject({
      code: 'ERR_AUTHORIZATION_FAILED',
    });
  });
});

describe('client credentials', () => {
  it('bring a token without a person and without a refresh token', async () => {
    const obtained = await obtainByClientCredentials(
      deps,
      request({ scopes: perspio.scopes.clientCredentials }),
    );
    expect(emulator.isAccessTokenAlive(obtained.tokens.accessToken.reveal())).toBe(true);
    expect(obtained.tokens.refreshToken).toBeUndefined();
    expect(expectedRefreshToken('client_credentials', obtained)).toBe(false);
    expect(obtained.warnings).toEqual([]);
  });

  it('name the operator when the secret has expired', async () => {
    await using other = await startEmulator();
    other.expireClientSecret('perspio-demo');
    await expect(
      obtainByClientCredentials(
        deps,
        request({ profile: profileOf(other), scopes: perspio.scopes.clientCredentials }),
      ),
    ).rejects.toMatchObject({ name: 'ClientRejectedError', code: 'ERR_CLIENT_REFUSED' });
  });

  it('say when to try again if the server throttles', async () => {
    emulator.faults.next({ kind: 'throttled', retryAfter: 60 }, { endpoint: 'token' });
    await expect(
      obtainByClientCredentials(deps, request({ scopes: perspio.scopes.clientCredentials })),
    ).rejects.toMatchObject({ code: 'ERR_SERVER_THROTTLED', retryAt: expect.any(Number) });
  });
});

describe('discovery', () => {
  it('finds the endpoints of the emulator', async () => {
    expect(await discover(deps, emulator.issuer, { insecureLoopback: true })).toMatchObject({
      issuer: emulator.issuer,
      tokenEndpoint: emulator.tokenEndpoint,
      authorizationEndpoint: emulator.authorizationEndpoint,
      deviceAuthorizationEndpoint: emulator.deviceAuthorizationEndpoint,
      jwksUri: emulator.jwksUri,
      clientAuthentication: 'client_secret_post',
    });
  });

  it('refuses an issuer that differs by a slash', async () => {
    await expect(
      discover(deps, `${emulator.issuer}/`, { insecureLoopback: true }),
    ).rejects.toMatchObject({ code: 'ERR_DISCOVERY_INVALID' });
  });
});
