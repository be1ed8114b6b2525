import { fingerprint } from '../fingerprint.ts';
import { randomText, type AuthorizationServer } from '../server.ts';
import { consentedScopes, firstResource, grantedScopes, type RequestedScope } from '../scopes.ts';
import type { RegisteredClient } from '../state/clients.ts';
import type { Grant } from '../state/grants.ts';
import type { EmulatorResource } from '../options.ts';
import { applicationClaims, delegatedClaims, identityClaims } from './claims.ts';

/** Members of a successful token answer. */
export interface TokenAnswer {
  readonly token_type: 'Bearer';
  readonly scope?: string;
  readonly expires_in: number;
  readonly ext_expires_in: number;
  readonly refresh_in?: number;
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly client_info?: string;
}

/** What was issued: the answer, and what the ledger may know of it. */
export interface Issued {
  readonly answer: TokenAnswer;
  readonly grant?: Grant;
  readonly refreshToken?: { readonly fingerprint: string; readonly generation: number };
  readonly accessTokenFingerprint: string;
}

/** What a person's grant is asked to yield. */
export interface DelegatedIssue {
  readonly client: RegisteredClient;
  readonly grant: Grant;
  readonly scope: RequestedScope;
  /** Whether a new refresh token goes out. */
  readonly withRefreshToken: boolean;
  readonly nonce?: string | undefined;
  readonly withClientInfo?: boolean;
}

/**
 * Checks what a grant may yield; throws before anything has changed.
 *
 * @throws Refusal 65001 without consent, 700023 without a resource.
 */
export function settleScope(
  server: AuthorizationServer,
  client: RegisteredClient,
  username: string,
  scope: RequestedScope,
): { readonly resource: EmulatorResource; readonly scopes: readonly string[] } {
  const resource = firstResource(scope, server.settings.resources);
  const consented = consentedScopes(server.users.find(username), client, server.settings.resources);
  return { resource, scopes: grantedScopes(scope, resource, consented) };
}

/** Issues tokens for a person's grant. The refresh token is entered before the first await: that is the commit. */
export async function issueDelegated(
  server: AuthorizationServer,
  issue: DelegatedIssue,
): Promise<Issued> {
  const { client, grant, scope } = issue;
  const settled = settleScope(server, client, grant.username, scope);
  const refreshToken = issue.withRefreshToken ? `1.${randomText(server, 120)}` : undefined;
  const entered =
    refreshToken === undefined
      ? undefined
      : server.grants.addRefreshToken(grant, fingerprint(refreshToken), server.clock.now());
  const access = await issueAccessToken(server, { client, grant, ...settled });
  const user = server.users.find(grant.username);
  const idToken = scope.openId.has('openid')
    ? await server.signer.sign(
        identityClaims(server, { client, user, scopes: scope.openId, nonce: issue.nonce }),
      )
    : undefined;
  return {
    answer: {
      token_type: 'Bearer',
      scope: settled.scopes.map((name) => `${settled.resource.uri}/${name}`).join(' '),
      ...lifeMembers(server, access.life),
      access_token: access.token,
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      ...(idToken === undefined ? {} : { id_token: idToken }),
      ...(issue.withClientInfo === true ? { client_info: clientInfo(server, user.oid) } : {}),
    },
    grant,
    ...(entered === undefined ? {} : { refreshToken: entered }),
    accessTokenFingerprint: fingerprint(access.token),
  };
}

/** Issues an access token by which the client acts for itself; there is never a refresh token. */
export async function issueForApplication(
  server: AuthorizationServer,
  client: RegisteredClient,
  resource: EmulatorResource,
): Promise<Issued> {
  const access = await issueAccessToken(server, { client, grant: undefined, resource, scopes: [] });
  return {
    answer: {
      token_type: 'Bearer',
      ...lifeMembers(server, access.life),
      access_token: access.token,
    },
    accessTokenFingerprint: fingerprint(access.token),
  };
}

interface AccessTokenFacts {
  readonly client: RegisteredClient;
  readonly grant: Grant | undefined;
  readonly resource: EmulatorResource;
  readonly scopes: readonly string[];
}

async function issueAccessToken(
  server: AuthorizationServer,
  facts: AccessTokenFacts,
): Promise<{ readonly token: string; readonly life: number }> {
  const { client, grant, resource, scopes } = facts;
  const life = drawLife(server);
  const issuedAt = server.clock.now();
  const expiresAt = issuedAt + life * 1000;
  const token = await mintAccessToken(server, facts, expiresAt);
  // The family may have been revoked, access tokens and all, while this one was being signed.
  if (grant?.revoked?.accessTokens !== true) {
    server.accessTokens.add({
      fingerprint: fingerprint(token),
      clientId: client.clientId,
      grant,
      resource: resource.uri,
      scopes,
      issuedAt,
      expiresAt,
    });
  }
  return { token, life };
}

function mintAccessToken(
  server: AuthorizationServer,
  { client, grant, resource, scopes }: AccessTokenFacts,
  expiresAt: number,
): Promise<string> {
  if (server.settings.opaqueAccessTokens) return Promise.resolve(randomText(server, 48));
  if (grant === undefined) {
    return server.signer.sign(applicationClaims(server, { client, resource, expiresAt }));
  }
  const user = server.users.find(grant.username);
  return server.signer.sign(delegatedClaims(server, { client, user, resource, scopes, expiresAt }));
}

function drawLife(server: AuthorizationServer): number {
  const [least, most] = server.settings.accessLifeSeconds;
  return least + Math.floor(server.random.fraction() * (most - least + 1));
}

function lifeMembers(
  server: AuthorizationServer,
  life: number,
): Pick<TokenAnswer, 'expires_in' | 'ext_expires_in' | 'refresh_in'> {
  const { refreshInSeconds } = server.settings;
  return {
    expires_in: life,
    ext_expires_in: life,
    ...(refreshInSeconds === undefined ? {} : { refresh_in: refreshInSeconds }),
  };
}

function clientInfo(server: AuthorizationServer, oid: string): string {
  const info = { uid: oid, utid: server.settings.entraTenantId };
  return Buffer.from(JSON.stringify(info)).toString('base64url');
}
