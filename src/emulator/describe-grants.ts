import type { Rotation } from './options.ts';
import { verdictOn, type AuthorizationServer } from './server.ts';
import type { Grant } from './state/grants.ts';

/** One grant as the server sees it now. */
export interface GrantDescription {
  /** The family, as in ledger entries. */
  readonly grantId: string;
  /** Whose it is. */
  readonly clientId: string;
  /** User name of the person who consented. */
  readonly user: string;
  /** What was asked for at the start. */
  readonly scope: string;
  /** What becomes of its refresh tokens when used. */
  readonly rotation: Rotation;
  /** Generation of the newest refresh token; 0 when none was issued. */
  readonly generation: number;
  /** Fingerprint of the newest refresh token. */
  readonly currentFingerprint?: string;
  /** Whether the newest refresh token would be honoured now. */
  readonly alive: boolean;
  /** On the emulator's clock; absent while the family lives. */
  readonly revokedAt?: number;
  /** Why the family was revoked. */
  readonly revokedBecause?: string;
  /** Generations that would be honoured now. */
  readonly honouredGenerations: readonly number[];
  /** Fingerprints of the access tokens that are alive. */
  readonly accessTokensAlive: readonly string[];
}

/** Describes every grant, oldest first. */
export function describeGrants(server: AuthorizationServer): GrantDescription[] {
  return server.grants.all().map((grant) => describeGrant(server, grant));
}

function describeGrant(server: AuthorizationServer, grant: Grant): GrantDescription {
  const current = grant.refreshTokens.at(-1);
  const honoured = grant.refreshTokens.filter((token) => verdictOn(server, token) === 'honoured');
  return {
    grantId: grant.id,
    clientId: grant.clientId,
    user: grant.username,
    scope: grant.scope,
    rotation: grant.rotation,
    generation: current?.generation ?? 0,
    ...(current === undefined ? {} : { currentFingerprint: current.fingerprint }),
    alive: current !== undefined && honoured.includes(current),
    ...(grant.revoked === undefined
      ? {}
      : { revokedAt: grant.revoked.at, revokedBecause: grant.revoked.because }),
    honouredGenerations: honoured.map((token) => token.generation),
    accessTokensAlive: server.accessTokens.aliveOf(grant, server.clock.now()),
  };
}
