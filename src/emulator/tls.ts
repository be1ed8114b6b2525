import type { TlsIdentity } from './http/listener.ts';

/** A throw-away authority and the certificate it gave. */
export interface Authority {
  readonly caCertificate: string;
  readonly identity: TlsIdentity;
}

/** Makes an authority for loopback names. */
export function createAuthority(): Promise<Authority> {
  return Promise.reject(new Error('not yet'));
}
