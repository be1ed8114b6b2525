import type { Rotation } from '../options.ts';

/** A refresh token as the server keeps it: never the token, only its fingerprint. */
export interface RefreshToken {
  readonly fingerprint: string;
  readonly grant: Grant;
  readonly generation: number;
  readonly issuedAt: number;
  firstUsedAt: number | undefined;
  lastUsedAt: number | undefined;
}

/** One consent and the family of refresh tokens that descends from it. */
export interface Grant {
  readonly id: string;
  readonly clientId: string;
  readonly username: string;
  /** Scopes asked for at the start, in the words of the request. */
  readonly scope: string;
  /** Whether `offline_access` was among them, so that refresh tokens are issued. */
  readonly offline: boolean;
  readonly rotation: Rotation;
  /** Oldest first; the last is the current one. */
  readonly refreshTokens: RefreshToken[];
  /** Fingerprints of the access tokens issued under it. */
  readonly accessTokens: Set<string>;
  revoked: Revocation | undefined;
}

/** Why and when a family ended. */
export interface Revocation {
  readonly at: number;
  readonly because: 'reuse' | 'user-revoked' | 'revoked';
  /** Whether its access tokens died with it. */
  readonly accessTokens: boolean;
}

/** The grants and their refresh tokens. */
export interface Grants {
  /** Begins a family. */
  open(facts: Pick<Grant, 'clientId' | 'username' | 'scope' | 'offline' | 'rotation'>): Grant;
  /** Adds the next generation. */
  addRefreshToken(grant: Grant, fingerprint: string, now: number): RefreshToken;
  findRefreshToken(fingerprint: string): RefreshToken | undefined;
  find(grantId: string): Grant | undefined;
  all(): readonly Grant[];
}

/** Makes an empty set of grants. */
export function createGrants(): Grants {
  const grants = new Map<string, Grant>();
  const refreshTokens = new Map<string, RefreshToken>();
  return {
    open(facts) {
      const id = `grant-${String(grants.size + 1)}`;
      const grant: Grant = {
        id,
        ...facts,
        refreshTokens: [],
        accessTokens: new Set(),
        revoked: undefined,
      };
      grants.set(id, grant);
      return grant;
    },
    addRefreshToken(grant, fingerprint, now) {
      const token: RefreshToken = {
        fingerprint,
        grant,
        generation: grant.refreshTokens.length + 1,
        issuedAt: now,
        firstUsedAt: undefined,
        lastUsedAt: undefined,
      };
      grant.refreshTokens.push(token);
      refreshTokens.set(fingerprint, token);
      return token;
    },
    findRefreshToken: (fingerprint) => refreshTokens.get(fingerprint),
    find: (grantId) => grants.get(grantId),
    all: () => [...grants.values()],
  };
}
