import type { HttpRequest } from './http.ts';
import { VERSION } from './version.ts';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What the connection says itself, whatever the caller gave. */
const OURS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
]);

/**
 * Writes the head of an HTTP/1.1 request, in Latin-1.
 *
 * @throws TypeError when a header field could be read as something else.
 */
export function encodeHead(url: URL, { method, headers, body }: HttpRequest): string {
  let head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  let agent = `user-agent: evergrant/${VERSION}\r\n`;
  let fields = '';
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (OURS.has(key)) continue;
    if (!NAME.test(name) || !VALUE.test(value)) {
      throw new TypeError(`the header field ${JSON.stringify(name)} cannot be sent`);
    }
    if (key === 'user-agent') agent = '';
    fields += `${name}: ${value}\r\n`;
  }
  head += `${agent}${fields}accept-encoding: identity\r\nconnection: keep-alive\r\n`;
  if (body !== undefined) head += `content-length: ${String(Buffer.byteLength(body))}\r\n`;
  return `${head}\r\n`;
}
