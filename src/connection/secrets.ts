import type { Leftover } from './decision.ts';
import type { ClientRecord, ConnectionRecord, Sealed, TokenSet } from './record.ts';

/*
 * What each secret is sealed to. Whoever seals and whoever opens must agree, so both ask here.
 */

/** What a secret is sealed to: it opens nowhere else. */
export interface SealContext {
  /** Id of the connection, client or attempt. */
  readonly record: string;
  /** Name of the field. */
  readonly field: string;
  /** Generation of the token set, or revision of the client's secret. */
  readonly generation: number;
}

/** Encrypts and decrypts for one store. */
export interface Sealer {
  /** Seals under the current data key. */
  seal(plain: string | Uint8Array, context: SealContext): Sealed;
  /**
   * Opens what was sealed to the same context.
   *
   * @param dataKey - the wrapped data key that travelled with it, for when the store has lost that key.
   * @throws {@link StoreError} `ERR_STORE_DAMAGED` when the bytes were altered or belong elsewhere, `ERR_KEY_MISSING` when their data key is gone.
   */
  open(
    sealed: Sealed,
    context: SealContext,
    dataKey?: { readonly id: string; readonly wrapped: Uint8Array },
  ): Uint8Array;
  /** Keyed digest, first eight hex digits: correlates a token without revealing it. */
  fingerprint(token: string): string;
  /** The data key in use, wrapped by the master key, to travel with a spill. */
  wrappedDataKey(): { readonly id: string; readonly wrapped: Uint8Array };
}

/** Names of the secrets of a token set. */
export type TokenField = 'accessToken' | 'refreshToken' | 'idToken';

/** All of them. */
export const TOKEN_FIELDS: readonly TokenField[] = ['accessToken', 'refreshToken', 'idToken'];

/** A token of one generation of a connection. */
export function tokenContext(
  connectionId: string,
  field: TokenField,
  generation: number,
): SealContext {
  return { record: connectionId, field, generation };
}

/** The API gateway's key of a connection. */
export function subscriptionKeyContext(connectionId: string): SealContext {
  return { record: connectionId, field: 'subscriptionKey', generation: 0 };
}

/** A client's secret. */
export function clientSecretContext(client: Pick<ClientRecord, 'id' | 'revision'>): SealContext {
  return { record: client.id, field: 'clientSecret', generation: client.revision };
}

/** What a leftover is, and of which attempt. */
export type LeftoverLabel = Pick<Leftover, 'kind' | 'grantId' | 'attemptId'>;

/** What an attempt left over: a token put away under one grant opens under no other, and not as another kind. */
export function leftoverContext(
  connectionId: string,
  { kind, grantId, attemptId }: LeftoverLabel,
): SealContext {
  const field = `${kind} of attempt ${attemptId} and grant ${grantId}`;
  return { record: connectionId, field, generation: 0 };
}

/** An answer that lies in a file of its own until the store takes it. */
export function spillContext(attemptId: string): SealContext {
  return { record: attemptId, field: 'spill', generation: 0 };
}

/** Runs `reseal` over every sealed value of a connection. @returns the same record when nothing changed. */
export function mapSealed(
  record: ConnectionRecord,
  reseal: (sealed: Uint8Array, context: SealContext) => Uint8Array,
): ConnectionRecord {
  const { id, generation, tokens, subscriptionKey } = record;
  const key =
    subscriptionKey === undefined ? undefined : reseal(subscriptionKey, subscriptionKeyContext(id));
  let set: TokenSet | undefined = tokens;
  for (const field of TOKEN_FIELDS) {
    const sealed = set?.[field];
    if (set === undefined || sealed === undefined) continue;
    const next = reseal(sealed, tokenContext(id, field, generation));
    if (next !== sealed) set = { ...set, [field]: next };
  }
  if (key === subscriptionKey && set === tokens) return record;
  return { ...record, subscriptionKey: key, tokens: set };
}
