import type { ConnectionRecord, TokenSet } from './record.ts';

const MINUTE = 60_000;

/**
 * How long before its true expiry an access token counts as expired: 10 % of its life, at least 60 s and at most 5 min, but never more
 * than a quarter of it, so that a short token is not born expired.
 */
export function earlyExpiryMs(accessLifeMs: number): number {
  const tenth = Math.min(5 * MINUTE, accessLifeMs / 10);
  return Math.min(Math.max(MINUTE, tenth), accessLifeMs / 4);
}

/** The life for which the server issues access tokens, as far as the set tells: of an imported one only what was left is known. */
export function issuedLifeMs({ isImported, accessLifeMs }: TokenSet): number | undefined {
  return isImported === true ? undefined : accessLifeMs;
}

/**
 * The remaining life that meets a demanded minimum: the minimum itself, but never so much that only a token of this instant has it. A token
 * of the last minute, or of the last tenth of a shorter life, counts as new, or else every call would cause a request.
 *
 * @param accessLifeMs - the life issued; undefined where nobody knows it.
 */
export function enoughLifeMs(minLifeMs: number, accessLifeMs: number | undefined): number {
  if (accessLifeMs === undefined || minLifeMs > accessLifeMs) return minLifeMs;
  return Math.min(minLifeMs, accessLifeMs - Math.min(MINUTE, accessLifeMs / 10));
}

/**
 * Remaining life by the wall clock, cut to the life issued: a stored expiry that lies further ahead means that the clock was set back.
 * May be negative.
 */
export function remainingLifeMs(tokens: TokenSet, now: number): number {
  return Math.min(tokens.accessExpiresAt - now, tokens.accessLifeMs);
}

/** Tells whether the set was received in the future, as it seems when the clock was set back by more than a minute. */
export function isClockSetBack(tokens: TokenSet, now: number): boolean {
  return tokens.receivedAt - now > MINUTE;
}

/** A set whose instants no longer reach further ahead than its life, due at `dueAt`. */
export function cutToClock(tokens: TokenSet, dueAt: number, now: number): TokenSet {
  const accessExpiresAt = Math.min(tokens.accessExpiresAt, now + tokens.accessLifeMs);
  return { ...tokens, dueAt, accessExpiresAt };
}

/** The access token's standing at an instant; `none` when the connection has no access token to serve. */
export function freshness(
  connection: ConnectionRecord,
  now: number,
): 'fresh' | 'due' | 'expired' | 'none' {
  const tokens = connection.tokens;
  if (tokens?.accessToken === undefined) return 'none';
  const remaining = remainingLifeMs(tokens, now);
  if (remaining <= 0) return 'expired';
  return now >= tokens.dueAt || isPastEarlyExpiry(tokens, now) ? 'due' : 'fresh';
}

/** Tells whether callers should rather wait for a refresh than be handed this token. */
export function isPastEarlyExpiry(tokens: TokenSet, now: number): boolean {
  return (
    remainingLifeMs(tokens, now) <= earlyExpiryMs(tokens.accessLifeMs) ||
    isClockSetBack(tokens, now)
  );
}
