import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { readIdToken, type IdTokenFinding } from '../../../src/authorize/id-token.ts';
import { entra } from '../../../src/providers/entra.ts';
import { resolveProfile } from '../../../src/providers/profile.ts';
import { Secret } from '../../../src/secret.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { fakeHttp, type FakeAnswer } from '../../support/fake-http.ts';

type KeyLike = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

const profile = resolveProfile(entra, { entraTenantId: 't' });
const clock = fakeClock();
const seconds = clock.now() / 1000;
const good: JWTPayload = {
  iss: 'https://login.microsoftonline.com/t/v2.0',
  aud: 'client',
  sub: 'pairwise',
  oid: 'object',
  tid: 't',
  nonce: 'n',
  exp: seconds + 3600,
  preferred_username: 'alice@as.example',
};

let key: KeyLike;
let stranger: KeyLike;
let keys: FakeAnswer;

beforeAll(async () => {
  const pair = await generateKeyPair('RS256');
  ({ privateKey: stranger } = await generateKeyPair('RS256'));
  key = pair.privateKey;
  keys = { json: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: '1', use: 'sig' }] } };
});

async function sign(claims: JWTPayload, signer = key): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: '1' }).sign(signer);
}

function read(idToken: string, answer: FakeAnswer = keys): Promise<IdTokenFinding> {
  return readIdToken(
    { clock, random: systemRandom, http: fakeHttp(() => answer) },
    { profile, clientId: 'client', nonce: 'n' },
    new Secret(idToken),
  );
}

describe('an id token', () => {
  it('tells the account', async () => {
    expect(await read(await sign(good))).toEqual({
      subject: { issuer: good.iss, id: 'object', display: 'alice@as.example' },
      warnings: [],
    });
  });

  it('tells the subject where there is no object id of Entra', async () => {
    const { oid: _oid, preferred_username: _name, ...others } = good;
    expect((await read(await sign({ ...others, email: 'a@b' }))).subject).toEqual({
      issuer: good.iss,
      id: 'pairwise',
      display: 'a@b',
    });
    const { tid: _tid, ...foreign } = good;
    expect((await read(await sign(foreign))).subject?.id).toBe('pairwise');
  });

  it.each<[string, JWTPayload]>([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'other' }],
    ['another authorized party', { aud: ['client', 'other'], azp: 'other' }],
    ['another nonce', { nonce: 'other' }],
    ['an expiry long past', { exp: seconds - 301 }],
  ])('with %s is not believed, with a warning', async (_name, claims) => {
    const finding = await read(await sign({ ...good, ...claims }));
    expect(finding.subject).toBeUndefined();
    expect(finding.warnings).toEqual([expect.stringContaining('was not believed')]);
  });

  it.each(['nonce', 'exp', 'aud', 'iss'])('without %s is not believed', async (name) => {
    const claims = Object.fromEntries(Object.entries(good).filter(([claim]) => claim !== name));
    expect((await read(await sign(claims))).subject).toBeUndefined();
  });

  it('for several audiences is believed', async () => {
    const finding = await read(await sign({ ...good, aud: ['client', 'other'], azp: 'client' }));
    expect(finding.subject).toBeDefined();
  });

  it('signed by a stranger, by a secret or by nobody is not believed', async () => {
    const symmetric = new SignJWT(good).setProtectedHeader({ alg: 'HS256', kid: '1' });
    const forgeries = [
      await sign(good, stranger),
      await symmetric.sign(new TextEncoder().encode('x'.repeat(32))),
      new UnsecuredJWT(good).encode(),
      'no token',
      '',
    ];
    for (const forgery of forgeries) {
      const finding = await read(forgery);
      expect(finding.subject).toBeUndefined();
      expect(finding.warnings).toHaveLength(1);
    }
  });

  it.each<FakeAnswer>(['unreachable', 'lost', { status: 500 }, { text: '<html>' }, { json: {} }])(
    'is believed with a warning when the keys cannot be had: %j',
    async (answer) => {
      const finding = await read(await sign(good), answer);
      expect(finding.subject?.id).toBe('object');
      expect(finding.warnings).toEqual([expect.stringContaining('not verified')]);
    },
  );

  it('that did not come warns of nothing', async () => {
    const deps = { clock, random: systemRandom, http: fakeHttp(() => 'lost') };
    const expected = { profile, clientId: 'client', nonce: 'n' };
    expect(await readIdToken(deps, expected, undefined)).toEqual({
      subject: undefined,
      warnings: [],
    });
  });
});
