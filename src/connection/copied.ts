import { NO_BACKOFF } from './gate.ts';
import type { ConnectionRecord, ConnectionState } from './record.ts';
import { moveTo, standing } from './states.ts';

/*
 * A store that was copied or restored holds refresh tokens that may have been used elsewhere since. Where that would revoke a grant, they
 * are left alone until the operator says that nothing else uses them.
 */

/** Why a connection is held; also how it is told from one whose answer was lost. */
export const COPIED =
  'the store was copied or restored, so its refresh token may have been used elsewhere since';

/** What to do about it. */
export const COPIED_REMEDY =
  'if nothing else uses this connection any more: evergrant doctor --accept-copy; otherwise sign in again';

type Change = Partial<Omit<ConnectionRecord, 'id'>>;

/** What a copy means for a connection. Its claim belongs to the original; a fragile refresh token is held. */
export function holdCopied(connection: ConnectionRecord, isFragile: boolean, now: number): Change {
  const { state, tokens } = connection;
  const before = standing(state);
  const mayBeSent = before.kind === 'active' || before.kind === 'uncertain';
  const released = { claim: undefined };
  if (!isFragile || !mayBeSent || tokens?.refreshToken === undefined) return released;
  const held = { kind: 'uncertain', since: now, reason: COPIED, lastTry: false } as const;
  return { ...released, state: moveTo(state, held), backoff: NO_BACKOFF };
}

/** What the operator's word means for a connection; undefined when it was not held for a copy. */
export function releaseCopied({ state }: ConnectionRecord): Change | undefined {
  return isHeldCopy(state) ? { state: moveTo(state, { kind: 'active' }) } : undefined;
}

/** Tells whether a connection is held because its store is a copy. */
export function isHeldCopy(state: ConnectionState): boolean {
  const before = standing(state);
  return before.kind === 'uncertain' && before.reason === COPIED;
}
