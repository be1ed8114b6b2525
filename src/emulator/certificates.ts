// The certificate library registers its parts through metadata, which must be there before it.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { GenerateKeyPairResult } from 'jose';
import { systemClock } from '../system/clock.ts';
import { dateOf } from '../system/instant.ts';
import type { Random } from '../system/random.ts';

const dayMs = 86_400_000;

/** What a new certificate needs. */
export interface CertificateFacts {
  /** Common name. */
  readonly name: string;
  readonly keys: GenerateKeyPairResult;
  readonly random: Random;
}

/** An authority: its certificate, and the key that signs with it. */
export interface CertificateAuthority extends CertificateFacts {
  readonly certificate: x509.X509Certificate;
}

/** A certificate signed by its own key, able to sign others. */
export async function createAuthorityCertificate(
  facts: CertificateFacts,
): Promise<CertificateAuthority> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${facts.name}`,
    keys: facts.keys,
    serialNumber: serialNumber(facts.random),
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(facts.keys.publicKey),
    ],
  });
  return { ...facts, certificate };
}

/** A server's certificate for the names of loopback, in PEM. */
export async function createLoopbackCertificate(
  authority: CertificateAuthority,
  { name, keys, random }: CertificateFacts,
): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: authority.certificate.subject,
    signingKey: authority.keys.privateKey,
    publicKey: keys.publicKey,
    serialNumber: serialNumber(random),
    ...validity(),
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
    ],
  });
  return certificate.toString('pem');
}

/** TLS clients check certificates against the real time, whatever the emulator's clock says. */
function validity(): { notBefore: Date; notAfter: Date } {
  const now = systemClock.now();
  return { notBefore: dateOf(now - dayMs), notAfter: dateOf(now + 30 * dayMs) };
}

function serialNumber(random: Random): string {
  // A leading byte below 0x80 keeps the number positive.
  return `4f${Buffer.from(random.bytes(15)).toString('hex')}`;
}
