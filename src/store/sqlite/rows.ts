import { nextStepAt } from '../../connection/schedule.ts';
import type {
  ClientRecord,
  ConnectionRecord,
  EndpointState,
  LifeEvent,
  Notice,
  TokenSet,
} from '../../connection/record.ts';
import type { Leftover } from '../../connection/decision.ts';
import { StoreError } from '../../errors.ts';

/*
 * Between records and rows. Sealed values have columns of their own; what is only ever read whole is JSON.
 */

/** A value that SQLite takes. */
export type Cell = string | number | null | Uint8Array;

/** A row as node:sqlite hands it out. */
export type Row = Readonly<Record<string, Cell | bigint>>;

/**
 * Column values of a connection, by name.
 *
 * @param before - an earlier state of it, whose cells are taken over for the members that are still the same objects.
 */
export function connectionCells(
  record: ConnectionRecord,
  before?: {
    readonly record: ConnectionRecord;
    readonly cells: Readonly<Record<string, Cell>>;
  },
): Record<string, Cell> {
  const { tokens } = record;
  const cell = (
    column: string,
    members: readonly (keyof ConnectionRecord)[],
    make: () => Cell,
  ): Cell => {
    const kept = before?.cells[column];
    const isSame = kept !== undefined && members.every((m) => before?.record[m] === record[m]);
    return isSame ? kept : make();
  };
  return {
    id: record.id,
    name: record.name,
    client: record.clientId,
    grant_id: record.grantId,
    generation: record.generation,
    state: cell('state', ['state'], () => JSON.stringify(record.state)),
    facts: cell('facts', FACTS, () => JSON.stringify(factsOf(record))),
    token_set: cell('token_set', ['tokens'], () => jsonOrNull(tokens && withoutSecrets(tokens))),
    access_token: tokens?.accessToken ?? null,
    refresh_token: tokens?.refreshToken ?? null,
    id_token: tokens?.idToken ?? null,
    subscription_key: record.subscriptionKey ?? null,
    claim: cell('claim', ['claim'], () => jsonOrNull(record.claim)),
    intent: cell('intent', ['intent'], () => jsonOrNull(record.intent)),
    backoff: cell('backoff', ['backoff'], () => JSON.stringify(record.backoff)),
    last_error: cell('last_error', ['lastError'], () => jsonOrNull(record.lastError)),
    next_step_at: nextStepAt(record) ?? null,
    access_expires_at: tokens?.accessExpiresAt ?? null,
  };
}

const FACTS = ['beginning', 'subject', 'scopes', 'perspioTenantId', 'createdAt'] as const;

function factsOf(record: ConnectionRecord): Pick<ConnectionRecord, (typeof FACTS)[number]> {
  const { beginning, subject, scopes, perspioTenantId, createdAt } = record;
  return { beginning, subject, scopes, perspioTenantId, createdAt };
}

/** Reads a connection's row. */
export function connectionOf(row: Row): ConnectionRecord {
  const facts = json(row, 'facts') as ReturnType<typeof factsOf>;
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    clientId: text(row, 'client'),
    beginning: facts.beginning,
    subject: facts.subject,
    scopes: { ...facts.scopes, refresh: facts.scopes.refresh },
    perspioTenantId: facts.perspioTenantId,
    subscriptionKey: blob(row, 'subscription_key'),
    grantId: text(row, 'grant_id'),
    generation: number(row, 'generation'),
    tokens: tokenSetOf(row),
    state: json(row, 'state') as ConnectionRecord['state'],
    claim: optionalJson(row, 'claim') as ConnectionRecord['claim'],
    intent: optionalJson(row, 'intent') as ConnectionRecord['intent'],
    backoff: json(row, 'backoff') as ConnectionRecord['backoff'],
    lastError: optionalJson(row, 'last_error') as ConnectionRecord['lastError'],
    createdAt: facts.createdAt,
  };
}

/** Column values of a client, by name. */
export function clientCells(client: ClientRecord): Record<string, Cell> {
  return {
    id: client.id,
    provider: client.provider,
    client_id: client.clientId,
    token_endpoint: client.tokenEndpoint,
    authentication: client.authentication,
    overrides: canonicalJson(client.overrides),
    secret: client.secret ?? null,
    secret_expires_at: client.secretExpiresAt ?? null,
    revision: client.revision,
    refused_at: client.refusedAt ?? null,
    refusal: client.refusal ?? null,
  };
}

