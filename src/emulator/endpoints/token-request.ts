import { text, type Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { header } from '../http/request.ts';
import { Refusal } from '../refusal.ts';
import type { RegisteredClient } from '../state/clients.ts';

/** @throws Refusal 900561 for any method but POST. @see RFC 6749 section 3.2 */
export function requirePost({ request }: Exchange): void {
  if (request.method !== 'POST') throw new Refusal(900561);
}

/** @throws Refusal 900144 for a body that is no form: Entra finds no parameter in it. */
export function requireFormBody({ request }: Exchange): void {
  const type = header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') return;
  throw new Refusal(900144, { text: "The request body must contain the parameter 'grant_type'." });
}

/** @throws Refusal 9002326 for a request out of a web page, since no client here is a single-page application. */
export function refuseCrossOrigin({ request }: Exchange): void {
  if (header(request, 'origin') !== undefined) throw new Refusal(9002326);
}

/**
 * Throttles a client that asks too often: 429 as plain text where it has no person to ask or says that it understands, else the
 * `invalid_grant` that is none.
 *
 * @throws Refusal 50196.
 */
export function throttle(
  { server, request, note }: Exchange,
  client: RegisteredClient,
  grantType: string | undefined,
): Answer | undefined {
  if (server.throttle.admits(client.clientId, server.clock.now())) return undefined;
  const understands = /\bh429\b/.test(header(request, 'x-ms-lib-capability') ?? '');
  if (grantType !== 'client_credentials' && !understands) throw new Refusal(50196);
  note({ outcome: 'throttled' });
  return text(429, 'Too Many Requests', { 'Retry-After': '60' });
}
