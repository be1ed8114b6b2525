import { sabotaged } from '#failpoints';
import type { IncomingMessage } from 'node:http';
import type { Caller, Keyless } from '../access/caller.ts';
import type { Sessions } from './sessions.ts';

/*
 * A browser's way in. The shape of the request was checked before: its Host is ours, and so is its Origin where it has one.
 */

/** The half of a session that the page sends by itself. */
export const PROOF_FIELD = 'evergrant-proof';

/**
 * What a session is good for, by the names of operations. Whatever is not here is refused, and so is what comes to be: tokens, calls through the
 * proxy, keys, secrets and new connections are not a browser's business. A link to consent once more gives no more than `reconnect`: the account
 * that consented before must sign in again, to what it consented to.
 */
const OPERATIONS: ReadonlySet<string> = new Set([
  'listConnections',
  'readConnection',
  'readHistory',
  'explainConnection',
  'listClients',
  'listEndpoints',
  'glance',
  'glanceChanges',
  'glanceEndpoints',
  'refresh',
  'pause',
  'resume',
  'reconnect',
  'renewLink',
  'disconnect',
  'listDeadLetters',
  'retryDeadLetter',
  'signOut',
]);

/** Somebody at a browser, signed in. */
export const BROWSER: Caller = {
  name: 'dashboard' satisfies Keyless,
  keyId: undefined,
  policy: { connections: ['*'], verbs: ['read', 'manage'] },
  operations: OPERATIONS,
};

/** As much of a request as tells whose browser sent it. */
export type BrowserRequest = Pick<IncomingMessage, 'method' | 'headers' | 'socket'>;

/** What a browser's request comes to. */
export type Entrance = { readonly caller: Caller } | { readonly refusal: string };

/** Lets a browser in by its session; undefined when the request has no cookie of ours. */
export function enterBySession(sessions: Sessions, request: BrowserRequest): Entrance | undefined {
  const cookie = readCookie(request);
  if (cookie === undefined) return undefined;
  const proof = request.headers[PROOF_FIELD];
  const given = typeof proof === 'string' ? proof : '';
  if (!sessions.isLive(cookie, given))
    return { refusal: 'nobody is signed in here; evergrant dashboard prints a link' };
  if (!isFromOurPage(request)) return { refusal: 'a change must come from the dashboard itself' };
  return { caller: BROWSER };
}

/** Whether a request that changes something was sent by a page of ours. Browsers tell, and whoever does not tell is none. */
export function isFromOurPage({ method = '', headers }: BrowserRequest): boolean {
  if (method === 'GET' || method === 'HEAD' || sabotaged('browser-origin-check')) return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  return headers.origin !== undefined || site === 'same-origin';
}

/** The cookie of ours; undefined when there is none, or more than one. */
export function readCookie({ headers, socket }: BrowserRequest): string | undefined {
  const name = cookieName(socket);
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** A `Set-Cookie` field that gives a browser its half, or takes it away with an empty value. */
export function cookieField({ socket }: BrowserRequest, value: string, lifeMs: number): string {
  const isSecure = isEncrypted(socket);
  const seconds = Math.max(0, Math.floor(lifeMs / 1_000));
  const fields = [`${cookieName(socket)}=${value}`, 'Path=/', `Max-Age=${seconds}`];
  return [...fields, 'HttpOnly', 'SameSite=Strict', ...(isSecure ? ['Secure'] : [])].join('; ');
}

function cookieName(socket: BrowserRequest['socket']): string {
  return isEncrypted(socket) ? '__Host-evergrant' : 'evergrant';
}

function isEncrypted(socket: BrowserRequest['socket']): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}
