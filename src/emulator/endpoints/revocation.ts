import { authenticateClient, readCredentials } from '../client-authentication.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Answer } from '../http/answer.ts';
import { entraHeaders } from '../http/entra-headers.ts';
import type { Exchange } from '../http/exchange.ts';
import { readStrictForm, required } from '../http/form.ts';
import { Refusal } from '../refusal.ts';
import { endGrant } from '../server.ts';
import { requirePost } from './token-request.ts';

/** Revokes a family, or one access token; unknown tokens are fine. Entra has no such endpoint. @see RFC 7009 section 2 */
export async function revocation(exchange: Exchange): Promise<Answer> {
  const { server, request } = exchange;
  requirePost(exchange);
  const form = readStrictForm(request.body);
  const credentials = readCredentials(request, form);
  const client = server.clients.find(credentials.clientId);
  exchange.note({ clientId: client.clientId });
  await authenticateClient(server, client, credentials);
  revoke(exchange, fingerprint(required(form, 'token')), client.clientId);
  const headers = entraHeaders(server, request, server.random.uuid());
  return { status: 200, headers, body: '' };
}

function revoke(exchange: Exchange, presentedFingerprint: string, clientId: string): void {
  const { server } = exchange;
  exchange.note({ presentedFingerprint });
  const refreshToken = server.grants.findRefreshToken(presentedFingerprint);
  const accessToken = server.accessTokens.findAlive(presentedFingerprint, server.clock.now());
  const owner = refreshToken?.grant.clientId ?? accessToken?.clientId ?? clientId;
  if (owner !== clientId) throw new Refusal(70000, { error: 'invalid_request' });
  if (refreshToken !== undefined) {
    endGrant(server, refreshToken.grant, 'revoked', true);
    exchange.note({
      committed: true,
      grantId: refreshToken.grant.id,
      presentedGeneration: refreshToken.generation,
    });
  } else if (accessToken !== undefined) {
    server.accessTokens.revoke(accessToken);
    exchange.note({ committed: true });
  }
}
