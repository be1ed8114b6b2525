import { StoreError } from '../../errors.ts';
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

/*
 * Between records and rows. Sealed values have columns of their own; what is only ever read whole is JSON.
 */

/** A value that SQLite takes. */
export type Cell = string | number | null | Uint8Array;

/** A row as node:sqlite hands it out. */
export type Row = Readonly<Record<string, Cell | bigint>>;

/** Column values of a connection, by name. */
export function connectionCells(record: ConnectionRecord): Record<string, Cell> {
  const { tokens } = record;
  return {
    id: record.id,
    name: record.name,
    client: record.clientId,
    grant_id: record.grantId,
    generation: record.generation,
    state: JSON.stringify(record.state),
    facts: JSON.stringify({
      beginning: record.beginning,
      subject: record.subject,
      scopes: record.scopes,
      perspioTenantId: record.perspioTenantId,
      createdAt: record.createdAt,
    }),
    token_set: tokens === undefined ? null : JSON.stringify(withoutSecrets(tokens)),
    access_token: tokens?.accessToken ?? null,
    refresh_token: tokens?.refreshToken ?? null,
    id_token: tokens?.idToken ?? null,
    subscription_key: record.subscriptionKey ?? null,
    claim: optionalJson(record.claim),
    intent: optionalJson(record.intent),
    backoff: JSON.stringify(record.backoff),
    last_error: optionalJson(record.lastError),
    next_step_at: nextStepAt(record) ?? null,
    access_expires_at: tokens?.accessExpiresAt ?? null,
  };
}

/** Reads a connection's row. */
export function connectionOf(row: Row): ConnectionRecord {
  const facts = parseJson(text(row, 'facts'), 'facts') as Pick<
    ConnectionRecord,
    'beginning' | 'subject' | 'scopes' | 'perspioTenantId' | 'createdAt'
  >;
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
    state: parseJson(text(row, 'state'), 'state') as ConnectionRecord['state'],
    claim: parsed(row, 'claim') as ConnectionRecord['claim'],
    intent: parsed(row, 'intent') as ConnectionRecord['intent'],
    backoff: parseJson(text(row, 'backoff'), 'backoff') as ConnectionRecord['backoff'],
    lastError: parsed(row, 'last_error') as ConnectionRecord['lastError'],
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
    overrides: JSON.stringify(client.overrides),
    secret: client.secret ?? null,
    secret_expires_at: client.secretExpiresAt ?? null,
    revision: client.revision,
    refused_at: client.refusedAt ?? null,
    refusal: client.refusal ?? null,
  };
}

/** Reads a client's row. */
export function clientOf(row: Row): ClientRecord {
  return {
    id: text(row, 'id'),
    provider: text(row, 'provider'),
    clientId: text(row, 'client_id'),
    tokenEndpoint: text(row, 'token_endpoint'),
    authentication: text(row, 'authentication') as ClientRecord['authentication'],
    overrides: parseJson(text(row, 'overrides'), 'overrides') as ClientRecord['overrides'],
    secret: blob(row, 'secret'),
    secretExpiresAt: optionalNumber(row, 'secret_expires_at'),
    revision: number(row, 'revision'),
    refusedAt: optionalNumber(row, 'refused_at'),
    refusal: optionalText(row, 'refusal'),
  };
}

/** Reads an endpoint's row. */
export function endpointOf(row: Row): EndpointState {
  return parseJson(text(row, 'state'), 'state') as EndpointState;
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

/** A text column. @throws {@link StoreError} `ERR_STORE_DAMAGED` when it holds none */
export function text(row: Row, column: string): string {
  const cell = row[column];
  if (typeof cell !== 'string') throw damaged(`column ${column} holds no text`);
  return cell;
}

/** A number column. @throws {@link StoreError} `ERR_STORE_DAMAGED` when it holds none */
export function number(row: Row, column: string): number {
  const cell = row[column];
  if (typeof cell !== 'number') throw damaged(`column ${column} holds no number`);
  return cell;
}

/** Reads JSON that the store wrote. @throws {@link StoreError} `ERR_STORE_DAMAGED` when it is none */
export function parseJson(json: string, column: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw damaged(`column ${column} holds no JSON`);
  }
}

function damaged(fact: string): StoreError {
  return new StoreError(
    'ERR_STORE_DAMAGED',
    `the store is damaged: ${fact}; restore a backup, nothing was changed`,
  );
}

function withoutSecrets(tokens: TokenSet): Partial<TokenSet> {
  const { accessToken: _a, refreshToken: _r, idToken: _i, ...rest } = tokens;
  return rest;
}

function tokenSetOf(row: Row): TokenSet | undefined {
  const plain = optionalText(row, 'token_set');
  if (plain === undefined) return undefined;
  const rest = parseJson(plain, 'token_set') as Omit<
    TokenSet,
    'accessToken' | 'refreshToken' | 'idToken'
  >;
  return {
    ...rest,
    accessToken: blob(row, 'access_token'),
    refreshToken: blob(row, 'refresh_token'),
    idToken: blob(row, 'id_token'),
  };
}

function optionalText(row: Row, column: string): string | undefined {
  const cell = row[column];
  return typeof cell === 'string' ? cell : undefined;
}

function optionalNumber(row: Row, column: string): number | undefined {
  const cell = row[column];
  return typeof cell === 'number' ? cell : undefined;
}

function blob(row: Row, column: string): Uint8Array | undefined {
  const cell = row[column];
  return cell instanceof Uint8Array ? cell : undefined;
}

function optionalJson(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function parsed(row: Row, column: string): unknown {
  const cell = optionalText(row, column);
  return cell === undefined ? undefined : parseJson(cell, column);
}
