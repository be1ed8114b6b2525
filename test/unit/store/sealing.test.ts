import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { SealContext } from '../../../src/connection/secrets.ts';
import { StoreError } from '../../../src/errors.ts';
import {
  createDataKey,
  DataKeys,
  dataKeyIdOf,
  unwrapDataKey,
  wrapDataKey,
  type WrappedDataKey,
} from '../../../src/store/sealing.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { timesAsMuch } from '../../support/times.ts';

const TIMES = timesAsMuch();
vi.setConfig({ testTimeout: 90_000 * TIMES });

const STORE = 'store-1';
const MASTER = systemRandom.bytes(32);
const FIRST = createDataKey(systemRandom, MASTER, STORE);
const TOKEN: SealContext = { record: 'connection-1', field: 'refreshToken', generation: 7 };

function dataKeys(
  storeId = STORE,
  master: Uint8Array = MASTER,
  kept: readonly WrappedDataKey[] = [FIRST],
): DataKeys {
  const [first = FIRST] = kept;
  const current = kept.at(-1) ?? first;
  return new DataKeys(systemRandom, master, storeId, { first, current }, (id) =>
    kept.find((key) => key.id === id),
  );
}

/** The code of the StoreError that `run` throws; any other outcome is told as it is. */
function refusal(run: () => unknown): string {
  try {
    run();
    return 'opened';
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error);
  }
}

const contexts: fc.Arbitrary<SealContext> = fc.record({
  record: fc.string(),
  field: fc.string(),
  generation: fc.nat(),
});

describe('a sealed value', () => {
  it('opens in its own place to what was sealed', () => {
    const keys = dataKeys();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4_096 }), contexts, (plain, context) => {
        const sealed = keys.seal(plain, context);
        expect(Buffer.from(keys.open(sealed, context)).equals(plain)).toBe(true);
      }),
      { numRuns: 500 * TIMES },
    );
    expect(Buffer.from(keys.open(keys.seal('grüße', TOKEN), TOKEN)).toString()).toBe('grüße');
  });

  it('does not hold what was sealed', () => {
    const sealed = Buffer.from(dataKeys().seal('a refresh token', TOKEN));
    expect(sealed.includes('refresh')).toBe(false);
  });

  it('is refused when any bit is flipped', () => {
    const keys = dataKeys();
    const sealed = keys.seal('a refresh token', TOKEN);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = Buffer.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(refusal(() => keys.open(altered, TOKEN))).toMatch(
        /^ERR_(STORE_DAMAGED|KEY_MISSING)$/u,
      );
    }
  });

  it('is refused when it is cut, grown or overwritten anywhere', () => {
    const keys = dataKeys();
    const sealed = Buffer.from(keys.seal('a refresh token', TOKEN));
    const place = fc.nat(sealed.length);
    const mutation = fc.tuple(place, place, fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(mutation, ([from, until, bytes]) => {
        const altered = Buffer.concat([sealed.subarray(0, from), bytes, sealed.subarray(until)]);
        fc.pre(!altered.equals(sealed));
        expect(refusal(() => keys.open(altered, TOKEN))).toMatch(
          /^ERR_(STORE_DAMAGED|KEY_MISSING)$/u,
        );
      }),
      { numRuns: 5_000 * TIMES },
    );
  });

  it('is refused at every length short of its own', () => {
    const keys = dataKeys();
    const sealed = keys.seal('a refresh token', TOKEN);
    for (let length = 0; length < sealed.length; length++) {
      expect(refusal(() => keys.open(sealed.subarray(0, length), TOKEN))).toMatch(/^ERR_/u);
    }
  });

  it('is refused in any other record, field or generation', () => {
    const keys = dataKeys();
    fc.assert(
      fc.property(contexts, contexts, (mine, other) => {
        fc.pre(JSON.stringify(mine) !== JSON.stringify(other));
        const sealed = keys.seal('a token', mine);
        expect(refusal(() => keys.open(sealed, other))).toBe('ERR_STORE_DAMAGED');
      }),
      { numRuns: 2_000 * TIMES },
    );
  });

  it.each<[string, Partial<SealContext>]>([
    ['another connection', { record: 'connection-2' }],
    ['another field', { field: 'accessToken' }],
    ['an older generation', { generation: 6 }],
    ['a newer generation', { generation: 8 }],
    ['a boundary between names moved', { record: 'connection-1r', field: 'efreshToken' }],
  ])('is refused when swapped into %s', (_what, change) => {
    const keys = dataKeys();
    const sealed = keys.seal('a token', TOKEN);
    expect(refusal(() => keys.open(sealed, { ...TOKEN, ...change }))).toBe('ERR_STORE_DAMAGED');
  });

  it('is refused when an older value of the same field is rolled back to', () => {
    const keys = dataKeys();
    const older = keys.seal('used up', { ...TOKEN, generation: 6 });
    expect(refusal(() => keys.open(older, TOKEN))).toBe('ERR_STORE_DAMAGED');
  });

  it('is refused in another store, even one that has the same data key', () => {
    const key = unwrapDataKey(MASTER, STORE, FIRST);
    const moved = wrapDataKey(systemRandom, MASTER, 'store-2', FIRST.id, key);
    const sealed = dataKeys().seal('a token', TOKEN);
    const other = dataKeys('store-2', MASTER, [moved]);
    expect(refusal(() => other.open(sealed, TOKEN))).toBe('ERR_STORE_DAMAGED');
  });

  it('is refused under another key id, even of the same key', () => {
    const key = unwrapDataKey(MASTER, STORE, FIRST);
    const alias = wrapDataKey(systemRandom, MASTER, STORE, '00112233445566ff', key);
    const keys = dataKeys(STORE, MASTER, [FIRST, alias]);
    const sealed = Buffer.from(dataKeys().seal('a token', TOKEN));
    sealed.set(Buffer.from(alias.id, 'hex'), 1);
    expect(dataKeyIdOf(sealed)).toBe(alias.id);
    expect(refusal(() => keys.open(sealed, TOKEN))).toBe('ERR_STORE_DAMAGED');
  });

  it('tells the key that is missing when its data key is gone', () => {
    const lost = createDataKey(systemRandom, MASTER, STORE);
    const sealed = dataKeys(STORE, MASTER, [FIRST, lost]).seal('a token', TOKEN);
    expect(refusal(() => dataKeys().open(sealed, TOKEN))).toBe('ERR_KEY_MISSING');
  });

  it('opens with the data key that travelled with it, unless the master key is another', () => {
    const lost = createDataKey(systemRandom, MASTER, STORE);
    const sealed = dataKeys(STORE, MASTER, [FIRST, lost]).seal('a token', TOKEN);
    expect(Buffer.from(dataKeys().open(sealed, TOKEN, lost)).toString()).toBe('a token');
    const forged = createDataKey(systemRandom, systemRandom.bytes(32), STORE);
    const travelled = { id: lost.id, wrapped: forged.wrapped };
    expect(refusal(() => dataKeys().open(sealed, TOKEN, travelled))).toBe('ERR_KEY_WRONG');
  });

  it('never repeats a nonce, nor a whole value, over 100,000 sealings of the same', () => {
    const keys = dataKeys();
    const sealings = 100_000 * TIMES;
    const nonces = new Set<string>();
    const values = new Set<string>();
    for (let i = 0; i < sealings; i++) {
      const sealed = Buffer.from(keys.seal('the same', TOKEN));
      nonces.add(sealed.subarray(9, 21).toString('hex'));
      values.add(sealed.toString('hex'));
    }
    expect(nonces.size).toBe(sealings);
    expect(values.size).toBe(sealings);
  });
});

