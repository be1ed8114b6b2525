import { describe, expect, it } from 'vitest';
import type { ConnectionRecord } from '../../../src/connection/record.ts';
import {
  clientSecretContext,
  leftoverContext,
  mapSealed,
  spillContext,
  subscriptionKeyContext,
  tokenContext,
  type SealContext,
} from '../../../src/connection/secrets.ts';
import { someConnection, someTokens } from '../../support/views.ts';

const full = someConnection({
  id: 'c',
  generation: 7,
  subscriptionKey: Uint8Array.of(4),
  tokens: someTokens({ idToken: Uint8Array.of(3) }),
});

/** Every sealed value of a record as its first byte, with what it is sealed to. */
function sealedOf(record: ConnectionRecord): (readonly [number | undefined, SealContext])[] {
  const seen: (readonly [number | undefined, SealContext])[] = [];
  mapSealed(record, (sealed, context) => {
    seen.push([sealed[0], context]);
    return sealed;
  });
  return seen;
}

describe('what a secret is sealed to', () => {
  it('is the same in every version, or else a store would not open after an update', () => {
    expect(tokenContext('c', 'accessToken', 7)).toEqual({
      record: 'c',
      field: 'accessToken',
      generation: 7,
    });
    expect(subscriptionKeyContext('c')).toEqual({
      record: 'c',
      field: 'subscriptionKey',
      generation: 0,
    });
    expect(clientSecretContext({ id: 'app', revision: 3 })).toEqual({
      record: 'app',
      field: 'clientSecret',
      generation: 3,
    });
    expect(leftoverContext('c', { kind: 'stray', grantId: 'g', attemptId: 'a' })).toEqual({
      record: 'c',
      field: 'stray of attempt a and grant g',
      generation: 0,
    });
    expect(spillContext('a')).toEqual({ record: 'a', field: 'spill', generation: 0 });
  });
});

describe('sealing a connection anew', () => {
  it('reaches every secret of it, each with its own context', () => {
    expect(sealedOf(full)).toEqual([
      [4, subscriptionKeyContext('c')],
      [1, tokenContext('c', 'accessToken', 7)],
      [2, tokenContext('c', 'refreshToken', 7)],
      [3, tokenContext('c', 'idToken', 7)],
    ]);
  });

  it('passes over what a connection does not have', () => {
    expect(sealedOf({ ...full, subscriptionKey: undefined, tokens: undefined })).toEqual([]);
    const bare = { ...full, tokens: someTokens({ accessToken: undefined }) };
    expect(sealedOf(bare).map(([byte]) => byte)).toEqual([4, 2]);
  });

  it('that changes nothing gives the record back as it is', () => {
    expect(mapSealed(full, (sealed) => sealed)).toBe(full);
  });

  it.each(['subscriptionKey', 'accessToken', 'refreshToken', 'idToken'])(
    'replaces %s alone where that alone changes',
    (field) => {
      const next = Uint8Array.of(9);
      const mapped = mapSealed(full, (sealed, context) =>
        context.field === field ? next : sealed,
      );
      expect(mapped).toEqual(
        field === 'subscriptionKey'
          ? { ...full, subscriptionKey: next }
          : { ...full, tokens: { ...full.tokens, [field]: next } },
      );
    },
  );
});
