import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { tokenContext } from '../../../src/connection/secrets.ts';
import { Secret } from '../../../src/secret.ts';
import type { MasterKeySource } from '../../../src/store/master-key.ts';
import { openStoreBelow } from '../../support/store-below.ts';
import {
  startStoreProcess,
  storeFolders,
  type StoreFolder,
} from '../../support/store-processes.ts';
import {
  clientRecord,
  connectionRecord,
  lifeEvent,
  tokenSet,
} from '../../support/store-records.ts';

/** A keychain in memory; what is locked throws, as the real one does. */
const keychain = vi.hoisted(() => ({ entries: new Map<string, string>(), isLocked: false }));
vi.mock('@napi-rs/keyring', () => ({
  Entry: class {
    readonly #name: string;
    constructor(service: string, account: string) {
      this.#name = `${service} ${account}`;
    }
    #unlocked(): Map<string, string> {
      if (keychain.isLocked) throw new Error('Platform secure storage failure');
      return keychain.entries;
    }
    getPassword(): string | null {
      return this.#unlocked().get(this.#name) ?? null;
    }
    setPassword(password: string): void {
      this.#unlocked().set(this.#name, password);
    }
  },
}));

const newFolder = storeFolders();
let folder: StoreFolder;
const keyFile = (name: string): MasterKeySource & { readonly path: string } => ({
  kind: 'file',
  path: path.join(folder.home, 'key', name),
});
const passphrase = (text: string): MasterKeySource => ({
  kind: 'passphrase',
  passphrase: new Secret(text),
});

beforeEach(async () => {
  keychain.entries.clear();
  keychain.isLocked = false;
  folder = await newFolder();
  const store = await openStoreBelow(folder.home);
  await store.putClient(clientRecord(store));
  for (const id of ['a', 'b', 'c']) {
    await store.insert(connectionRecord(store, id), lifeEvent('connected'));
  }
  await store.rotateDataKey();
  await store.close();
});

