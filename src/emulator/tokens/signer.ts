import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';

/** Signs tokens with the emulator's key. */
export interface Signer {
  /** A signed JWT (RS256) of these claims. */
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>;
  /** The public key as an entry of the key set. */
  publicKey(): Promise<JWK & { readonly kid: string }>;
}

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>;

// Making an RSA key takes up to a second, so that one key serves every emulator of the process.
let signingKey: Promise<SigningKey> | undefined;

const kid = 'evergrant-emulator-1';

/** Makes a signer; its key is made at the first use. */
export function createSigner(): Signer {
  const key = (): Promise<SigningKey> =>
    (signingKey ??= generateKeyPair('RS256', { extractable: true }));
  return {
    async sign(claims) {
      const { privateKey } = await key();
      return new SignJWT({ ...claims })
        .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid })
        .sign(privateKey);
    },
    async publicKey() {
      return { ...(await exportJWK((await key()).publicKey)), kid, use: 'sig' };
    },
  };
}
