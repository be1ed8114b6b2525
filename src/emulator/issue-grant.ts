import { readScope, scopesToConsent } from './scopes.ts';
import type { AuthorizationServer } from './server.ts';
import { consent } from './state/users.ts';
import { issueDelegated } from './tokens/issue.ts';
import { openGrant } from './tokens/open-grant.ts';

/** What to grant without a sign-in. */
export interface GrantRequest {
  /** User name; the first user by default. */
  readonly user?: string;
  /** The first client by default. */
  readonly clientId?: string;
  /** Default `api://perspiotalk/access_as_user api://perspiotalk/all_readwrite offline_access`. */
  readonly scope?: string;
}

/** Tokens as a client would hold them after a sign-in. */
export interface IssuedGrant {
  /** The family: the id that ledger entries and descriptions carry. */
  readonly grantId: string;
  /** For the resource of the first scope. */
  readonly accessToken: string;
  /** Absent without `offline_access`. */
  readonly refreshToken?: string;
  /** Absent without `openid`. */
  readonly idToken?: string;
  /** The scope granted, as the answer would say it. */
  readonly scope: string;
  /** Life of the access token in seconds. */
  readonly expiresIn: number;
  /** On the emulator's clock. */
  readonly expiresAt: number;
}

const defaultScope =
  'api://perspiotalk/access_as_user api://perspiotalk/all_readwrite offline_access';

/** Grants and issues tokens as if the user had signed in and agreed. @throws TypeError for an unknown user or client. */
export async function issueGrant(
  server: AuthorizationServer,
  request: GrantRequest = {},
): Promise<IssuedGrant> {
  const client =
    request.clientId === undefined ? server.clients.first() : server.clients.find(request.clientId);
  const user = server.users.find(request.user ?? server.users.all()[0]?.username ?? '');
  const scope = readScope(request.scope ?? defaultScope, server.settings.resources);
  consent(user, client.clientId, scopesToConsent(scope));
  const grant = openGrant(server, client, user.username, request.scope ?? defaultScope);
  const issuedAt = server.clock.now();
  const { answer } = await issueDelegated(server, {
    client,
    grant,
    scope,
    withRefreshToken: grant.offline,
  });
  return {
    grantId: grant.id,
    accessToken: answer.access_token,
    ...(answer.refresh_token === undefined ? {} : { refreshToken: answer.refresh_token }),
    ...(answer.id_token === undefined ? {} : { idToken: answer.id_token }),
    scope: answer.scope ?? '',
    expiresIn: answer.expires_in,
    expiresAt: issuedAt + answer.expires_in * 1000,
  };
}
