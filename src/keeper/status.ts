import type { ConnectionStatus } from '../keeper-api.ts';
import { COPIED, COPIED_REMEDY, isHeldCopy } from '../connection/copied.ts';
import { freshness } from '../connection/freshness.ts';
import { effectiveRotation, nextStepAt } from '../connection/schedule.ts';
import type { ClientRecord, ConnectionRecord, ConnectionState } from '../connection/record.ts';
import { EvergrantError } from '../errors.ts';
import type { Profile } from '../providers/profile.ts';

const FAULTY_REMEDY =
  'use it with the version of evergrant that stored it, or a newer one, or connect it anew';

/**
 * Where a connection stands, from its rows.
 *
 * @param profileOf - what it throws of evergrant's own, for a registration that a newer version stored, say, is told as what the connection needs.
 */
export function statusOf(
  rows: { readonly connection: ConnectionRecord; readonly client: ClientRecord },
  profileOf: (client: ClientRecord) => Profile,
  now: number,
): ConnectionStatus {
  const { connection, client } = rows;
  const profile = unlessFaulty(() => profileOf(client));
  const fault = profile instanceof EvergrantError ? profile : undefined;
  const { tokens, state, claim, scopes } = connection;
  return {
    id: connection.id,
    name: connection.name,
    provider: client.provider,
    clientId: client.clientId,
    tokenEndpoint: client.tokenEndpoint,
    rotation: effectiveRotation(connection, 'rotation' in profile ? profile.rotation : 'unknown'),
    beginning: connection.beginning,
    account: connection.subject?.display ?? connection.subject?.id,
    accountId: connection.subject?.id,
    state: state.kind,
    freshness: freshness(connection, now),
    since: sinceOf(state) ?? client.refusedAt,
    ...needs(connection, client, fault),
    grantId: connection.grantId,
    generation: connection.generation,
    hasRefreshToken: tokens?.refreshToken !== undefined,
    requestedScopes: scopes.requested,
    grantedScopes: scopes.granted,
    tokenScopes: tokens?.scope ?? [],
    receivedAt: tokens?.receivedAt,
    accessExpiresAt: tokens?.accessToken === undefined ? undefined : tokens.accessExpiresAt,
    refreshExpiresAt: tokens?.refreshExpiresAt,
    nextRefreshAt: client.refusedAt === undefined ? nextStepAt(connection) : undefined,
    lastError: connection.lastError,
    refreshingBy: claim === undefined ? undefined : `process ${String(claim.owner.pid)}`,
    createdAt: connection.createdAt,
  };
}

function sinceOf(state: ConnectionState): number | undefined {
  return state.kind === 'active' ? undefined : state.since;
}

function needs(
  { name, state }: ConnectionRecord,
  client: ClientRecord,
  fault: EvergrantError | undefined,
): Pick<ConnectionStatus, 'actor' | 'reason' | 'remedy'> {
  if (state.kind === 'attention') {
    const { actor, reason, remedy } = state;
    return { actor, reason, remedy };
  }
  if (client.refusedAt !== undefined && state.kind !== 'disconnected') {
    return {
      actor: 'operator',
      reason: client.refusal,
      remedy: `replace the secret with evergrant client set-secret ${client.clientId}`,
    };
  }
  if (fault !== undefined && state.kind !== 'disconnected')
    return { actor: 'operator', reason: fault.message, remedy: FAULTY_REMEDY };
  if (state.kind !== 'uncertain') return { actor: undefined, reason: undefined, remedy: undefined };
  if (isHeldCopy(state)) return { actor: 'operator', reason: COPIED, remedy: COPIED_REMEDY };
  return {
    actor: 'owner',
    reason: state.reason,
    remedy: state.lastTry
      ? 'nothing yet: it is tried once more when the access token expires; sign in again to be safe'
      : `sign in again, or order one more try with evergrant refresh ${name} --anyway`,
  };
}

function unlessFaulty(look: () => Profile): Profile | EvergrantError {
  try {
    return look();
  } catch (error) {
    if (error instanceof EvergrantError) return error;
    throw error;
  }
}
