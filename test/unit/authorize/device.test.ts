import { beforeEach, describe, expect, it } from 'vitest';
import { obtainByDevice } from '../../../src/authorize/device.ts';
import type { Obtained } from '../../../src/authorize/obtained.ts';
import type { ConsentPrompt } from '../../../src/keeper-api.ts';
import { entra } from '../../../src/providers/entra.ts';
import { resolveProfile } from '../../../src/providers/profile.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { fakeHttp, type FakeAnswer } from '../../support/fake-http.ts';

/*
 * The pace of asking, on a fake clock: `polls` is what the token endpoint answers, one by one; `askedAt` when it was asked.
 */

const profile = resolveProfile(entra, { entraTenantId: 't' });
const tokens = { access_token: 'at', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt' };

let clock: FakeClock;
let polls: FakeAnswer[];
let device: Record<string, unknown>;
let askedAt: number[];
let shown: Parameters<NonNullable<ConsentPrompt['deviceCode']>>[0] | undefined;

const pending: FakeAnswer = { status: 400, json: { error: 'authorization_pending' } };
const refused = (error: string): FakeAnswer => ({ status: 400, json: { error } });

beforeEach(() => {
  clock = fakeClock();
  polls = [];
  askedAt = [];
  shown = undefined;
  device = {
    device_code: 'dc',
    user_code: 'ABCD-EFGH',
    verification_uri: 'https://as.example/device',
    expires_in: 900,
    interval: 5,
  };
});

async function obtain(advanceMs = 3_600_000): Promise<Obtained> {
  const http = fakeHttp(({ url }) => {
    if (url === profile.deviceAuthorizationEndpoint) return { json: device };
    askedAt.push(clock.monotonic());
    return polls.shift() ?? pending;
  });
  const obtaining = obtainByDevice(
    { clock, random: systemRandom, http },
    {
      profile,
      clientId: 'c',
      authentication: { method: 'none' },
      scopes: ['offline_access'],
      prompt: { authorize: () => undefined, deviceCode: (code) => void (shown = code) },
    },
  );
  obtaining.catch(() => undefined);
  await clock.advance(advanceMs);
  return obtaining;
}

describe('asking whether the person has decided', () => {
  it('waits the interval each time', async () => {
    polls = [pending, pending, { json: tokens }];
    expect((await obtain()).tokens.refreshToken).toBeDefined();
    expect(askedAt).toEqual([5_000, 10_000, 15_000]);
  });

  it('waits five seconds where the server names no interval', async () => {
    delete device['interval'];
    polls = [{ json: tokens }];
    await obtain();
    expect(askedAt).toEqual([5_000]);
  });

  it('slows down for good when told to', async () => {
    polls = [refused('slow_down'), pending, refused('slow_down'), pending, { json: tokens }];
    await obtain();
    expect(askedAt).toEqual([5_000, 15_000, 25_000, 40_000, 55_000]);
  });

  it('doubles its pace after lost answers, up to a minute', async () => {
    polls = ['lost', 'unreachable', 'lost', 'lost', 'lost', { json: tokens }];
    await obtain();
    expect(askedAt).toEqual([5_000, 15_000, 35_000, 75_000, 135_000, 195_000]);
  });

  it('waits as long as a throttling server asks', async () => {
    polls = [{ status: 429, headers: { 'retry-after': '60' }, text: 'Too Many' }, { json: tokens }];
    await obtain();
    expect(askedAt).toEqual([5_000, 65_000]);
  });

  it('ends with the life of the code by the local clock', async () => {
    device['expires_in'] = 12;
    await expect(obtain()).rejects.toMatchObject({ code: 'ERR_AUTHORIZATION_FAILED' });
    expect(askedAt).toEqual([5_000, 10_000]);
  });

  it.each(['access_denied', 'authorization_declined'])(
    'ends when the person declined: %s',
    async (error) => {
      polls = [pending, refused(error)];
      await expect(obtain()).rejects.toMatchObject({
        code: 'ERR_AUTHORIZATION_DENIED',
        refusal: { error },
      });
      expect(askedAt).toHaveLength(2);
    },
  );

  it.each(['expired_token', 'code_expired', 'bad_verification_code'])(
    'ends when the code is no good any more: %s',
    async (error) => {
      polls = [refused(error)];
      await expect(obtain()).rejects.toMatchObject({ code: 'ERR_AUTHORIZATION_FAILED' });
      expect(askedAt).toHaveLength(1);
    },
  );

  it.each([
    ['invalid_client', 'ERR_CLIENT_REFUSED'],
    ['invalid_grant', 'ERR_AUTHORIZATION_FAILED'],
    ['unheard_of', 'ERR_REQUEST_REFUSED'],
  ])('ends with %s as %s', async (error, code) => {
    polls = [refused(error)];
    await expect(obtain()).rejects.toMatchObject({ code });
  });

  it('ends when an answer with tokens cannot be read', async () => {
    polls = [{ text: '<html>' }];
    await expect(obtain()).rejects.toMatchObject({ code: 'ERR_OUTCOME_UNCERTAIN' });
  });
});

describe('the code that is shown', () => {
  it('is free of control characters and says when it expires', async () => {
    device['user_code'] = 'AB\u001b[2J\nCD';
    const begun = clock.now();
    polls = [{ json: tokens }];
    await obtain();
    expect(shown).toEqual({
      userCode: 'AB [2J CD',
      verificationUri: 'https://as.example/device',
      verificationUriComplete: undefined,
      expiresAt: begun + 900_000,
    });
  });

  it.each([
    'javascript:alert(1)',
    'file:///etc/passwd',
    'https://a:b@as.example/',
    'no address',
    `https://as.example/${'x'.repeat(1_000)}`,
  ])('never sends people to %s', async (address) => {
    device['verification_uri'] = address;
    await expect(obtain()).rejects.toMatchObject({ code: 'ERR_RESPONSE_INVALID' });
    expect(shown).toBeUndefined();
  });

  it('needs a prompt that can show it and a provider that gives it', async () => {
    const http = fakeHttp(() => 'lost');
    const deps = { clock, random: systemRandom, http };
    const request = {
      profile,
      clientId: 'c',
      authentication: { method: 'none' } as const,
      scopes: [],
    };
    await expect(
      obtainByDevice(deps, { ...request, prompt: { authorize: () => undefined } }),
    ).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    const { deviceAuthorizationEndpoint: _left, ...without } = profile;
    const prompt = { authorize: () => undefined, deviceCode: () => undefined };
    await expect(
      obtainByDevice(deps, { ...request, profile: without, prompt }),
    ).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' });
    expect(http.requests).toEqual([]);
  });
});
