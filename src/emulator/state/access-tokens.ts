import type { Grant } from './grants.ts';

/** An access token as the server keeps it. */
export interface AccessToken {
  readonly fingerprint: string;
  readonly clientId: string;
  /** Absent for tokens of an application itself. */
  readonly grant: Grant | undefined;
  readonly resource: string;
  /** Delegated scope names; empty for an application's own token. */
  readonly scopes: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** The access tokens that are alive. */
export interface AccessTokens {
  add(token: AccessToken): void;
  /** The token of this fingerprint, if it is known, unexpired and not revoked. */
  findAlive(fingerprint: string, now: number): AccessToken | undefined;
  /** Fingerprints of a grant's tokens that are alive. */
  aliveOf(grant: Grant, now: number): string[];
  /** Kills every token of a grant. */
  revokeOf(grant: Grant): void;
  /** Kills one token. */
  revoke(token: AccessToken): void;
}

/** Makes an empty set. */
export function createAccessTokens(): AccessTokens {
  const tokens = new Map<string, AccessToken>();
  const isAlive = (fingerprint: string, now: number): boolean =>
    (tokens.get(fingerprint)?.expiresAt ?? 0) > now;
  const forget = (grant: Grant, fingerprint: string): void => {
    tokens.delete(fingerprint);
    grant.accessTokens.delete(fingerprint);
  };
  return {
    add(token) {
      tokens.set(token.fingerprint, token);
      if (token.grant === undefined) return;
      // A storm of refreshes must not pile up what has expired.
      for (const fingerprint of token.grant.accessTokens) {
        if (isAlive(fingerprint, token.issuedAt)) break;
        forget(token.grant, fingerprint);
      }
      token.grant.accessTokens.add(token.fingerprint);
    },
    findAlive: (fingerprint, now) =>
      isAlive(fingerprint, now) ? tokens.get(fingerprint) : undefined,
    aliveOf: (grant, now) => [...grant.accessTokens].filter((print) => isAlive(print, now)),
    revokeOf(grant) {
      for (const fingerprint of [...grant.accessTokens]) forget(grant, fingerprint);
    },
    revoke(token) {
      tokens.delete(token.fingerprint);
      token.grant?.accessTokens.delete(token.fingerprint);
    },
  };
}
