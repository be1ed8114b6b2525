import type { Random } from '../system/random.ts';
import { fingerprint } from './fingerprint.ts';
import type { MovableClock } from './movable-clock.ts';
import { judgeRefreshToken, type RefreshTokenVerdict } from './rotation.ts';
import type { Settings } from './settings.ts';
import { createAccessTokens, type AccessTokens } from './state/access-tokens.ts';
import { createAuthorizations, type Authorizations } from './state/authorizations.ts';
import { createClients, type Clients } from './state/clients.ts';
import {
  createGrants,
  type Grant,
  type Grants,
  type RefreshToken,
  type Revocation,
} from './state/grants.ts';
import { createUsers, type Users } from './state/users.ts';
import { createThrottle, type Throttle } from './throttle.ts';
import { createSigner, type Signer } from './tokens/signer.ts';

/** The authorization server's whole state, handed to every endpoint. */
export interface AuthorizationServer {
  readonly settings: Settings;
  readonly clock: MovableClock;
  readonly random: Random;
  /** Scheme, host and port; known once it listens. */
  origin: string;
  /** The same of the API. */
  apiOrigin: string;
  /** Who is signed in without a page; undefined shows the page. */
  autoSignIn: string | undefined;
  readonly clients: Clients;
  readonly users: Users;
  readonly grants: Grants;
  readonly accessTokens: AccessTokens;
  readonly authorizations: Authorizations;
  readonly throttle: Throttle;
  readonly signer: Signer;
}

/** Makes a server with nobody signed in. */
export function createServerState(settings: Settings, clock: MovableClock): AuthorizationServer {
  return {
    settings,
    clock,
    random: settings.random,
    origin: '',
    apiOrigin: '',
    autoSignIn: settings.autoSignIn,
    clients: createClients(settings.clients),
    users: createUsers(settings.users),
    grants: createGrants(),
    accessTokens: createAccessTokens(),
    authorizations: createAuthorizations(),
    throttle: createThrottle(settings.tokenRequestsPerSecond),
    signer: createSigner(settings.random),
  };
}

/** The issuer of this directory. */
export function issuerOf(server: AuthorizationServer): string {
  return `${server.origin}/${server.settings.entraTenantId}/v2.0`;
}

/** Unguessable text for codes and tokens, safe in a URL. */
export function randomText(server: AuthorizationServer, bytes: number): string {
  return Buffer.from(server.random.bytes(bytes)).toString('base64url');
}

/** Judges a refresh token as the token endpoint would now. */
export function verdictOn(server: AuthorizationServer, token: RefreshToken): RefreshTokenVerdict {
  const { graceMs, idleLimitMs } = server.settings;
  const user = server.users.find(token.grant.username);
  return judgeRefreshToken(token, user, { now: server.clock.now(), graceMs, idleLimitMs });
}

/** Finds the record of a refresh token. */
export function lookUpRefreshToken(
  server: AuthorizationServer,
  refreshToken: string,
): RefreshToken | undefined {
  return server.grants.findRefreshToken(fingerprint(refreshToken));
}

/** Ends a family; the first reason stays. */
export function endGrant(
  server: AuthorizationServer,
  grant: Grant,
  because: Revocation['because'],
  accessTokens: boolean,
): void {
  grant.revoked ??= { at: server.clock.now(), because, accessTokens };
  if (accessTokens) server.accessTokens.revokeOf(grant);
}
