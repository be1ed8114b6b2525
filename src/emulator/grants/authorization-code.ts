import { createHash } from 'node:crypto';
import { fingerprint } from '../fingerprint.ts';
import { required, type Form } from '../http/form.ts';
import { Refusal } from '../refusal.ts';
import { readScope, requireOneResource } from '../scopes.ts';
import type { AuthorizationCode, AuthorizationRequest } from '../state/authorizations.ts';
import { issueDelegated, settleScope } from '../tokens/issue.ts';
import { openGrant } from '../tokens/open-grant.ts';
import type { GrantExchange, GrantHandler } from './grant-exchange.ts';

/** Redeems an authorization code, once, within ten minutes. @see RFC 6749 section 4.1.3, RFC 7636 section 4.6 */
export const authorizationCode: GrantHandler = (exchange) => {
  const { server, form, client } = exchange;
  const code = findCode(exchange);
  checkVerifier(code.request, form);
  const scope = readScope(form.get('scope') ?? code.request.scope, server.settings.resources);
  // What was consented to decides about refresh tokens and id_tokens, not the words of this request.
  const asked = readScope(code.request.scope, server.settings.resources);
  const wanted = {
    openId: asked.openId,
    items: scope.items.length > 0 ? scope.items : asked.items,
  };
  requireOneResource(wanted, server.settings.resources);
  settleScope(server, client, code.username, wanted);
  code.redeemed = true;
  const grant = openGrant(server, client, code.username, code.request.scope);
  exchange.note({ grantId: grant.id, user: code.username });
  return issueDelegated(server, {
    client,
    grant,
    scope: wanted,
    withRefreshToken: grant.offline,
    nonce: code.request.nonce,
    withClientInfo: form.get('client_info') === '1',
  });
};

function findCode({ server, form, client }: GrantExchange): AuthorizationCode {
  const code = server.authorizations.codes.get(fingerprint(required(form, 'code')));
  if (code?.request.clientId !== client.clientId) throw new Refusal(70000);
  if (code.redeemed) throw new Refusal(54005);
  if (code.expiresAt <= server.clock.now()) {
    throw new Refusal(70008, { text: 'The authorization code has expired.' });
  }
  if (required(form, 'redirect_uri') !== code.request.redirectUri) throw new Refusal(500112);
  return code;
}

function checkVerifier(request: AuthorizationRequest, form: Form): void {
  const verifier = form.get('code_verifier');
  if (request.codeChallenge === undefined) {
    if (verifier === undefined) return;
    throw new Refusal(501481, { text: 'The authorization request had no code challenge.' });
  }
  if (verifier === undefined) throw new Refusal(501481, { text: 'The code verifier is missing.' });
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)) throw new Refusal(501491);
  const challenge =
    request.codeChallengeMethod === 'S256'
      ? createHash('sha256').update(verifier).digest('base64url')
      : verifier;
  if (challenge !== request.codeChallenge) throw new Refusal(501481);
}
