import { readScope } from '../scopes.ts';
import type { AuthorizationServer } from '../server.ts';
import type { RegisteredClient } from '../state/clients.ts';
import type { Grant } from '../state/grants.ts';

/** Begins the family of tokens that a person's consent to `scope` gives rise to. */
export function openGrant(
  server: AuthorizationServer,
  client: RegisteredClient,
  username: string,
  scope: string,
): Grant {
  return server.grants.open({
    clientId: client.clientId,
    username,
    scope,
    offline: readScope(scope, server.settings.resources).openId.has('offline_access'),
    rotation: client.rotation ?? server.settings.rotation,
  });
}
