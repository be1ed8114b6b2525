import { isoInstant } from '../../system/instant.ts';
import { required } from '../http/form.ts';
import { Refusal } from '../refusal.ts';
import { readScope, type RequestedScope } from '../scopes.ts';
import { endGrant, lookUpRefreshToken, verdictOn, type AuthorizationServer } from '../server.ts';
import type { RefreshToken } from '../state/grants.ts';
import { issueDelegated, settleScope } from '../tokens/issue.ts';
import type { GrantExchange, GrantHandler } from './grant-exchange.ts';

/** Exchanges a refresh token, by the rotation of its grant. @see RFC 6749 section 6, RFC 9700 section 4.14.2 */
export const refresh: GrantHandler = (exchange) => {
  const { server, form, client } = exchange;
  const token = lookUpRefreshToken(server, required(form, 'refresh_token'));
  if (token?.grant.clientId !== client.clientId) throw new Refusal(70000);
  exchange.note({ replay: token.firstUsedAt !== undefined });
  refuseUnlessHonoured(exchange, token);
  const scope = scopeOf(exchange, token);
  settleScope(server, client, token.grant.username, scope);
  const now = server.clock.now();
  token.firstUsedAt ??= now;
  token.lastUsedAt = now;
  return issueDelegated(server, {
    client,
    grant: token.grant,
    scope,
    withRefreshToken: token.grant.rotation !== 'none',
    withClientInfo: form.get('client_info') === '1',
  });
};

function refuseUnlessHonoured(exchange: GrantExchange, token: RefreshToken): void {
  const { server } = exchange;
  const verdict = verdictOn(server, token);
  if (verdict === 'honoured') return;
  if (verdict === 'user-disabled') throw new Refusal(50057);
  if (verdict === 'idle') throw new Refusal(700082, { text: idleText(server, token) });
  if (verdict === 'revoked') throw revokedRefusal(server, token);
  if (server.settings.revokesFamily) {
    endGrant(server, token.grant, 'reuse', true);
    exchange.note({ committed: true });
  }
  throw new Refusal(70000, { text: 'The refresh token was used before.' });
}

function revokedRefusal(server: AuthorizationServer, token: RefreshToken): Refusal {
  if (token.grant.revoked?.because !== 'user-revoked') return new Refusal(70008);
  const validFromAt = server.users.find(token.grant.username).tokensValidFromAt ?? 0;
  return new Refusal(50173, {
    text: `The grant was revoked. It was issued on '${isoInstant(token.issuedAt)}' and tokens are valid from '${isoInstant(validFromAt)}'.`,
  });
}

function idleText(server: AuthorizationServer, token: RefreshToken): string {
  const days = String(Math.floor(server.settings.idleLimitMs / 86_400_000)).padStart(2, '0');
  return `The refresh token, issued on ${isoInstant(token.issuedAt)}, was inactive for ${days}.00:00:00.`;
}

function scopeOf({ server, form }: GrantExchange, token: RefreshToken): RequestedScope {
  const scope = server.settings.refreshScopeRequired ? required(form, 'scope') : form.get('scope');
  const requested = readScope(scope ?? token.grant.scope, server.settings.resources);
  if (requested.items.length > 0) return requested;
  // OpenID scopes alone name no resource: the token is for what was granted first.
  const granted = readScope(token.grant.scope, server.settings.resources);
  return { openId: requested.openId, items: granted.items };
}
