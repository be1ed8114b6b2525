import { sabotaged } from '#failpoints';
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import { StoreError } from '../errors.ts';
import type { Random } from '../system/random.ts';
import type { SealContext, Sealer } from '../connection/secrets.ts';

/*
 * AES-256-GCM, one random nonce a sealing. A sealed value is: version (1 byte), id of the data key (8), nonce (12), ciphertext, tag (16).
 * The additional data binds it to store, record, field, generation and key id, so a value that is moved elsewhere does not open. Data
 * keys lie in the store, wrapped by a master key that does not.
 */

const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/** A data key as the store keeps it. */
export interface WrappedDataKey {
  /** Sixteen hex digits. */
  readonly id: string;
  /** The key, sealed by the master key. */
  readonly wrapped: Uint8Array;
}

/** Id of the data key that a sealed value names. */
export function dataKeyIdOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(1, 1 + KEY_ID_BYTES)).toString('hex');
}

/** Makes a data key and wraps it. */
export function createDataKey(
  random: Random,
  masterKey: Uint8Array,
  storeId: string,
): WrappedDataKey {
  const id = Buffer.from(random.bytes(KEY_ID_BYTES)).toString('hex');
  return wrapDataKey(random, masterKey, storeId, id, random.bytes(32));
}

/** Wraps a data key under a master key. */
export function wrapDataKey(
  random: Random,
  masterKey: Uint8Array,
  storeId: string,
  id: string,
  key: Uint8Array,
): WrappedDataKey {
  const wrapped = encrypt(masterKey, id, key, wrapContext(storeId, id), random);
  return { id, wrapped };
}

/**
 * Unwraps a data key.
 *
 * @throws {@link StoreError} `ERR_KEY_WRONG` when the master key is not the one it was wrapped with.
 */
export function unwrapDataKey(
  masterKey: Uint8Array,
  storeId: string,
  key: WrappedDataKey,
): Uint8Array {
  const plain = decrypt(masterKey, key.wrapped, wrapContext(storeId, key.id));
  if (plain !== undefined) return plain;
  throw new StoreError(
    'ERR_KEY_WRONG',
    'the master key does not open this store; restore the key that belongs to it, or, if this is the one, a backup of the store',
  );
}

/** Where the wrapped data keys of a store are looked up. */
export type DataKeyLookup = (id: string) => WrappedDataKey | undefined;

/** The data keys of an open store, unwrapped as they are met. */
export class DataKeys implements Sealer {
  readonly #random: Random;
  readonly #storeId: string;
  readonly #lookup: DataKeyLookup;
  /** As Node wants them: bytes would be made into such an object at every use. */
  readonly #keys = new Map<string, KeyObject>();
  readonly #fingerprintKey: KeyObject;
  readonly #macKey: KeyObject;
  #masterKey: Uint8Array;
  #isOpen = false;
  #current: WrappedDataKey;

  /**
   * @param keys - `first`: the store's oldest data key, from which fingerprints and MACs derive for good; `current`: the one to seal with.
   * @throws {@link StoreError} `ERR_KEY_WRONG` as {@link unwrapDataKey}.
   */
  constructor(
    random: Random,
    masterKey: Uint8Array,
    storeId: string,
    keys: { readonly first: WrappedDataKey; readonly current: WrappedDataKey },
    lookup: DataKeyLookup,
  ) {
    this.#random = random;
    this.#masterKey = masterKey;
    this.#storeId = storeId;
    this.#lookup = lookup;
    this.#current = keys.current;
    const first = unwrapDataKey(masterKey, storeId, keys.first);
    this.#keys.set(keys.first.id, createSecretKey(first));
    this.#key(keys.current.id, keys.current);
    const derive = (use: string): KeyObject =>
      createSecretKey(createHmac('sha256', first).update(`${use} ${storeId}`).digest());
    this.#fingerprintKey = derive('fingerprint');
    this.#macKey = derive('mac');
    this.#isOpen = true;
  }

  /** Id of the key that new values are sealed with. */
  get currentId(): string {
    return this.#current.id;
  }

  /** Seals with this key from now on. */
  use(key: WrappedDataKey): void {
    this.#key(key.id, key);
    this.#current = key;
  }

