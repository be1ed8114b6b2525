import type { DirectoryUser } from './state/users.ts';
import type { RefreshToken } from './state/grants.ts';

/** What the server makes of a refresh token presented to it. */
export type RefreshTokenVerdict = 'honoured' | 'revoked' | 'user-disabled' | 'idle' | 'reused';

/** Time and policy a refresh token is judged by. */
export interface RotationPolicy {
  readonly now: number;
  readonly graceMs: number;
  readonly idleLimitMs: number;
}

/** Judges a refresh token without changing anything. */
export function judgeRefreshToken(
  token: RefreshToken,
  user: DirectoryUser,
  policy: RotationPolicy,
): RefreshTokenVerdict {
  if (token.grant.revoked !== undefined) return 'revoked';
  if (user.disabled) return 'user-disabled';
  if (isReuse(token, policy)) return 'reused';
  const idleMs = policy.now - (token.lastUsedAt ?? token.issuedAt);
  return idleMs >= policy.idleLimitMs ? 'idle' : 'honoured';
}

function isReuse(token: RefreshToken, policy: RotationPolicy): boolean {
  const { firstUsedAt, grant } = token;
  if (firstUsedAt === undefined) return false;
  if (grant.rotation === 'single-use') return true;
  // The grace counts from the first use, so that retries cannot stretch it.
  return grant.rotation === 'grace' && policy.now - firstUsedAt >= policy.graceMs;
}
