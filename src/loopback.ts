/** Whether a host, as `URL.hostname` has it, stays on this machine: `localhost`, 127.0.0.0/8 or `[::1]`. @see RFC 8252 section 8.3 */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
