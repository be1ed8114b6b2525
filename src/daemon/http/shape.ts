import { sabotaged } from '#failpoints';
import type { IncomingMessage } from 'node:http';
import type { Hosts } from './hosts.ts';

/*
 * What is refused by the shape of a request alone, before any route sees it: what two readers could understand differently, what comes under a
 * name that is not ours, and what another site's page sent.
 */

/** Why a request is refused. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** In words. */
  readonly detail: string;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Fields of which a second one could hide the first from somebody. */
const SINGLE = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'authorization',
  'origin',
  'cookie',
  'sec-fetch-site',
]);
const LONGEST_TARGET = 8_192;
/** As many header fields as the parser hands out. */
export const MOST_FIELDS = 100;

/** Why a request is refused; undefined when routes may see it. */
export function shapeRefusal(request: IncomingMessage, hosts: Hosts): Refusal | undefined {
  return messageRefusal(request) ?? hostRefusal(request, hosts) ?? siteRefusal(request, hosts);
}

function messageRefusal(request: IncomingMessage): Refusal | undefined {
  const { method = '', url = '', headers } = request;
  if (!METHODS.has(method))
    return { status: 405, detail: `the method ${method} is not known here` };
  if (url.length > LONGEST_TARGET) return { status: 414, detail: 'the address is too long' };
  if (!/^\/(?!\/)[\x21-\x7e]*$/.test(url) || url.includes('#') || url.includes('\\'))
    return bad('the target must be a path on this server');
  // The parser leaves out what is beyond its limit, without a word.
  if (request.rawHeaders.length >= 2 * MOST_FIELDS)
    return { status: 431, detail: 'there are too many header fields' };
  const twice = doubled(request.rawHeaders);
  if (twice !== undefined) return bad(`there is more than one ${twice} field`);
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return bad('the only transfer coding known here is chunked');
  if (coding !== undefined && headers['content-length'] !== undefined)
    return bad('the length of the body is told in two ways');
  if (headers.upgrade !== undefined) return bad('there is no other protocol to change to');
  if (!WITHOUT_BODY.has(method) || sabotaged('bodiless')) return undefined;
  const isEmpty = coding === undefined && (headers['content-length'] ?? '0') === '0';
  return isEmpty ? undefined : bad(`${method} has no body here`);
}

function hostRefusal({ headers }: IncomingMessage, { hosts }: Hosts): Refusal | undefined {
  if (headers.host !== undefined && hosts.has(headers.host.toLowerCase())) return undefined;
  if (sabotaged('daemon-host-check')) return undefined;
  return { status: 421, detail: 'this server is not called by that name (Host)' };
}

/** Programs send neither field. A browser sends them, and only pages of our own may make it do so. */
function siteRefusal(
  { method, headers }: IncomingMessage,
  { origins }: Hosts,
): Refusal | undefined {
  const { origin } = headers;
  if (origin !== undefined && !origins.has(origin)) {
    return sabotaged('origin-check') ? undefined : foreign();
  }
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  // A link that a person followed shows our page to the person, not to the site where the link was; the session does not come along.
  return isVisit(method, headers) ? undefined : foreign();
}

function isVisit(method: string | undefined, headers: IncomingMessage['headers']): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } = headers;
  return method === 'GET' && mode === 'navigate' && dest === 'document';
}

function foreign(): Refusal {
  return { status: 403, detail: 'pages of other sites may not call this server' };
}

function bad(detail: string): Refusal {
  return { status: 400, detail };
}

function doubled(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (!SINGLE.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
