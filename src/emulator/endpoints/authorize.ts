import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { readForm, type Form } from '../http/form.ts';
import { Refusal } from '../refusal.ts';
import { readScope } from '../scopes.ts';
import { randomText, type AuthorizationServer } from '../server.ts';
import type { AuthorizationRequest } from '../state/authorizations.ts';
import { isRegisteredRedirect } from '../state/clients.ts';
import { errorPage, grantCode, refuseAuthorization } from './authorization-response.ts';
import { showSignIn } from './sign-in.ts';

/**
 * The authorization endpoint: shows the sign-in page, or answers at once where someone is signed in already.
 *
 * @see RFC 6749 section 4.1.1
 */
export function authorize(exchange: Exchange): Answer {
  const { server, request } = exchange;
  const source = request.method === 'POST' ? request.body : request.query.toString();
  const parameters = readForm(source);
  const asked = attempt(() => identify(server, parameters));
  // Until the redirect URI is known to be the client's, errors are shown to the person only.
  if (asked instanceof Refusal) return errorPage(exchange, asked);
  exchange.note({ clientId: asked.clientId, scope: asked.scope });
  const problem = attempt(() => {
    check(server, asked, parameters);
  });
  if (problem instanceof Refusal) return refuseAuthorization(exchange, asked, problem);
  if (server.autoSignIn !== undefined) return grantCode(exchange, asked, server.autoSignIn);
  if (parameters.get('prompt') === 'none') {
    return refuseAuthorization(exchange, asked, new Refusal(50058));
  }
  const page = randomText(server, 18);
  server.authorizations.signIns.set(page, asked);
  return showSignIn(server, asked, page);
}

function attempt<Result>(work: () => Result): Result | Refusal {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function identify(server: AuthorizationServer, parameters: Form): AuthorizationRequest {
  const client = server.clients.find(parameters.get('client_id'));
  const redirectUri = parameters.get('redirect_uri') ?? client.redirectUris[0] ?? '';
  if (!isRegisteredRedirect(client, redirectUri)) throw new Refusal(50011);
  return {
    clientId: client.clientId,
    redirectUri,
    responseMode: parameters.get('response_mode') ?? 'query',
    scope: parameters.get('scope') ?? '',
    state: parameters.get('state'),
    nonce: parameters.get('nonce'),
    codeChallenge: parameters.get('code_challenge'),
    codeChallengeMethod: parameters.get('code_challenge_method') ?? 'plain',
    loginHint: parameters.get('login_hint'),
  };
}

function check(server: AuthorizationServer, asked: AuthorizationRequest, parameters: Form): void {
  if (parameters.get('response_type') !== 'code') {
    throw new Refusal(90023, {
      error: 'unsupported_response_type',
      text: 'The emulator grants response_type=code only.',
    });
  }
  if (!['query', 'fragment', 'form_post'].includes(asked.responseMode)) {
    throw new Refusal(90023, { text: `The response_mode ${asked.responseMode} is not supported.` });
  }
  if (asked.scope === '') {
    throw new Refusal(900144, { text: "The request must contain the parameter 'scope'." });
  }
  readScope(asked.scope, server.settings.resources);
  checkChallenge(asked);
}

/** @see RFC 7636 section 4.3 */
function checkChallenge({ codeChallenge, codeChallengeMethod }: AuthorizationRequest): void {
  if (codeChallenge === undefined) return;
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(codeChallenge)) throw new Refusal(501491);
  if (codeChallengeMethod !== 'S256' && codeChallengeMethod !== 'plain') throw new Refusal(50147);
}
