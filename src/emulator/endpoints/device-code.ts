import { fingerprint } from '../fingerprint.ts';
import { json, type Answer } from '../http/answer.ts';
import { entraHeaders } from '../http/entra-headers.ts';
import type { Exchange } from '../http/exchange.ts';
import { readStrictForm, required } from '../http/form.ts';
import { Refusal } from '../refusal.ts';
import { readScope } from '../scopes.ts';
import { randomText, type AuthorizationServer } from '../server.ts';

const lifeSeconds = 900;
const userCodeAlphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** The device authorization endpoint; like Entra it gives no `verification_uri_complete`. @see RFC 8628 section 3.1 */
export function deviceCode(exchange: Exchange): Answer {
  const { server, request } = exchange;
  if (request.method !== 'POST') throw new Refusal(900561);
  const form = readStrictForm(request.body);
  const client = server.clients.find(form.get('client_id'));
  const scope = required(form, 'scope');
  exchange.note({ clientId: client.clientId, scope });
  readScope(scope, server.settings.resources);
  const code = randomText(server, 48);
  const userCode = drawUserCode(server);
  server.authorizations.devices.set(fingerprint(code), {
    userCode,
    clientId: client.clientId,
    scope,
    expiresAt: server.clock.now() + lifeSeconds * 1000,
    decision: server.autoSignIn === undefined ? undefined : { username: server.autoSignIn },
    redeemed: false,
  });
  exchange.note({ committed: true });
  const verificationUri = `${server.origin}/common/oauth2/deviceauth`;
  return json(
    200,
    {
      user_code: userCode,
      device_code: code,
      verification_uri: verificationUri,
      expires_in: lifeSeconds,
      interval: server.settings.deviceIntervalSeconds,
      message: `To sign in, open the page ${verificationUri} and enter the code ${userCode}.`,
    },
    entraHeaders(server, request, server.random.uuid()),
  );
}

function drawUserCode(server: AuthorizationServer): string {
  const letters = [...server.random.bytes(9)].map((byte) => userCodeAlphabet[byte % 32] ?? 'A');
  return letters.join('');
}
