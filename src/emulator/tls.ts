import { exportPKCS8, generateKeyPair } from 'jose';
import type { Random } from '../system/random.ts';
import { createAuthorityCertificate, createLoopbackCertificate } from './certificates.ts';
import type { TlsIdentity } from './http/listener.ts';

/** A throw-away authority, and what a listener needs to be trusted by those who trust it. */
export interface ThrowAwayAuthority {
  /** PEM. */
  readonly caCertificate: string;
  readonly identity: TlsIdentity;
}

/** Makes an authority that exists only in this process, and one certificate of it for loopback. */
export async function createThrowAwayAuthority(random: Random): Promise<ThrowAwayAuthority> {
  const [authorityKeys, serverKeys] = await Promise.all([
    generateKeyPair('ES256', { extractable: true }),
    generateKeyPair('ES256', { extractable: true }),
  ]);
  const name = 'evergrant emulator';
  const authority = await createAuthorityCertificate({ name, keys: authorityKeys, random });
  const server = { name: 'localhost', keys: serverKeys, random };
  const cert = await createLoopbackCertificate(authority, server);
  return {
    caCertificate: authority.certificate.toString('pem'),
    identity: { cert, key: await exportPKCS8(serverKeys.privateKey) },
  };
}
