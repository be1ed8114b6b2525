import { Secret } from '../secret.ts';
import type { AnswerMembers } from './answer-members.ts';
import type { AnswerDialect, TokenResponse } from './outcome.ts';
import { repairScope } from './scope.ts';

/** Why a readable answer is no token response. */
export interface NoTokens {
  /** In words that hold no secret. */
  readonly fault: string;
}

const TEN_YEARS_S = 10 * 365 * 86_400;

/**
 * Reads the members of a success answer, tolerating what providers are known to deviate in. Unknown members are ignored.
 *
 * @returns a fault instead when there is no access token that a header can carry, or a token could have been spoilt in transit.
 * @see RFC 6749 section 5.1
 */
export function readTokens(
  answer: AnswerMembers,
  dialect: AnswerDialect,
): TokenResponse | NoTokens {
  const { members } = answer;
  const accessToken = members.get('access_token');
  const refreshToken = members.get('refresh_token') ?? '';
  if (isPresent(members.get('error'))) return { fault: 'it reports an error that has no name' };
  if (typeof accessToken !== 'string' || accessToken === '')
    return { fault: 'it has no access_token' };
  if (!/^[\x20-\x7e]+$/.test(accessToken))
    return { fault: 'its access_token cannot be sent in a header' };
  if (typeof refreshToken !== 'string') return { fault: 'its refresh_token is no string' };
  if (!answer.isExact) return { fault: 'it is not UTF-8' };
  // An escape can make half a character, which nobody could send, and which would be stored as another one.
  if (!refreshToken.isWellFormed())
    return { fault: 'its refresh_token cannot be written in UTF-8' };

  const warnings: string[] = [];
  const accessLifeMs = readLife(members, 'expires_in', warnings) ?? dialect.defaultAccessLifeMs;
  return {
    accessToken: new Secret(accessToken),
    tokenType: text(members.get('token_type')) ?? dialect.defaultTokenType,
    accessLifeMs,
    refreshInMs: readRefreshIn(members, accessLifeMs, warnings),
    refreshToken: secret(refreshToken),
    refreshLifeMs: readRefreshLife(members, dialect, warnings),
    idToken: secret(members.get('id_token')),
    scope: readGrantedScope(members.get('scope'), dialect, warnings),
    warnings,
    raw: new Secret(answer.json),
  };
}

/** Whether a token of this type may be used as a bearer token. Case does not count. @see RFC 6749 section 7.1 */
export function isBearer(tokenType: string | undefined): boolean {
  return tokenType?.toLowerCase() === 'bearer';
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function secret(value: unknown): Secret | undefined {
  return typeof value === 'string' && value !== '' ? new Secret(value) : undefined;
}

/**
 * Reads seconds, written as a number or as digits, as milliseconds.
 *
 * @param warnings - gets a line when the value is there but not plausible.
 * @returns undefined when the member is missing or not plausible.
 */
export function readLife(
  members: ReadonlyMap<string, unknown>,
  name: string,
  warnings: string[] = [],
): number | undefined {
  const value = members.get(name) ?? '';
  if (value === '') return undefined;
  const isNumeric =
    typeof value === 'number' || (typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value));
  const seconds = isNumeric ? Number(value) : NaN;
  if (seconds >= 0 && seconds <= TEN_YEARS_S) return Math.floor(seconds * 1000);
  warnings.push(`${name} is no plausible number of seconds; it was ignored`);
  return undefined;
}

function readRefreshIn(
  members: ReadonlyMap<string, unknown>,
  accessLifeMs: number | undefined,
  warnings: string[],
): number | undefined {
  const refreshInMs = readLife(members, 'refresh_in', warnings);
  if (refreshInMs === undefined || accessLifeMs === undefined || refreshInMs < accessLifeMs)
    return refreshInMs;
  warnings.push('refresh_in lies beyond the life of the access token; it was ignored');
  return undefined;
}

/** A life of 0 is how some servers say that a refresh token does not expire. */
function readRefreshLife(
  members: ReadonlyMap<string, unknown>,
  dialect: AnswerDialect,
  warnings: string[],
): number | undefined {
  const names = ['refresh_token_expires_in', 'refresh_token_timeout'];
  if (dialect.refreshExpiryField !== undefined) names.unshift(dialect.refreshExpiryField);
  const lives = names.map((name) => readLife(members, name, warnings));
  return lives.find((life) => life !== undefined && life > 0);
}

function readGrantedScope(
  value: unknown,
  dialect: AnswerDialect,
  warnings: string[],
): readonly string[] | undefined {
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (typeof value !== 'string' && !isList) return undefined;
  const repaired = repairScope(value, dialect.scopeSeparator);
  warnings.push(...repaired.warnings);
  return repaired.scope.length === 0 ? undefined : repaired.scope;
}
