import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { GenerateKeyPairResult, JSONWebKeySet, JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { ResponseInvalidError } from '../../../src/errors.ts';
import { decodeIdToken, verifyIdToken } from '../../../src/oauth/id-token.ts';

const NOW_S = 1_800_000_000;
const issuer = 'https://as.example';
const sound = { iss: issuer, sub: 'ann', aud: 'client', exp: NOW_S + 60, iat: NOW_S };

let keys: GenerateKeyPairResult;
let jwks: JSONWebKeySet;
beforeAll(async () => {
  keys = await generateKeyPair('RS256');
  jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'RS256' }] };
});

function sign(claims: JWTPayload): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(keys.privateKey);
}

function verify(idToken: string): ReturnType<typeof verifyIdToken> {
  return verifyIdToken(idToken, { jwks, issuer, clientId: 'client', nowMs: NOW_S * 1000 });
}

function unsigned(header: object, payload: string): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  return `${encode(JSON.stringify(header))}.${encode(payload)}.`;
}

describe('decoding an id token', () => {
  it('gives its claims, unverified', async () => {
    expect(decodeIdToken(await sign({ ...sound, name: 'Änn' }))).toEqual({ ...sound, name: 'Änn' });
  });

  it('leaves the prototype alone', () => {
    const claims = decodeIdToken(unsigned({ alg: 'none' }, '{"__proto__":{"sub":"eve"}}'));
    expect(claims.sub).toBeUndefined();
  });

  it.each([
    ['', 'is no signed JSON Web Token of three parts'],
    [undefined, 'is no signed JSON Web Token of three parts'],
    ['a.e30', 'is no signed JSON Web Token of three parts'],
    ['a.e30.c.d.e', 'is no signed JSON Web Token of three parts'],
    ['a.b.c', 'has claims that are not JSON'],
    ['a..c', 'has claims that are not JSON'],
    [unsigned({}, '[]'), 'has claims that are no JSON object'],
    [unsigned({}, 'null'), 'has claims that are no JSON object'],
    [unsigned({}, '7'), 'has claims that are no JSON object'],
  ])('refuses %j: it %s', (text, fault) => {
    const decode = () => decodeIdToken(text!);
    expect(decode).toThrow(
      new ResponseInvalidError('ERR_RESPONSE_INVALID', `the id token ${fault}`),
    );
    expect(decode).toThrow(expect.objectContaining({ code: 'ERR_RESPONSE_INVALID' }));
  });
});

describe('verifying an id token', () => {
  it('accepts one of its issuer, for this client, that holds now', async () => {
    await expect(verify(await sign(sound))).resolves.toEqual(sound);
  });

  it.each(['PS256', 'ES256', 'EdDSA'])('accepts one signed by %s', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    const idToken = await new SignJWT(sound).setProtectedHeader({ alg }).sign(privateKey);
    const key = { ...(await exportJWK(publicKey)), alg };
    const options = { jwks: { keys: [key] }, issuer, clientId: 'client', nowMs: NOW_S * 1000 };
    await expect(verifyIdToken(idToken, options)).resolves.toEqual(sound);
  });

  it.each<[string, JWTPayload, string]>([
    ['of another issuer', { iss: 'https://evil.example' }, '(iss)'],
    ['of nobody', { sub: '' }, '(sub)'],
    ['of a number', { sub: 7 as unknown as string }, '(sub)'],
    ['for this client, issued to another', { azp: 'other' }, '(azp)'],
    ['for another client', { aud: 'other' }, '(aud)'],
    ['for several, issued to another', { aud: ['client', 'other'], azp: 'other' }, '(azp)'],
    ['for several, issued to nobody in particular', { aud: ['client', 'other'] }, '(azp)'],
    ['that has expired', { exp: NOW_S - 60 }, '(exp)'],
    ['whose expiry is text', { exp: String(NOW_S + 60) as unknown as number }, '(exp)'],
    ['of the future', { iat: NOW_S + 60 }, '(iat)'],
    ['that does not hold yet', { nbf: NOW_S + 61 }, '(nbf)'],
  ])('refuses one %s', async (_what, claims, named) => {
    const refused = verify(await sign({ ...sound, ...claims }));
    await expect(refused).rejects.toThrow(ResponseInvalidError);
    await expect(refused).rejects.toThrow(named);
    await expect(refused).rejects.not.toHaveProperty('cause');
  });

  it('tolerates clocks that differ by less than a minute, and one that begins in a minute', async () => {
    const skewed = { ...sound, exp: NOW_S - 59, iat: NOW_S + 59, nbf: NOW_S + 60 };
    await expect(verify(await sign(skewed))).resolves.toEqual(skewed);
  });

  it('refuses one signed by another key, by a symmetric key, or not at all', async () => {
    const other = await generateKeyPair('RS256');
    const forged = await new SignJWT(sound)
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .sign(other.privateKey);
    const symmetric = await new SignJWT(sound)
      .setProtectedHeader({ alg: 'HS256', kid: 'k' })
      .sign(new TextEncoder().encode('x'.repeat(32)));
    const none = unsigned({ alg: 'none' }, JSON.stringify(sound));
    for (const idToken of [forged, symmetric, none]) {
      const refused = verify(idToken);
      await expect(refused).rejects.toThrow('not signed by a key of its issuer');
      await expect(refused).rejects.toHaveProperty('cause.name');
    }
  });
});