describe('a wrapped data key', () => {
  it('opens under no other master key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (other) => {
        expect(refusal(() => dataKeys(STORE, other))).toBe('ERR_KEY_WRONG');
      }),
    );
  });

  it('opens in no other store and under no other id', () => {
    expect(refusal(() => unwrapDataKey(MASTER, 'store-2', FIRST))).toBe('ERR_KEY_WRONG');
    const renamed = { id: '00112233445566ff', wrapped: FIRST.wrapped };
    expect(refusal(() => unwrapDataKey(MASTER, STORE, renamed))).toBe('ERR_KEY_WRONG');
  });

  it('does not open when its nonce, body or tag is altered, or when it is cut', () => {
    for (let at = 9; at < FIRST.wrapped.length; at++) {
      const wrapped = Buffer.from(FIRST.wrapped);
      wrapped[at] = (wrapped[at] ?? 0) ^ 0x10;
      expect(refusal(() => unwrapDataKey(MASTER, STORE, { ...FIRST, wrapped }))).toBe(
        'ERR_KEY_WRONG',
      );
      const cut = FIRST.wrapped.subarray(0, at);
      expect(refusal(() => unwrapDataKey(MASTER, STORE, { ...FIRST, wrapped: cut }))).toBe(
        'ERR_KEY_WRONG',
      );
    }
  });

  it('stays the same key when it is wrapped under another master key', () => {
    const other = systemRandom.bytes(32);
    const keys = dataKeys();
    const sealed = keys.seal('a token', TOKEN);
    const moved = dataKeys(STORE, other, [keys.rewrap(FIRST.id, other)]);
    expect(Buffer.from(moved.open(sealed, TOKEN)).toString()).toBe('a token');
    expect(moved.fingerprint('a token')).toBe(keys.fingerprint('a token'));
  });
});

describe('known answers, computed by another implementation of AES-256-GCM', () => {
  const range = (from: number, length: number): Uint8Array =>
    Uint8Array.from({ length }, (_, i) => from + i);
  const master = range(0, 32);
  const wrapped = Buffer.from(
    '010011223344556677000102030405060708090a0b6723f438e1c0e43ca568bda09dc45642b3e7b507c44e694b005edfbe21543e8d8c4523bc0ea58197e71290979ff00938',
    'hex',
  );
  const sealed = Buffer.from(
    '0100112233445566776465666768696a6b6c6d6e6fd44dfcb6b9c391beb474abb7e172f0c28b2031e7301003adfcf9f462f49189',
    'hex',
  );
  const first: WrappedDataKey = { id: '0011223344556677', wrapped };

  it('are opened', () => {
    expect(Buffer.from(unwrapDataKey(master, STORE, first)).equals(range(32, 32))).toBe(true);
    const keys = dataKeys(STORE, master, [first]);
    expect(Buffer.from(keys.open(sealed, TOKEN)).toString()).toBe('a refresh token');
  });

  it('are made, from the same nonces', () => {
    const random = { ...systemRandom, bytes: (length: number) => range(0, length) };
    const again = wrapDataKey(random, master, STORE, first.id, range(32, 32));
    expect(Buffer.from(again.wrapped).toString('hex')).toBe(wrapped.toString('hex'));
    const nonce = { ...systemRandom, bytes: (length: number) => range(100, length) };
    const keys = new DataKeys(nonce, master, STORE, { first, current: first }, () => undefined);
    const value = keys.seal('a refresh token', TOKEN);
    expect(Buffer.from(value).toString('hex')).toBe(sealed.toString('hex'));
  });
});
