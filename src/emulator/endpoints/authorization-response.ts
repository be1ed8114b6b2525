import { fingerprint } from '../fingerprint.ts';
import { redirect, type Answer } from '../http/answer.ts';
import { describeRefusal } from '../http/error-answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { markup, page } from '../pages/page.ts';
import { Refusal } from '../refusal.ts';
import { readScope, scopesToConsent } from '../scopes.ts';
import { issuerOf, randomText } from '../server.ts';
import type { AuthorizationRequest } from '../state/authorizations.ts';
import { consent } from '../state/users.ts';

const codeLifeMs = 600_000;

/** Sends the browser back with a code for this person, who has agreed to everything asked. @see RFC 6749 section 4.1.2 */
export function grantCode(
  exchange: Exchange,
  asked: AuthorizationRequest,
  username: string,
): Answer {
  const { server } = exchange;
  const user = server.users.find(username);
  if (user.disabled) return refuseAuthorization(exchange, asked, new Refusal(50057));
  consent(user, asked.clientId, scopesToConsent(readScope(asked.scope, server.settings.resources)));
  const code = `1.${randomText(server, 48)}`;
  server.authorizations.codes.set(fingerprint(code), {
    request: asked,
    username,
    expiresAt: server.clock.now() + codeLifeMs,
    redeemed: false,
  });
  exchange.note({ committed: true, user: username });
  return respond(exchange, asked, { code });
}

/** Sends the browser back with an error. @see RFC 6749 section 4.1.2.1 */
export function refuseAuthorization(
  exchange: Exchange,
  asked: AuthorizationRequest,
  refusal: Refusal,
): Answer {
  exchange.note({ outcome: refusal.error, aadsts: refusal.code });
  return respond(exchange, asked, {
    error: refusal.error,
    error_description: describe(exchange, refusal),
  });
}

/** Shows an error that may not be sent anywhere. */
export function errorPage(exchange: Exchange, refusal: Refusal): Answer {
  exchange.note({ outcome: refusal.error, aadsts: refusal.code });
  return page(400, 'Cannot sign in', markup`<p role="alert">${describe(exchange, refusal)}</p>`);
}

function describe({ server }: Exchange, refusal: Refusal): string {
  const ids = { traceId: server.random.uuid(), correlationId: server.random.uuid() };
  return describeRefusal(server, refusal, ids);
}

function respond(
  { server }: Exchange,
  asked: AuthorizationRequest,
  members: Readonly<Record<string, string>>,
): Answer {
  const parameters = new URLSearchParams(members);
  if (asked.state !== undefined) parameters.set('state', asked.state);
  if (server.settings.announceIss) parameters.set('iss', issuerOf(server));
  if (asked.responseMode === 'form_post') return postBack(asked.redirectUri, parameters);
  const target = new URL(asked.redirectUri);
  if (asked.responseMode === 'fragment') target.hash = parameters.toString();
  else for (const [name, value] of parameters) target.searchParams.append(name, value);
  return redirect(target.href);
}

function postBack(redirectUri: string, parameters: URLSearchParams): Answer {
  const fields = [...parameters].map(
    ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}">`,
  );
  return page(
    200,
    'Signed in',
    markup`<form method="post" action="${redirectUri}">${fields}<button>Continue</button></form>`,
  );
}
