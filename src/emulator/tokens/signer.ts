import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type GenerateKeyPairResult, type JWK } from 'jose';
import type { Random } from '../../system/random.ts';

/** Signs tokens with the emulator's key. */
export interface Signer {
  /** A signed JWT (RS256) of these claims. */
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>;
  /** The public key as an entry of the key set, certificate included. @see RFC 7517 section 4 */
  publicKey(): Promise<JWK>;
}

// Making an RSA key takes up to a second, so that one key serves every emulator of the process.
let signingKeys: Promise<GenerateKeyPairResult> | undefined;

const kid = 'evergrant-emulator-1';

/** Makes a signer; its key is made at the first use. */
export function createSigner(random: Random): Signer {
  const keys = (): Promise<GenerateKeyPairResult> =>
    (signingKeys ??= generateKeyPair('RS256', { extractable: true }));
  let published: Promise<JWK> | undefined;
  return {
    async sign(claims) {
      const { privateKey } = await keys();
      return new SignJWT({ ...claims })
        .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid })
        .sign(privateKey);
    },
    publicKey: () => (published ??= keys().then((pair) => publish(pair, random))),
  };
}

async function publish(keys: GenerateKeyPairResult, random: Random): Promise<JWK> {
  // Loaded here because few tests ask for the keys, and the certificate library is slow to load.
  const { createAuthorityCertificate } = await import('../certificates.ts');
  const name = 'evergrant emulator tokens';
  const { certificate } = await createAuthorityCertificate({ name, keys, random });
  const der = Buffer.from(certificate.rawData);
  const { kty, n, e } = await exportJWK(keys.publicKey);
  return {
    kty: kty ?? 'RSA',
    use: 'sig',
    kid,
    x5t: createHash('sha1').update(der).digest('base64url'),
    ...(n === undefined ? {} : { n }),
    ...(e === undefined ? {} : { e }),
    x5c: [der.toString('base64')],
  };
}
