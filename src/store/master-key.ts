import { scrypt } from 'node:crypto';
import { StoreError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { createPrivateFileWith, readPrivateFile } from '../system/files.ts';
import type { Random } from '../system/random.ts';

/** Where the master key, which is never in the store, comes from. */
export type MasterKeySource =
  /** An owner-only file in another folder than the store. */
  | { readonly kind: 'file'; readonly path: string }
  /** Derived from a passphrase by scrypt, RFC 7914. */
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }
  /** An entry of the operating system's keychain; needs the optional package `@napi-rs/keyring`. */
  | { readonly kind: 'keychain' };

/** What the store remembers of its master key; holds no secret. */
export type MasterKeyDescription =
  /** `id` differs for each master key that a store has had. */
  | { readonly kind: 'file' | 'keychain'; readonly id: string }
  /** `salt` in hex; `cost` is N of scrypt. */
  | {
      readonly kind: 'passphrase';
      readonly id: string;
      readonly salt: string;
      readonly cost: number;
    };

const KEY_BYTES = 32;
const FILE_PREFIX = 'evergrant-key-1:';
/** scrypt N for new stores; r is 8 and p is 1: 128 MiB and about half a second. */
const SCRYPT_COST = 2 ** 17;
/** What older and newer stores may have; more would stop the machine. */
const SCRYPT_COSTS = [14, 15, 16, 17, 18, 19, 20].map((exponent) => 2 ** exponent);

/**
 * Makes a master key, or takes the one that lies in a file already.
 *
 * @throws {@link StoreError} as {@link loadMasterKey}, and where the file cannot be written.
 */
export async function createMasterKey(
  source: MasterKeySource,
  random: Random,
  storeId: string,
): Promise<{ readonly key: Uint8Array; readonly description: MasterKeyDescription }> {
  const id = Buffer.from(random.bytes(8)).toString('hex');
  const description = describe(source, id, random);
  const fresh = Buffer.from(random.bytes(KEY_BYTES)).toString('base64url');
  if (source.kind === 'file') {
    await createPrivateFileWith(source.path, `${FILE_PREFIX}${fresh}\n`);
  } else if (source.kind === 'keychain') {
    (await keychainEntry(storeId, id)).setPassword(fresh);
  }
  return { key: await loadMasterKey(source, description, storeId), description };
}

function describe({ kind }: MasterKeySource, id: string, random: Random): MasterKeyDescription {
  if (kind !== 'passphrase') return { kind, id };
  return { kind, id, salt: Buffer.from(random.bytes(16)).toString('hex'), cost: SCRYPT_COST };
}

/**
 * Reads what a store remembers of its master key.
 *
 * @throws {@link StoreError} `ERR_STORE_DAMAGED` when it is nothing that evergrant wrote.
 */
export function readDescription(stored: string | undefined): MasterKeyDescription {
  const description = parse(stored);
  const { kind, id, salt, cost } = description;
  if (typeof id === 'string' && (kind === 'file' || kind === 'keychain')) return { kind, id };
  const isSound =
    typeof salt === 'string' && typeof cost === 'number' && SCRYPT_COSTS.includes(cost);
  if (typeof id === 'string' && kind === 'passphrase' && isSound) return { kind, id, salt, cost };
  throw new StoreError(
    'ERR_STORE_DAMAGED',
    'the store has lost what it knew of its master key; restore a backup, nothing was changed',
  );
}

function parse(stored: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(stored ?? 'null');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/**
 * Gets the master key of an existing store. Never makes one.
 *
 * @throws {@link StoreError} `ERR_KEY_MISSING` when it is not there or the source is of another kind than the store's; `ERR_KEY_WRONG` when what
 *   is there is no key; `ERR_STORE_UNSAFE` when others could have read it.
 */
export async function loadMasterKey(
  source: MasterKeySource,
  description: MasterKeyDescription,
  storeId: string,
): Promise<Uint8Array> {
  if (source.kind === 'passphrase' && description.kind === 'passphrase') {
    return derive(source.passphrase, description);
  }
  if (source.kind === 'file' && description.kind === 'file') return readKeyFile(source.path);
  if (source.kind === 'keychain' && description.kind === 'keychain') {
    const text = (await keychainEntry(storeId, description.id)).getPassword();
    if (text !== null) return decode(text, 'the keychain entry');
    throw new StoreError(
      'ERR_KEY_MISSING',
      'the keychain holds no key for this store; unlock it, or restore the entry',
    );
  }
  throw new StoreError(
    'ERR_KEY_MISSING',
    `this store is protected by a ${description.kind}, not by a ${source.kind}; ${HOW_GIVEN[description.kind]}`,
  );
}

/** At the command line; the library has the same ways in its option `key`. */
const HOW_GIVEN: Readonly<Record<MasterKeySource['kind'], string>> = {
  file: 'give none of the options for a passphrase or the keychain, and --key-file where the key is not at the usual place',
  passphrase: 'give it with --passphrase-file FILE or --ask-passphrase',
  keychain: 'give --keychain',
};

async function readKeyFile(path: string): Promise<Uint8Array> {
  return parseKeyFile(path, await readPrivateFile(path));
}

/**
 * The master key that a key file holds.
 *
 * @throws {@link StoreError} as {@link loadMasterKey}
 */
export function parseKeyFile(path: string, bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) {
    throw new StoreError(
      'ERR_KEY_MISSING',
      `the key file ${path} is missing; restore it from where you keep a copy, without it the store cannot be read`,
    );
  }
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (!text.startsWith(FILE_PREFIX)) {
    throw new StoreError('ERR_KEY_WRONG', `the key file ${path} is empty or damaged; restore it`);
  }
  return decode(text.slice(FILE_PREFIX.length), `the key file ${path}`);
}

function decode(text: string, where: string): Uint8Array {
  const key = Buffer.from(text, 'base64url');
  if (key.length === KEY_BYTES) return key;
  throw new StoreError('ERR_KEY_WRONG', `${where} is damaged; restore it`);
}

function derive(
  passphrase: Secret,
  description: { readonly salt: string; readonly cost: number },
): Promise<Uint8Array> {
  const salt = Buffer.from(description.salt, 'hex');
  const options = { N: description.cost, r: 8, p: 1, maxmem: 256 * description.cost * 8 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.reveal(), salt, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

interface KeychainEntry {
  getPassword(): string | null;
  setPassword(password: string): void;
}

async function keychainEntry(storeId: string, keyId: string): Promise<KeychainEntry> {
  let keyring: typeof import('@napi-rs/keyring');
  try {
    keyring = await import('@napi-rs/keyring');
  } catch (cause) {
    throw new StoreError(
      'ERR_KEY_MISSING',
      'the keychain needs the package @napi-rs/keyring; install it beside evergrant',
      { cause },
    );
  }
  const entry = new keyring.Entry('evergrant', `${storeId} ${keyId}`);
  return {
    getPassword: () => locked(() => entry.getPassword()),
    setPassword: (password) => {
      locked(() => {
        entry.setPassword(password);
      });
    },
  };
}

function locked<T>(ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    throw new StoreError(
      'ERR_KEY_MISSING',
      'the keychain cannot be used; is it locked, or is none running?',
      { cause },
    );
  }
}
