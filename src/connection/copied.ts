import { NO_BACKOFF } from './gate.ts';
import type { ConnectionRecord, ConnectionState, Uncertain } from './record.ts';
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
  const held: Uncertain = { kind: 'uncertain', since: now, reason: COPIED, lastTry: false };
  const doubted = before.kind === 'uncertain' && isHeld(before) ? before.before : before;
  const next = doubted?.kind === 'uncertain' ? { ...held, before: doubted } : held;
  return { ...released, state: moveTo(state, next), backoff: NO_BACKOFF };
}

/** What the operator's word means for a connection; undefined when it was not held for a copy. A doubt from before stays. */
export function releaseCopied({ state }: ConnectionRecord): Change | undefined {
  const held = standing(state);
  return isHeld(held) ? { state: moveTo(state, held.before ?? { kind: 'active' }) } : undefined;
}

/** Tells whether a connection is held because its store is a copy. */
export function isHeldCopy(state: ConnectionState): boolean {
  return isHeld(standing(state));
}

function isHeld(state: ConnectionState): state is Uncertain {
  return state.kind === 'uncertain' && state.reason === COPIED;
}
