import type { SecureContext } from 'node:tls';

/** What every TLS connection of ours is made with. */
export interface TlsTrust {
  /** TLS 1.2 or newer, and the authorities. */
  readonly secureContext: SecureContext;
  /** Certificates are checked, whatever `NODE_TLS_REJECT_UNAUTHORIZED` says: whoever reads a token has it. */
  readonly rejectUnauthorized: true;
}

/**
 * Makes what TLS connections are made with. To be made once and kept: reading the authorities takes longer than a handshake.
 *
 * @param ca - certificates of further authorities, PEM; those of the machine stay trusted.
 */
export async function tlsTrust(ca: readonly string[] | undefined): Promise<TlsTrust> {
  const { createSecureContext, getCACertificates } = await import('node:tls');
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca: [...getCACertificates('default'), ...ca] }),
  });
  return { secureContext, rejectUnauthorized: true };
}

/** What OpenSSL says of certificates without naming them, as Node passes it on. */
const OF_CERTIFICATES: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
]);

/** Whether the code of an error says that the other side's certificate was not believed. Then nothing was sent. */
export function isUntrusted(code: string): boolean {
  // What begins so is of the TLS protocol: the other side asks for a certificate of ours, say, when a request may have been sent.
  if (code.startsWith('ERR_SSL')) return false;
  return code.includes('CERT') || OF_CERTIFICATES.has(code);
}
