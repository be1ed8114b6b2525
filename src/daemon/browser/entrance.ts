import { sabotaged } from '#failpoints';
import type { IncomingMessage } from 'node:http';
import type { Caller, Keyless } from '../access/caller.ts';
import { cookieField, cookieName } from '../http/cookie.ts';
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
  'events',
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
  const cookie = readCookie(request, sessions.publicUrl);
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
export function readCookie(
  request: BrowserRequest,
  publicUrl: string | undefined,
): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const valueOf = (name: string): string | undefined => {
    const found = pairs.filter((pair) => pair.startsWith(`${name}=`));
    return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined;
  };
  const name = cookieName(originOf(request, publicUrl), NAME);
  // A proxy may have put our own name in place of its; no page but one by https can have made a browser send the prefix.
  return valueOf(cookieName('https:', NAME)) ?? valueOf(name);
}

/** A `Set-Cookie` field that gives a browser its half, or takes it away with an empty value. */
export function sessionField(
  request: BrowserRequest,
  publicUrl: string | undefined,
  value: string,
  lifeMs: number,
): string {
  const cookie = { name: NAME, value, lifeMs, sameSite: 'Strict' } as const;
  return cookieField(originOf(request, publicUrl), cookie);
}

const NAME = 'evergrant';

/** The origin that the browser uses: the public one where it says so, else by how it reached us. */
function originOf({ headers, socket }: BrowserRequest, publicUrl: string | undefined): string {
  const host = headers.host ?? '';
  if ('encrypted' in socket && socket.encrypted === true) return `https://${host}`;
  const url = publicUrl === undefined ? undefined : new URL(publicUrl);
  const isPublic = url !== undefined && (headers.origin === url.origin || host === url.host);
  return isPublic ? url.origin : `http://${host}`;
}
