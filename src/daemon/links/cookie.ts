import type { IncomingMessage } from 'node:http';
import { cookieField, cookieName } from '../http/cookie.ts';

/*
 * What binds a browser to the sign-in it began. There is one cookie for each link, so that two links can be used side by side. It must come
 * along when the authorization server sends the browser back, so it is Lax; it opens nothing but that.
 */

const NAME = 'evergrant-consent-';
/** Cookies of ours that are looked at. */
const MOST = 50;

/** Where a cookie is for. */
export interface CookiePlace {
  /** Origin that the person's browser uses, which behind a proxy is another than the daemon's. */
  readonly origin: string;
}

/** What a request holds, by id of the link. */
export function heldBy({ headers }: IncomingMessage, place: CookiePlace): Map<string, string> {
  const prefix = cookieName(place.origin, NAME);
  const found = new Map<string, string>();
  const twice = new Set<string>();
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [, id, value] = /^([\w-]{16})=([\w-]{43})$/.exec(after(pair.trim(), prefix)) ?? [];
    if (id === undefined || value === undefined) continue;
    if (found.has(id)) twice.add(id);
    if (found.size < MOST) found.set(id, value);
  }
  for (const id of twice) found.delete(id);
  return found;
}

/** A `Set-Cookie` field that gives a browser something to hold. */
export function heldField(place: CookiePlace, id: string, value: string, lifeMs: number): string {
  const name = `${NAME}${id}`;
  return cookieField(place.origin, { name, value, lifeMs, sameSite: 'Lax', path: '/consent' });
}

function after(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : '';
}
