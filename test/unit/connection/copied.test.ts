import { describe, expect, it } from 'vitest';
import {
  COPIED,
  COPIED_REMEDY,
  holdCopied,
  isHeldCopy,
  releaseCopied,
} from '../../../src/connection/copied.ts';
import { NO_BACKOFF } from '../../../src/connection/gate.ts';
import type { ConnectionRecord, ConnectionState } from '../../../src/connection/record.ts';
import { NOW, someConnection, someTokens } from '../../support/views.ts';

/** A state that a pause can cover. */
type Covered = Exclude<ConnectionState, { readonly kind: 'paused' | 'disconnected' }>;

const active: Covered = { kind: 'active' };
const uncertain: Covered = { kind: 'uncertain', since: 1, reason: 'lost', lastTry: true };
const attention: ConnectionState = {
  kind: 'attention',
  since: 1,
  actor: 'owner',
  code: 'ERR_GRANT_REFUSED',
  reason: COPIED,
  remedy: 'sign in',
};
const held: Covered = { kind: 'uncertain', since: NOW, reason: COPIED, lastTry: false };
const heldInDoubt: Covered = { ...held, before: uncertain };

function paused(before: Covered): ConnectionState {
  return { kind: 'paused', since: 2, before };
}

describe('in a copied store', () => {
  it.each<[string, ConnectionState, ConnectionState]>([
    ['that is active', active, held],
    ['that was uncertain already', uncertain, heldInDoubt],
    ['that was held before, as a copy of this one', { ...heldInDoubt, since: 1 }, heldInDoubt],
    ['that is paused', paused(active), paused(held)],
  ])('a connection %s is held until a person says that it is the only one', (_w, state, after) => {
    const backoff = { failures: 3, notBefore: NOW + 1 };
    expect(holdCopied(someConnection({ state, backoff }), true, NOW)).toEqual({
      claim: undefined,
      state: after,
      backoff: NO_BACKOFF,
    });
  });

  it.each<[string, Partial<ConnectionRecord>, boolean]>([
    ['whose refresh token may be used twice', {}, false],
    ['without a refresh token', { tokens: someTokens({ refreshToken: undefined }) }, true],
    ['without tokens', { tokens: undefined }, true],
    ['that is stopped anyway', { state: attention }, true],
    ['that is disconnected', { state: { kind: 'disconnected', since: 1 } }, true],
  ])('a connection %s loses only the claim of the original', (_what, change, isFragile) => {
    const after = holdCopied(someConnection(change), isFragile, NOW);
    expect(after).toStrictEqual({ claim: undefined });
  });

  it('people are told of a held connection what happened and what to do', () => {
    expect(COPIED).toMatch(/copied or restored.*may have been used elsewhere/);
    expect(COPIED_REMEDY).toMatch(/evergrant doctor --accept-copy.*sign in again/);
  });
});

describe('a person’s word that a copy is the only one', () => {
  it.each<[string, ConnectionState, ConnectionState | undefined]>([
    ['frees a held connection', held, active],
    ['frees a held one beneath its pause', paused(held), paused(active)],
    ['leaves one in doubt whose answer was lost before', heldInDoubt, uncertain],
    ['says nothing of one that is active', active, undefined],
    ['says nothing of one whose answer was lost', uncertain, undefined],
    ['says nothing of one that is refused', attention, undefined],
    ['says nothing of a paused one that was not held', paused(uncertain), undefined],
  ])('%s', (_what, state, after) => {
    expect(isHeldCopy(state)).toBe(after !== undefined);
    const change = releaseCopied(someConnection({ state }));
    expect(change).toEqual(after === undefined ? undefined : { state: after });
  });
});
