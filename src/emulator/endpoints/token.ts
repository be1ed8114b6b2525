import { authenticateClient, readCredentials } from '../client-authentication.ts';
import { authorizationCode } from '../grants/authorization-code.ts';
import { clientCredentials } from '../grants/client-credentials.ts';
import { deviceCodeGrant } from '../grants/device-code.ts';
import type { GrantHandler } from '../grants/grant-exchange.ts';
import { refresh } from '../grants/refresh.ts';
import { json, type Answer } from '../http/answer.ts';
import { entraHeaders } from '../http/entra-headers.ts';
import type { Exchange } from '../http/exchange.ts';
import { readStrictForm, required, type Form } from '../http/form.ts';
import { Refusal } from '../refusal.ts';
import type { Issued } from '../tokens/issue.ts';
import { refuseCrossOrigin, requireFormBody, requirePost, throttle } from './token-request.ts';

const grantHandlers = new Map<string, GrantHandler>([
  ['authorization_code', authorizationCode],
  ['refresh_token', refresh],
  ['client_credentials', clientCredentials],
  ['urn:ietf:params:oauth:grant-type:device_code', deviceCodeGrant],
  // The name of the grant before RFC 8628, which Entra still takes.
  ['device_code', deviceCodeGrant],
]);

/** The token endpoint: each step may refuse, the last one issues. @see RFC 6749 section 3.2 */
export async function token(exchange: Exchange): Promise<Answer> {
  const { server, request } = exchange;
  requirePost(exchange);
  requireFormBody(exchange);
  refuseCrossOrigin(exchange);
  const form = readStrictForm(request.body);
  const exchangeGrant = chooseGrant(form);
  const credentials = readCredentials(request, form);
  const client = server.clients.find(credentials.clientId);
  const throttled = throttle(exchange, client, form.get('grant_type'));
  if (throttled !== undefined) return throttled;
  await authenticateClient(server, client, credentials);
  const issued = await exchangeGrant({ server, form, client, note: exchange.note });
  recordIssue(exchange, issued);
  return json(200, issued.answer, entraHeaders(server, request, server.random.uuid()));
}

function chooseGrant(form: Form): GrantHandler {
  const handler = grantHandlers.get(required(form, 'grant_type'));
  if (handler === undefined) throw new Refusal(70003);
  return handler;
}

function recordIssue({ note }: Exchange, issued: Issued): void {
  const { grant, refreshToken, accessTokenFingerprint } = issued;
  note({
    outcome: 'issued',
    committed: true,
    accessTokenFingerprint,
    ...(grant === undefined ? {} : { grantId: grant.id, user: grant.username }),
    ...(refreshToken === undefined
      ? {}
      : {
          issuedFingerprint: refreshToken.fingerprint,
          issuedGeneration: refreshToken.generation,
        }),
  });
}