/** JSON with members in order of name, so that equal data is equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** Reads a client's row. */
export function clientOf(row: Row): ClientRecord {
  return {
    id: text(row, 'id'),
    provider: text(row, 'provider'),
    clientId: text(row, 'client_id'),
    tokenEndpoint: text(row, 'token_endpoint'),
    authentication: text(row, 'authentication') as ClientRecord['authentication'],
    overrides: json(row, 'overrides') as ClientRecord['overrides'],
    secret: blob(row, 'secret'),
    secretExpiresAt: optionalNumber(row, 'secret_expires_at'),
    revision: number(row, 'revision'),
    refusedAt: optionalNumber(row, 'refused_at'),
    refusal: optionalText(row, 'refusal'),
  };
}

/** Reads an endpoint's row. */
export function endpointOf(row: Row): EndpointState {
  return json(row, 'state') as EndpointState;
}

/** Reads a line of history. */
export function lifeEventOf(row: Row): LifeEvent {
  return {
    at: number(row, 'at'),
    event: text(row, 'event'),
    grantId: text(row, 'grant_id'),
    generation: number(row, 'generation'),
    by: text(row, 'by_keeper'),
    fingerprint: optionalText(row, 'fingerprint'),
    detail: optionalText(row, 'detail'),
  };
}

/** Reads a message of the outbox, joined with its connection's name. */
export function noticeOf(row: Row): Notice {
  return {
    id: number(row, 'id'),
    connection: optionalText(row, 'name'),
    kind: text(row, 'kind'),
    actor: text(row, 'actor') as Notice['actor'],
    at: number(row, 'at'),
    message: text(row, 'message'),
  };
}

/** Reads a sealed leftover. */
export function leftoverOf(row: Row): Leftover {
  return {
    kind: text(row, 'kind') as Leftover['kind'],
    grantId: text(row, 'grant_id'),
    attemptId: text(row, 'attempt'),
    sealed: blob(row, 'sealed') ?? new Uint8Array(),
    at: number(row, 'at'),
  };
}

/** A text column. */
export function text(row: Row, column: string): string {
  const cell = row[column];
  if (typeof cell !== 'string') throw damaged(column);
  return cell;
}

/** A number column. */
export function number(row: Row, column: string): number {
  const cell = row[column];
  if (typeof cell !== 'number') throw damaged(column);
  return cell;
}

function withoutSecrets(tokens: TokenSet): Partial<TokenSet> {
  const { accessToken: _a, refreshToken: _r, idToken: _i, ...rest } = tokens;
  return rest;
}

function tokenSetOf(row: Row): TokenSet | undefined {
  const rest = optionalJson(row, 'token_set') as
    Omit<TokenSet, 'accessToken' | 'refreshToken' | 'idToken'> | undefined;
  if (rest === undefined) return undefined;
  return {
    ...rest,
    accessToken: blob(row, 'access_token'),
    refreshToken: blob(row, 'refresh_token'),
    idToken: blob(row, 'id_token'),
  };
}

/** A text column that may be NULL. */
export function optionalText(row: Row, column: string): string | undefined {
  const cell = row[column];
  return typeof cell === 'string' ? cell : undefined;
}

/** A number column that may be NULL. */
export function optionalNumber(row: Row, column: string): number | undefined {
  const cell = row[column];
  return typeof cell === 'number' ? cell : undefined;
}

function blob(row: Row, column: string): Uint8Array | undefined {
  const cell = row[column];
  return cell instanceof Uint8Array ? cell : undefined;
}

function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** A column of JSON, which only this folder writes. */
export function json(row: Row, column: string): unknown {
  const plain = text(row, column);
  try {
    return JSON.parse(plain);
  } catch {
    throw damaged(column);
  }
}

function optionalJson(row: Row, column: string): unknown {
  return optionalText(row, column) === undefined ? undefined : json(row, column);
}

function damaged(column: string): StoreError {
  return new StoreError(
    'ERR_STORE_DAMAGED',
    `the store holds something unreadable (column ${column}); restore a backup, nothing was changed`,
  );
}
