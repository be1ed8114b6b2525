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
