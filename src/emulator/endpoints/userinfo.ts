import { fingerprint } from '../fingerprint.ts';
import { json, text, type Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { header } from '../http/request.ts';
import { graphUri } from '../scopes.ts';
import { pairwiseSubject } from '../tokens/claims.ts';

/** Who a token for Microsoft Graph was granted by. @see OpenID Connect Core 1.0 section 5.3 */
export function userinfo({ server, request, note }: Exchange): Answer {
  const value = /^bearer +(\S+)$/i.exec(header(request, 'authorization') ?? '')?.[1] ?? '';
  const token = server.accessTokens.findAlive(fingerprint(value), server.clock.now());
  if (token?.grant === undefined || token.resource !== graphUri) {
    note({ outcome: 'invalid_token' });
    return text(401, '', { 'WWW-Authenticate': 'Bearer error="invalid_token"' });
  }
  const user = server.users.find(token.grant.username);
  note({ clientId: token.clientId, grantId: token.grant.id, user: user.username });
  return json(200, {
    sub: pairwiseSubject(user.oid, token.clientId),
    name: user.name,
    email: user.username,
  });
}
