import type { ConnectionStatus } from '../../keeper-api.ts';
import { oneLine } from './harmless.ts';
import { dueTime, relativeTime } from './relative-time.ts';

/** Where a connection stands, as lines for people. */
export function statusLines(status: ConnectionStatus, now: number): readonly string[] {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['name', status.name],
    ['provider', status.provider],
    ['account', status.account],
    ['account id', status.accountId === status.account ? undefined : status.accountId],
    ['client', status.clientId],
    ['token endpoint', status.tokenEndpoint],
    [
      'state',
      status.since === undefined
        ? status.state
        : `${status.state}, ${relativeTime(status.since, now)}`,
    ],
    ['who must act', status.actor],
    ['reason', status.reason],
    ['remedy', status.remedy],
    ['access token', accessTokenLine(status, now)],
    ['refresh token', refreshTokenLine(status, now)],
    ['rotation', status.rotation],
    ['scopes', status.tokenScopes.join(' ')],
    ['generation', String(status.generation)],
    [
      'next refresh',
      status.nextRefreshAt === undefined ? 'none' : dueTime(status.nextRefreshAt, now),
    ],
    ['refreshing', status.refreshingBy],
    [
      'last error',
      status.lastError && `${status.lastError.message} (${relativeTime(status.lastError.at, now)})`,
    ],
    [
      'connected',
      `${relativeTime(status.createdAt, now)} by ${status.beginning.replaceAll('_', ' ')}`,
    ],
  ];
  const known = facts.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${oneLine(value ?? '')}`);
}

function accessTokenLine({ freshness, accessExpiresAt }: ConnectionStatus, now: number): string {
  if (accessExpiresAt === undefined) return 'none';
  const verb = accessExpiresAt > now ? 'expires' : 'expired';
  return `${freshness}, ${verb} ${relativeTime(accessExpiresAt, now)}`;
}

function refreshTokenLine(
  { hasRefreshToken, refreshExpiresAt }: ConnectionStatus,
  now: number,
): string {
  if (!hasRefreshToken) return 'none';
  return refreshExpiresAt === undefined
    ? 'held'
    : `held, expires ${relativeTime(refreshExpiresAt, now)} unless used`;
}
