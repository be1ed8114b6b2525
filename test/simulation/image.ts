import { isDeepStrictEqual } from 'node:util';
import type { Change, Leftover, View } from '../../src/connection/decision.ts';
import { freshEndpoint } from '../../src/connection/gate.ts';
import type { ClientRecord, Notice } from '../../src/connection/record.ts';
import { nextStepAt } from '../../src/connection/schedule.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { LONGEST_RESERVATION_MS, MOST_UNREAD, type Due } from '../../src/store/store.ts';
import type { Image, Row, StoredNotice } from './database.ts';

/*
 * What a simulated store reads from its image, and how one image becomes the next.
 */

const LIFE_LINES = 500;

/** What a decision on a connection sees. */
export function viewOf(image: Image, { connection }: Row): View | undefined {
  const client = image.clients.get(connection.clientId);
  if (client === undefined) return undefined;
  const { tokenEndpoint } = client;
  const endpoint = image.endpoints.get(tokenEndpoint) ?? freshEndpoint(tokenEndpoint);
  return { connection, client, endpoint };
}

/** The image once a decision is applied. */
export function apply(image: Image, row: Row, view: View, change: Change<unknown>): Image {
  const { connection } = row;
  const next = withRow(image, {
    connection: { ...connection, ...change.connection },
    life: [...row.life, ...(change.life ?? [])].slice(-LIFE_LINES),
    leftovers: (change.leftovers ?? []).reduce(withLeftover, row.leftovers),
  });
  const clients = new Map(image.clients);
  if (change.client !== undefined && Object.keys(change.client).length > 0) {
    for (const client of registered(image, view.client)) {
      clients.set(client.id, { ...client, ...change.client });
    }
  }
  const endpoints = new Map(image.endpoints);
  if (change.endpoint !== undefined) endpoints.set(change.endpoint.endpoint, change.endpoint);
  const unsayable = change.notices?.find(({ message }) => typeof message !== 'string');
  if (unsayable !== undefined) throw new TypeError('a notice says nothing');
  let { lastNoticeId } = image;
  const notices = (change.notices ?? []).map((notice) => ({
    ...notice,
    id: ++lastNoticeId,
    connectionId: connection.id,
    reservedUntil: 0,
    delivered: false,
  }));
  return { ...next, clients, endpoints, lastNoticeId, notices: [...image.notices, ...notices] };
}

function withLeftover(before: readonly Leftover[], added: Leftover): readonly Leftover[] {
  const others = before.filter(({ attemptId }) => attemptId !== added.attemptId);
  if (added.kind !== 'quarantine') return [...others, added];
  const unread = others.filter(({ kind }) => kind === 'quarantine').sort((a, b) => b.at - a.at);
  const gone = new Set(unread.slice(MOST_UNREAD - 1));
  return [...others.filter((old) => !gone.has(old)), added];
}

/** The image with one row replaced or added. */
export function withRow(image: Image, row: Row): Image {
  return { ...image, rows: new Map(image.rows).set(row.connection.id, row) };
}

/** When the next step of each connection is due. */
export function steps(image: Image): (Due & { at: number; expiresAt: number })[] {
  return [...image.rows.values()].flatMap(({ connection }) => {
    const { id: connectionId, clientId, tokens } = connection;
    const at = nextStepAt(connection);
    const client = image.clients.get(clientId);
    if (at === undefined || client === undefined || client.refusedAt !== undefined) return [];
    const { tokenEndpoint: endpoint } = client;
    return [{ connectionId, endpoint, at, expiresAt: tokens?.accessExpiresAt ?? 0 }];
  });
}

/** All clients of one registration. */
export function registered(
  image: Image,
  { tokenEndpoint, clientId }: Pick<ClientRecord, 'tokenEndpoint' | 'clientId'>,
): readonly ClientRecord[] {
  return [...image.clients.values()].filter(
    (client) => client.tokenEndpoint === tokenEndpoint && client.clientId === clientId,
  );
}

/** Whether two clients are one to the store. */
export function isSameClient(one: ClientRecord, other: ClientRecord): boolean {
  const facts = ({
    provider,
    clientId,
    tokenEndpoint,
    authentication,
    overrides,
  }: ClientRecord): unknown => [provider, clientId, tokenEndpoint, authentication, overrides];
  return isDeepStrictEqual(facts(one), facts(other));
}

/** The row of a name. */
export function byName(image: Image, name: string): Row | undefined {
  return [...image.rows.values()].find(({ connection }) => connection.name === name);
}

/** @throws ConfigurationError `ERR_CONNECTION_EXISTS` when the name is in use. */
export function refuseTakenName(image: Image, name: string): void {
  if (byName(image, name) === undefined) return;
  throw new ConfigurationError('ERR_CONNECTION_EXISTS', `a connection named ${name} exists`);
}

/** Whether a message may be delivered now by whoever asks. */
export function isFree({ delivered, reservedUntil }: StoredNotice, now: number): boolean {
  const isReserved = reservedUntil > now && reservedUntil <= now + LONGEST_RESERVATION_MS;
  return !delivered && !isReserved;
}

/** A message as the store hands it out. */
export function noticeOf(image: Image, notice: StoredNotice): Notice {
  const { connectionId, reservedUntil: _reserved, delivered: _delivered, ...rest } = notice;
  return { ...rest, connection: image.rows.get(connectionId)?.connection.name };
}
