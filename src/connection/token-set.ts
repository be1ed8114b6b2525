import { StoreError } from '../errors.ts';
import type { TokenResponse } from '../oauth/outcome.ts';
import { Secret } from '../secret.ts';
import type { ConnectionRecord, TokenSet } from './record.ts';
import { capDueAtForIdle, drawDueAt } from './schedule.ts';
import { tokenContext, type Sealer } from './secrets.ts';

/** Life assumed for an access token when neither the server nor the provider's profile names one. */
export const ASSUMED_LIFE_MS = 3_600_000;

/** What a token set is made of. */
export interface TokenSetParts {
  /** The answer. */
  readonly response: TokenResponse;
  /** Wall time just before the request was sent; lives count from here. */
  readonly sentAt: number;
  /** The refresh token held before, kept when the answer brings none. @see RFC 6749 section 6 */
  readonly previousRefreshToken: Secret | undefined;
  /** When that one ends. */
  readonly previousRefreshExpiresAt: number | undefined;
  /** Scopes that were asked for, which are granted when the answer names none. */
  readonly askedScope: readonly string[];
  /** Id of the connection. */
  readonly connectionId: string;
  /** Generation that the set will be. */
  readonly generation: number;
  /** How long the server keeps an unused refresh token, where it is known. */
  readonly idleLimitMs: number | undefined;
  /** A random number from 0 to 1, for the due instant. */
  readonly fraction: number;
}

/** Seals an answer into the token set that the store keeps. */
export function buildTokenSet(sealer: Sealer, parts: TokenSetParts): TokenSet {
  const { response, sentAt, connectionId, generation } = parts;
  const seal = (secret: Secret | undefined, field: 'accessToken' | 'refreshToken' | 'idToken') =>
    secret === undefined
      ? undefined
      : sealer.seal(secret.reveal(), tokenContext(connectionId, field, generation));
  const refreshToken = response.refreshToken ?? parts.previousRefreshToken;
  const accessLifeMs = response.accessLifeMs ?? ASSUMED_LIFE_MS;
  const dueAt = drawDueAt(
    { receivedAt: sentAt, accessLifeMs, refreshInMs: response.refreshInMs },
    parts.fraction,
  );
  return {
    accessToken: seal(response.accessToken, 'accessToken'),
    refreshToken: seal(refreshToken, 'refreshToken'),
    idToken: seal(response.idToken, 'idToken'),
    tokenType: response.tokenType ?? 'Bearer',
    scope: response.scope ?? parts.askedScope,
    receivedAt: sentAt,
    accessLifeMs,
    accessExpiresAt: sentAt + accessLifeMs,
    dueAt: capDueAtForIdle(dueAt, sentAt, unusedLifeMs(parts, refreshToken)),
    refreshExpiresAt: refreshToken === undefined ? undefined : refreshExpiry(parts),
    fingerprint: refreshToken === undefined ? undefined : sealer.fingerprint(refreshToken.reveal()),
  };
}

/**
 * A new set whose own access token cannot be served, with the one that the connection holds in its place: that stays good to its end.
 *
 * @param generation - that of the new set.
 */
export function keepAccessToken(
  sealer: Sealer,
  set: TokenSet,
  connection: ConnectionRecord,
  generation: number,
): TokenSet {
  const { tokens } = connection;
  const value = openIfWhole(sealer, connection);
  if (tokens === undefined || value === undefined) return { ...set, accessToken: undefined };
  const { tokenType, scope, receivedAt, accessLifeMs, accessExpiresAt, dueAt } = tokens;
  const { isImported } = tokens;
  const context = tokenContext(connection.id, 'accessToken', generation);
  const accessToken = sealer.seal(value.reveal(), context);
  return {
    ...set,
    ...{ accessToken, tokenType, scope, receivedAt, accessLifeMs, accessExpiresAt, dueAt },
    isImported,
  };
}

/** An old access token that is damaged must not cost the new refresh token. */
function openIfWhole(sealer: Sealer, connection: ConnectionRecord): Secret | undefined {
  try {
    return openToken(sealer, connection, 'accessToken');
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

/** The refresh token that a connection holds, opened. */
export function openRefreshToken(sealer: Sealer, connection: ConnectionRecord): Secret | undefined {
  return openToken(sealer, connection, 'refreshToken');
}

/** A token of the current set, opened; undefined when the set has none. */
export function openToken(
  sealer: Sealer,
  connection: ConnectionRecord,
  field: 'accessToken' | 'refreshToken' | 'idToken',
): Secret | undefined {
  const sealed = connection.tokens?.[field];
  if (sealed === undefined) return undefined;
  const plain = sealer.open(sealed, tokenContext(connection.id, field, connection.generation));
  return new Secret(Buffer.from(plain).toString('utf8'));
}

/** The type of an access token that cannot be sent as a bearer token; undefined when it can. @see RFC 6749 section 7.1 */
export function unusableTypeOf(response: TokenResponse): string | undefined {
  const type = response.tokenType;
  if (type === undefined) return 'unknown (the answer named none)';
  if (type.toLowerCase() === 'bearer') return undefined;
  return TYPE_NAME.test(type) ? type : 'unknown (what the answer named is no name of a type)';
}

/** Names that are shown to people; what is longer or made of other characters could be anything, a token that was repeated among it. */
const TYPE_NAME = /^[a-z][\w.-]{0,19}$/i;

/** How long the refresh token may be left unused: what the server tells of this one may be less than what it is known for. */
function unusedLifeMs(
  { response: { refreshLifeMs }, idleLimitMs }: TokenSetParts,
  refreshToken: Secret | undefined,
): number | undefined {
  if (refreshToken === undefined) return undefined;
  if (refreshLifeMs === undefined) return idleLimitMs;
  return Math.min(refreshLifeMs, idleLimitMs ?? Infinity);
}

function refreshExpiry(parts: TokenSetParts): number | undefined {
  const { response, sentAt } = parts;
  if (response.refreshLifeMs !== undefined) return sentAt + response.refreshLifeMs;
  if (parts.idleLimitMs !== undefined) return sentAt + parts.idleLimitMs;
  return response.refreshToken === undefined ? parts.previousRefreshExpiresAt : undefined;
}
