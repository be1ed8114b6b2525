import { redirect, type Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { Refusal } from '../refusal.ts';
import { isRegisteredRedirect } from '../state/clients.ts';
import { errorPage } from './authorization-response.ts';

/** Consents to everything for everybody, as an administrator would, without asking for one. */
export function adminConsent(exchange: Exchange): Answer {
  const { server, request } = exchange;
  const client = server.clients.find(request.query.get('client_id') ?? undefined);
  const redirectUri = request.query.get('redirect_uri') ?? '';
  exchange.note({ clientId: client.clientId });
  if (!isRegisteredRedirect(client, redirectUri)) return errorPage(exchange, new Refusal(50011));
  client.preconsented = server.settings.resources.flatMap(({ uri, scopes }) =>
    scopes.map((name) => `${uri}/${name}`),
  );
  exchange.note({ committed: true });
  const url = new URL(redirectUri);
  url.searchParams.set('admin_consent', 'True');
  url.searchParams.set('tenant', server.settings.entraTenantId);
  const state = request.query.get('state');
  if (state !== null) url.searchParams.set('state', state);
  return redirect(url.href);
}
