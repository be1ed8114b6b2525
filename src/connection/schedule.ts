import type { ConnectionRecord, Rotation } from './record.ts';

/** A token that lives less than this is not worth a request at each of its ends unless somebody asks for it. */
const LEAST_DUE_MS = 1_000;

/**
 * Draws the instant at which background renewal refreshes a new token set: what the server advised, spread over its last tenth, or a
 * random point in 60 to 75 % of the access token's life, so that connections do not come due together. A second after it came at the
 * earliest, whatever its life.
 */
export function drawDueAt(
  set: {
    readonly receivedAt: number;
    readonly accessLifeMs: number;
    readonly refreshInMs: number | undefined;
  },
  fraction: number,
): number {
  const { accessLifeMs: life, refreshInMs } = set;
  const advised = refreshInMs !== undefined && refreshInMs > 0 && refreshInMs < life;
  const wait = advised ? refreshInMs * (0.9 + 0.1 * fraction) : life * (0.6 + 0.15 * fraction);
  return Math.round(set.receivedAt + Math.max(wait, LEAST_DUE_MS));
}

/**
 * When a running keeper should next look at a connection; undefined when nobody but a person can move it on. The store keeps it beside
 * the record, so that a wake-up costs what is due and not what is held.
 */
export function nextStepAt(connection: ConnectionRecord): number | undefined {
  if (!isRenewable(connection)) return undefined;
  const ownAt = ownStepAt(connection);
  const { claim } = connection;
  // Whoever holds the claim is at it; look again later, in case it died.
  return ownAt === undefined || claim === undefined
    ? ownAt
    : Math.max(ownAt, claim.claimedAt + 2_000);
}

/** As if nobody held the claim. */
function ownStepAt({ state, tokens, backoff, intent }: ConnectionRecord): number | undefined {
  if (state.kind === 'active') {
    if (intent !== undefined) return backoff.notBefore;
    return tokens === undefined ? backoff.notBefore : Math.max(tokens.dueAt, backoff.notBefore);
  }
  if (state.kind === 'uncertain' && state.lastTry) {
    const endsAt = tokens?.accessToken === undefined ? 0 : tokens.accessExpiresAt;
    return Math.max(endsAt, backoff.notBefore);
  }
  return undefined;
}

/** Whether there is anything to renew a connection with. */
export function isRenewable({ beginning, tokens }: ConnectionRecord): boolean {
  return beginning === 'client_credentials' || tokens?.refreshToken !== undefined;
}

/** Whether a request whose answer was lost may be repeated without harm. */
export function isRepeatable(rotation: Rotation): boolean {
  return rotation === 'none' || rotation === 'reusable';
}

/** The rotation that counts for a connection: without a refresh token there is nothing to lose. */
export function effectiveRotation(connection: ConnectionRecord, configured: Rotation): Rotation {
  return connection.beginning === 'client_credentials' ? 'none' : configured;
}

/**
 * The due instant of a token set whose idle refresh token must be used before half of its idle limit, if that comes sooner. A second after it came at
 * the earliest, however short the limit.
 */
export function capDueAtForIdle(
  dueAt: number,
  receivedAt: number,
  idleLimitMs: number | undefined,
): number {
  if (idleLimitMs === undefined) return dueAt;
  return Math.min(dueAt, receivedAt + Math.max(idleLimitMs / 2, LEAST_DUE_MS));
}
