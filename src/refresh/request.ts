import { clientSecretContext } from '../connection/secrets.ts';
import type { ClientRecord, ConnectionRecord } from '../connection/record.ts';
import { clientCredentialsGrant, refreshTokenGrant } from '../oauth/grants.ts';
import type { ClientAuthentication, TokenRequest } from '../oauth/outcome.ts';
import type { Profile } from '../providers/profile.ts';
import { ClientRejectedError } from '../errors.ts';
import { Secret } from '../secret.ts';
import type { Sealer } from '../connection/secrets.ts';

/** A request that renews a connection, and the scopes it asks for. */
export interface RenewalRequest {
  /** Ready to be sent. */
  readonly request: TokenRequest;
  /** What an answer without `scope` grants. */
  readonly askedScope: readonly string[];
}

/**
 * Builds the request that renews a connection: its refresh token, or a new request with client credentials where it has none.
 *
 * @param refreshToken - the one to use; undefined for client credentials.
 * @param scope - asks for these instead of what the connection usually asks for.
 */
export function buildRenewal(
  sealer: Sealer,
  rows: {
    readonly connection: ConnectionRecord;
    readonly client: ClientRecord;
    readonly profile: Profile;
  },
  refreshToken: Secret | undefined,
  scope?: readonly string[],
): RenewalRequest {
  const { connection, client, profile } = rows;
  const askedScope = scope ?? refreshScope(connection, profile);
  const sent = profile.sendScopeOnRefresh || connection.beginning === 'client_credentials';
  const named = sent && askedScope.length > 0 ? askedScope : undefined;
  const parameters =
    refreshToken === undefined
      ? clientCredentialsGrant({ scope: named })
      : refreshTokenGrant({ refreshToken, scope: named });
  return {
    askedScope,
    request: {
      tokenEndpoint: client.tokenEndpoint,
      clientId: client.clientId,
      authentication: openAuthentication(sealer, client),
      parameters: { ...profile.tokenParameters, ...parameters },
    },
  };
}

/** The scopes to ask for when the usual ones lack consent: those granted, and `offline_access` where it was requested. */
export function grantedScope(connection: ConnectionRecord): readonly string[] {
  const { requested, granted } = connection.scopes;
  const offline = requested.includes('offline_access') && !granted.includes('offline_access');
  return offline ? [...granted, 'offline_access'] : granted;
}

/** How the client proves itself, its secret opened. */
export function openAuthentication(sealer: Sealer, client: ClientRecord): ClientAuthentication {
  const method = client.authentication;
  if (method === 'none') return { method };
  if (client.secret === undefined) {
    throw new ClientRejectedError(
      'ERR_CLIENT_REFUSED',
      `client ${client.clientId} has no secret in the store; set it with evergrant client set-secret`,
    );
  }
  const plain = sealer.open(client.secret, clientSecretContext(client));
  return { method, secret: new Secret(Buffer.from(plain).toString('utf8')) };
}

function refreshScope(connection: ConnectionRecord, profile: Profile): readonly string[] {
  const { scopes, beginning } = connection;
  if (beginning === 'client_credentials') return scopes.requested;
  return scopes.refresh ?? profile.scopes.refresh ?? grantedScope(connection);
}
