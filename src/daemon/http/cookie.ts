/*
 * Cookies of the daemon. What they may be depends on the address that the browser uses, which behind a proxy is another than the daemon's.
 */

/** A cookie that scripts cannot read. */
export interface Cookie {
  /** Its name, without prefix. */
  readonly name: string;
  /** What it holds. */
  readonly value: string;
  /** How long the browser keeps it; 0 takes it away. */
  readonly lifeMs: number;
  /** Whether it comes along from pages of other sites. */
  readonly sameSite: 'Strict' | 'Lax';
  /** Where it is sent, unless the prefix demands all; by default everywhere. */
  readonly path?: string;
}

/** Its name at an origin. By https it has the prefix with which no other name of the domain can plant it. @see RFC 6265bis section 4.1.3.2 */
export function cookieName(origin: string, name: string): string {
  return isSecure(origin) ? `__Host-${name}` : name;
}

/** A `Set-Cookie` field for a browser at an origin. */
export function cookieField(origin: string, cookie: Cookie): string {
  const { name, value, lifeMs, sameSite, path = '/' } = cookie;
  const seconds = Math.max(0, Math.floor(lifeMs / 1_000));
  return [
    `${cookieName(origin, name)}=${value}`,
    `Path=${isSecure(origin) ? '/' : path}`,
    `Max-Age=${String(seconds)}`,
    'HttpOnly',
    `SameSite=${sameSite}`,
    ...(isSecure(origin) ? ['Secure'] : []),
  ].join('; ');
}

function isSecure(origin: string): boolean {
  return origin.startsWith('https:');
}