/** Opens the store with a key and looks at everything. @returns `sound`, or the code of the error. */
async function fateWith(masterKey: MasterKeySource): Promise<string> {
  try {
    const store = await openStoreBelow(folder.home, { masterKey, create: false });
    const damage = await store.findDamage();
    await store.close();
    return damage.length === 0 ? 'sound' : damage.join('; ');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

async function change(from: MasterKeySource, to: MasterKeySource): Promise<void> {
  const store = await openStoreBelow(folder.home, { masterKey: from });
  await store.changeMasterKey(to);
  const generation = ((await store.read('a'))?.connection.generation ?? 0) + 1;
  const tokens = tokenSet(store, 'a', generation);
  await store.transition('a', () => ({ result: 1, connection: { generation, tokens } }), {
    durable: true,
  });
  await store.rotateDataKey();
  await store.close();
}

describe('changing the master key', () => {
  it('moves the store from a file to a passphrase, to the keychain and back to a file', async () => {
    const steps: readonly MasterKeySource[] = [
      keyFile('master.key'),
      passphrase('correct horse'),
      { kind: 'keychain' },
      { kind: 'keychain' },
      keyFile('second.key'),
      keyFile('third.key'),
    ];
    for (const [i, to] of steps.slice(1).entries()) {
      const from = steps[i] ?? to;
      await change(from, to);
      expect(await fateWith(to)).toBe('sound');
      if (from.kind === to.kind) continue;
      expect(await fateWith(from)).toBe('ERR_KEY_MISSING');
    }
    expect(await fateWith(keyFile('second.key'))).toBe('ERR_KEY_WRONG');
    const store = await openStoreBelow(folder.home, { masterKey: keyFile('third.key') });
    expect((await store.keyStatus()).masterKey).toBe('file');
    await store.close();
  });

  it('leaves the old key where it is, since older backups need it', async () => {
    await change(keyFile('master.key'), keyFile('second.key'));
    expect(existsSync(keyFile('master.key').path)).toBe(true);
  });

  it('leaves everything as it was when the new key cannot be made', async () => {
    keychain.isLocked = true;
    const store = await openStoreBelow(folder.home);
    const changing = store.changeMasterKey({ kind: 'keychain' });
    await expect(changing).rejects.toMatchObject({ code: 'ERR_KEY_MISSING' });
    await expect(store.changeMasterKey(keyFile('none/of.key'))).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
    await store.close();
    expect(await fateWith(keyFile('master.key'))).toBe('sound');
  });

  it('goes on when a retired data key is damaged, and names it at the end', async () => {
    const before = await openStoreBelow(folder.home);
    await before.rotateDataKey();
    const { dataKeys } = await before.keyStatus();
    await before.close();
    const retired = dataKeys.at(1)?.id ?? '';
    const database = new DatabaseSync(folder.file);
    database.prepare('UPDATE data_key SET wrapped = zeroblob(61) WHERE id = ?').run(retired);
    database.close();
    const store = await openStoreBelow(folder.home);
    await expect(store.changeMasterKey(keyFile('second.key'))).rejects.toMatchObject({
      code: 'ERR_STORE_DAMAGED',
      message: expect.stringContaining(retired) as unknown,
    });
    await store.rotateDataKey();
    await store.close();
    expect(await fateWith(keyFile('master.key'))).toBe('ERR_KEY_WRONG');
    expect(await fateWith(keyFile('second.key'))).not.toMatch(/^ERR/);
    const after = await openStoreBelow(folder.home, { masterKey: keyFile('second.key') });
    expect((await after.list()).map(({ connection }) => connection.name)).toEqual(['a', 'b', 'c']);
    const { connection } = (await after.read('a')) ?? {};
    const sealed = connection?.tokens?.accessToken ?? new Uint8Array();
    const plain = after.sealer.open(sealed, tokenContext('a', 'accessToken', 1));
    expect(Buffer.from(plain).toString()).toBe('accessToken 1');
    await after.close();
  });

  it('changes nothing when the data key in use is damaged', async () => {
    const store = await openStoreBelow(folder.home);
    const other = await openStoreBelow(folder.home);
    await other.rotateDataKey();
    const inUse = (await other.keyStatus()).dataKeys[0]?.id ?? '';
    await other.close();
    const database = new DatabaseSync(folder.file);
    database.prepare('UPDATE data_key SET wrapped = zeroblob(61) WHERE id = ?').run(inUse);
    const before = database.prepare('SELECT * FROM data_key').all();
    await expect(store.changeMasterKey(keyFile('second.key'))).rejects.toThrow();
    expect(database.prepare('SELECT * FROM data_key').all()).toEqual(before);
    database.close();
    await store.close();
  });

  it('lets a process that has the store open go on, but not make keys under the old one', async () => {
    const other = await openStoreBelow(folder.home);
    const store = await openStoreBelow(folder.home);
    await store.changeMasterKey(keyFile('second.key'));
    await other.rename('a', 'renamed');
    const wrong = { code: 'ERR_KEY_WRONG' };
    await expect(other.rotateDataKey()).rejects.toMatchObject(wrong);
    await expect(other.changeMasterKey(keyFile('third.key'))).rejects.toMatchObject(wrong);
    await store.rotateDataKey();
    await expect(other.rename('a', 'again')).rejects.toMatchObject(wrong);
    await Promise.all([other.close(), store.close()]);
    expect(await fateWith(keyFile('second.key'))).toBe('sound');
  });

  it('is not told as the wrong one to a process that opened the store with the key before, but to open it again', async () => {
    const other = await openStoreBelow(folder.home);
    const store = await openStoreBelow(folder.home);
    await store.changeMasterKey(keyFile('second.key'));
    await store.rotateDataKey();
    const { connection } = (await other.read('a')) ?? {};
    const sealed = connection?.tokens?.accessToken ?? new Uint8Array();
    const message = expect.stringContaining('open it again') as unknown;
    expect(() => other.sealer.open(sealed, tokenContext('a', 'accessToken', 1))).toThrow(
      expect.objectContaining({ code: 'ERR_KEY_WRONG', message }),
    );
    await Promise.all([other.close(), store.close()]);
  });

  it.each(['master-key-made:kill', 'master-key-changed:kill'])(
    'leaves one key that opens when the process ends at %s',
    async (failpoint) => {
      const [old, fresh] = [keyFile('master.key'), keyFile('second.key')];
      const child = startStoreProcess(['change-key', folder.home, old.path, fresh.path], {
        EVERGRANT_FAILPOINTS: failpoint,
      });
      await expect(child.done()).rejects.toThrow('SIGKILL');
      const isChanged = failpoint.startsWith('master-key-changed');
      expect(await fateWith(isChanged ? fresh : old)).toBe('sound');
      expect(await fateWith(isChanged ? old : fresh)).toBe('ERR_KEY_WRONG');
      await change(isChanged ? fresh : old, keyFile('last.key'));
      expect(await fateWith(keyFile('last.key'))).toBe('sound');
    },
  );

  it('leaves one key that opens when the process is killed at any instant', async () => {
    const opened: string[] = [];
    let current = keyFile('master.key');
    for (let trial = 0; trial < 12; trial++) {
      const next = keyFile(`trial-${String(trial)}.key`);
      const child = startStoreProcess(['change-key', folder.home, current.path, next.path]);
      await child.line();
      await new Promise((resolve) => setTimeout(resolve, trial * 4));
      await child.kill();
      const fates = [await fateWith(current), existsSync(next.path) ? await fateWith(next) : ''];
      expect(fates.filter((fate) => fate === 'sound')).toHaveLength(1);
      opened.push(fates[1] === 'sound' ? 'new' : 'old');
      if (fates[1] === 'sound') current = next;
    }
    console.log(`the key that opened after each kill: ${opened.join(' ')}`);
  });
});

describe('a master key', () => {
  it('from a wrong passphrase, or of another kind than the store, opens nothing', async () => {
    await change(keyFile('master.key'), passphrase('right'));
    expect(await fateWith(passphrase('wrong'))).toBe('ERR_KEY_WRONG');
    expect(await fateWith({ kind: 'keychain' })).toBe('ERR_KEY_MISSING');
  });

  it('that is a passphrase is told of as such, and how it is given', async () => {
    await change(keyFile('master.key'), passphrase('right'));
    const messageWith = (masterKey: MasterKeySource): Promise<unknown> =>
      openStoreBelow(folder.home, { masterKey, create: false }).catch((error: unknown) =>
        error instanceof Error ? error.message : error,
      );
    expect(await messageWith(passphrase('wrong'))).toMatch(/^the passphrase is wrong, .* give the/);
    expect(await messageWith(keyFile('master.key'))).toMatch(
      /protected by a passphrase, not by a file; .*--passphrase-file FILE or --ask-passphrase$/,
    );
  });

  it('in a keychain that is locked, or has lost it, is missing', async () => {
    await change(keyFile('master.key'), { kind: 'keychain' });
    keychain.isLocked = true;
    expect(await fateWith({ kind: 'keychain' })).toBe('ERR_KEY_MISSING');
    keychain.isLocked = false;
    keychain.entries.clear();
    expect(await fateWith({ kind: 'keychain' })).toBe('ERR_KEY_MISSING');
  });
});
