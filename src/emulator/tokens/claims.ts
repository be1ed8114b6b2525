import { guidOf } from '../fingerprint.ts';
import type { EmulatorResource } from '../options.ts';
import { issuerOf, type AuthorizationServer } from '../server.ts';
import { isConfidential, type RegisteredClient } from '../state/clients.ts';
import type { DirectoryUser } from '../state/users.ts';

type Claims = Readonly<Record<string, unknown>>;

/** Entra dates its tokens back by five minutes, so that machines with slow clocks take them. */
const backDatedSeconds = 300;

function commonClaims(server: AuthorizationServer, expiresAt: number): Claims {
  const issued = Math.floor(server.clock.now() / 1000) - backDatedSeconds;
  return {
    iss: issuerOf(server),
    iat: issued,
    nbf: issued,
    exp: Math.floor(expiresAt / 1000),
    tid: server.settings.entraTenantId,
    ver: '2.0',
    aio: Buffer.from(server.random.bytes(12)).toString('base64url'),
    rh: '0.demo.',
    uti: Buffer.from(server.random.bytes(12)).toString('base64url'),
  };
}

function clientClaims(client: RegisteredClient): Claims {
  const secretOrNone = isConfidential(client) ? '1' : '0';
  return { azp: client.clientId, azpacr: client.publicJwk === undefined ? secretOrNone : '2' };
}

function personClaims(user: DirectoryUser, audience: string): Claims {
  return {
    oid: user.oid,
    sub: pairwiseSubject(user.oid, audience),
    name: user.name,
    preferred_username: user.username,
  };
}

/** The `sub` of a person, which differs from audience to audience. */
export function pairwiseSubject(oid: string, audience: string): string {
  return guidOf(`${oid} at ${audience}`).replaceAll('-', '');
}

/** Claims of an access token by which a client acts for a person. */
export function delegatedClaims(
  server: AuthorizationServer,
  facts: {
    readonly client: RegisteredClient;
    readonly user: DirectoryUser;
    readonly resource: EmulatorResource;
    readonly scopes: readonly string[];
    readonly expiresAt: number;
  },
): Claims {
  return {
    aud: guidOf(facts.resource.uri),
    ...commonClaims(server, facts.expiresAt),
    ...clientClaims(facts.client),
    ...personClaims(facts.user, facts.resource.uri),
    scp: facts.scopes.join(' '),
  };
}

/** Claims of an access token by which a client acts for itself. */
export function applicationClaims(
  server: AuthorizationServer,
  facts: {
    readonly client: RegisteredClient;
    readonly resource: EmulatorResource;
    readonly expiresAt: number;
  },
): Claims {
  const servicePrincipal = guidOf(`application ${facts.client.clientId}`);
  return {
    aud: guidOf(facts.resource.uri),
    ...commonClaims(server, facts.expiresAt),
    ...clientClaims(facts.client),
    oid: servicePrincipal,
    sub: servicePrincipal,
    idtyp: 'app',
    roles: facts.resource.roles ?? [],
  };
}

/** Claims of an id_token, one hour long. */
export function identityClaims(
  server: AuthorizationServer,
  facts: {
    readonly client: RegisteredClient;
    readonly user: DirectoryUser;
    readonly scopes: ReadonlySet<string>;
    readonly nonce: string | undefined;
  },
): Claims {
  const { client, user, scopes, nonce } = facts;
  const { name, preferred_username, ...ids } = personClaims(user, client.clientId);
  return {
    aud: client.clientId,
    ...commonClaims(server, server.clock.now() + 3_600_000),
    ...ids,
    ...(scopes.has('profile') ? { name, preferred_username } : {}),
    ...(scopes.has('email') ? { email: user.username } : {}),
    ...(nonce === undefined ? {} : { nonce }),
    sid: guidOf(`session of ${user.username}`),
  };
}