  /** Makes another data key for the store, under its master key. */
  create(): WrappedDataKey {
    return createDataKey(this.#random, this.#masterKey, this.#storeId);
  }

  /** The same data key, wrapped under another master key. */
  rewrap(id: string, masterKey: Uint8Array): WrappedDataKey {
    return wrapDataKey(this.#random, masterKey, this.#storeId, id, this.#key(id).export());
  }

  /** Goes on under another master key, once the data keys in the store are wrapped by it. */
  moveTo(masterKey: Uint8Array): void {
    this.#current = this.rewrap(this.#current.id, masterKey);
    this.#masterKey = masterKey;
  }

  /** Seals under the current data key. */
  seal(plain: string | Uint8Array, context: SealContext): Uint8Array {
    const { id } = this.#current;
    const bytes = typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain;
    return encrypt(this.#key(id), id, bytes, this.#additional(context, id), this.#random);
  }

  /** @throws {@link StoreError} as {@link Sealer.open} */
  open(sealed: Uint8Array, context: SealContext, dataKey?: WrappedDataKey): Uint8Array {
    const id = dataKeyIdOf(sealed);
    const travelled = dataKey?.id === id ? dataKey : undefined;
    const key = this.#key(id, travelled);
    const plain = decrypt(key, sealed, this.#additional(context, id));
    if (plain !== undefined) return plain;
    throw new StoreError(
      'ERR_STORE_DAMAGED',
      `the stored ${context.field} of ${context.record} was altered or belongs elsewhere; restore a backup or connect again`,
    );
  }

  /** Keyed digest of a token, eight hex digits. */
  fingerprint(token: string): string {
    return createHmac('sha256', this.#fingerprintKey).update(token).digest('hex').slice(0, 8);
  }

  /** Keyed digest of plain data, sixteen bytes: tells whether it is what this store wrote. */
  mac(data: string): Uint8Array {
    return createHmac('sha256', this.#macKey).update(data).digest().subarray(0, 16);
  }

  /** Id and wrapped bytes of the current data key. */
  wrappedDataKey(): WrappedDataKey {
    return this.#current;
  }

  #key(id: string, travelled?: WrappedDataKey): KeyObject {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const wrapped = this.#lookup(id) ?? travelled;
    if (wrapped === undefined) {
      throw new StoreError(
        'ERR_KEY_MISSING',
        `the data key ${id} is not in the store; restore a backup that holds it`,
      );
    }
    const key = createSecretKey(this.#unwrap(wrapped));
    this.#keys.set(id, key);
    return key;
  }

  /** The master key opened the store once, so it is not the wrong one; but it may be the one before. */
  #unwrap(key: WrappedDataKey): Uint8Array {
    try {
      return unwrapDataKey(this.#masterKey, this.#storeId, key);
    } catch (cause) {
      if (!this.#isOpen) throw cause;
      throw new StoreError(
        'ERR_KEY_WRONG',
        `the data key ${key.id} does not open: another process changed the master key since this one opened the store, or the data key is damaged; open it again, and restore a backup where that does not help`,
        { cause },
      );
    }
  }

  #additional(context: SealContext, keyId: string): Uint8Array {
    if (sabotaged('seal-binding')) return new Uint8Array();
    const { record, field, generation } = context;
    return Buffer.from(JSON.stringify([this.#storeId, record, field, generation, keyId]), 'utf8');
  }
}

function wrapContext(storeId: string, keyId: string): Uint8Array {
  return Buffer.from(JSON.stringify([storeId, 'data-key', keyId]), 'utf8');
}

function encrypt(
  key: Uint8Array | KeyObject,
  keyId: string,
  plain: Uint8Array,
  additional: Uint8Array,
  random: Random,
): Uint8Array {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(additional);
  const head = [Buffer.from([VERSION]), Buffer.from(keyId, 'hex'), nonce];
  return Buffer.concat([...head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(
  key: Uint8Array | KeyObject,
  sealed: Uint8Array,
  additional: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < HEADER_BYTES + TAG_BYTES || sealed[0] !== VERSION) return undefined;
  const nonce = sealed.subarray(1 + KEY_ID_BYTES, HEADER_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(additional);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    const body = sealed.subarray(HEADER_BYTES, sealed.length - TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch {
    return undefined;
  }
}
