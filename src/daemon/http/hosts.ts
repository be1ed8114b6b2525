import { isLoopback } from '../../loopback.ts';

/*
 * Under which names a listener may be called. A page whose own name was made to point at this machine (DNS rebinding) betrays itself by the Host
 * field, and any page of another site by its Origin.
 */

/** Names of one listener. */
export interface Hosts {
  /** What may stand in the Host field, in lower case. */
  readonly hosts: ReadonlySet<string>;
  /** What may stand in the Origin field. */
  readonly origins: ReadonlySet<string>;
}

/** No browser can call a Unix socket, so no origin is right there. */
export const SOCKET_HOSTS: Hosts = {
  hosts: new Set(['localhost', 'evergrant']),
  origins: new Set(),
};

/** Names of a TCP listener: its own address with its port, those configured, and its public one, whose scheme may be another's behind a proxy. */
export function tcpHosts(
  address: { readonly host: string; readonly port: number; readonly isSecure: boolean },
  configured: readonly string[],
  publicUrl?: string,
): Hosts {
  const { host, port, isSecure } = address;
  const scheme = isSecure ? 'https' : 'http';
  const isUsual = port === (isSecure ? 443 : 80);
  const own = isLoopback(host) ? ['127.0.0.1', '[::1]', 'localhost'] : isAny(host) ? [] : [host];
  const hosts = own.flatMap((name) => (isUsual ? [name, `${name}:${port}`] : [`${name}:${port}`]));
  const all = [...hosts, ...configured].map((name) => name.toLowerCase());
  const origins = all.map((name) => `${scheme}://${name}`);
  if (publicUrl === undefined) return { hosts: new Set(all), origins: new Set(origins) };
  const { host: publicHost, origin } = new URL(publicUrl);
  return { hosts: new Set([...all, publicHost]), origins: new Set([...origins, origin]) };
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '[::]';
}
