import { X509Certificate } from 'node:crypto';
import { ConfigurationError } from '../errors.ts';

/**
 * Checks the certificates of further authorities, which TLS would pass over in silence where they are none.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` that names the one that is no certificate in PEM.
 */
export function checkAuthorities(ca: readonly string[] | undefined): void {
  if (ca === undefined) return;
  if (!Array.isArray(ca)) throw noCertificate('ca', 'is no list');
  for (const [i, pem] of (ca as readonly string[]).entries()) {
    try {
      new X509Certificate(pem);
    } catch {
      throw noCertificate(`ca[${String(i)}]`, 'is no certificate');
    }
  }
}

function noCertificate(what: string, fault: string): ConfigurationError {
  const message = `${what} ${fault}; give a list of certificates as PEM text, not the paths of their files`;
  return new ConfigurationError('ERR_ARGUMENT', message);
}
