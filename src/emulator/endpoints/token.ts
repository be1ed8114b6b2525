import { authenticateClient, readCredentials } from '../client-authentication.ts';
import { authorizationCode } from '../grants/authorization-code.ts';
import { clientCredentials } from '../grants/client-credentials.ts';
import type { GrantHandler } from '../grants/grant-exchange.ts';
import { refresh } from '../grants/refresh.ts';
import { json, type Answer } from '../http/answer.ts';
import { entraHeaders } from '../http/entra-headers.ts';
import type { Exchange } from '../http/exchange.ts';
import { readStrictForm, required, type Form } from '../http/form.ts';
import { header } from '../http/request.ts';
import { Refusal } from '../refusal.ts';
import type { Issued } from '../tokens/issue.ts';

const grantHandlers = new Map<string, GrantHandler>([
  ['authorization_code', authorizationCode],
  ['refresh_token', refresh],
  ['client_credentials', clientCredentials],
]);

/** The token endpoint: each step may refuse, the last one issues. @see RFC 6749 section 3.2 */
export async function token(exchange: Exchange): Promise<Answer> {
  const { server, request } = exchange;
  requirePost(exchange);
  requireFormBody(exchange);
  const form = readStrictForm(request.body);
  const handler = chooseGrant(form);
  const credentials = readCredentials(request, form);
  const client = server.clients.find(credentials.clientId);
  await authenticateClient(server, client, credentials);
  const issued = await handler({ server, form, client, note: exchange.note });
  recordIssue(exchange, issued);
  return json(200, issued.answer, entraHeaders(server, request, server.random.uuid()));
}

function requirePost({ request }: Exchange): void {
  if (request.method !== 'POST') throw new Refusal(900561);
}

function requireFormBody({ request }: Exchange): void {
  const type = header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') return;
  throw new Refusal(900144, { text: "The request body must contain the parameter 'grant_type'." });
}

function chooseGrant(form: Form): GrantHandler {
  const grantType = required(form, 'grant_type');
  const handler = grantHandlers.get(grantType);
  if (handler === undefined) throw new Refusal(70003);
  return handler;
}

function recordIssue(exchange: Exchange, issued: Issued): void {
  exchange.note({
    outcome: 'issued',
    committed: true,
    accessTokenFingerprint: issued.accessTokenFingerprint,
    ...(issued.grant === undefined
      ? {}
      : { grantId: issued.grant.id, user: issued.grant.username }),
    ...(issued.refreshToken === undefined
      ? {}
      : {
          issuedFingerprint: issued.refreshToken.fingerprint,
          issuedGeneration: issued.refreshToken.generation,
        }),
  });
}
