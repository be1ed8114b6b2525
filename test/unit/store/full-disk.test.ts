import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tokenContext } from '../../../src/connection/secrets.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
import { smallDisk, type SmallDisk } from '../../support/small-disk.ts';
import { openStoreBelow } from '../../support/store-below.ts';
import { startStoreProcess } from '../../support/store-processes.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';

const files = vi.hoisted(() => ({ type: undefined as number | undefined }));
vi.mock(import('../../../src/system/file-system.ts'), async (importActual) => {
  const actual = await importActual();
  return {
    ...actual,
    fileSystemType: async (folder: string) => files.type ?? actual.fileSystemType(folder),
  };
});

const FULL = { code: 'ERR_STORE_FULL' };

let folder: string;
/** The folder, or the disk in its place. */
let home: string;
let disk: SmallDisk | undefined;
const stores: SqliteStore[] = [];

beforeEach(async () => {
  files.type = undefined;
  folder = await makeTemporaryFolder('evergrant-full-');
  home = folder;
});

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close().catch(() => undefined);
  await disk?.[Symbol.asyncDispose]();
  disk = undefined;
  await removeFolder(folder);
});

async function open(): Promise<SqliteStore> {
  const store = await openStoreBelow(home);
  stores.push(store);
  return store;
}

async function close(store: SqliteStore): Promise<void> {
  stores.splice(stores.indexOf(store), 1);
  await store.close();
}

async function makeStore(): Promise<void> {
  mkdirSync(path.join(home, 'key'), { mode: 0o700 });
  const store = await open();
  await store.putClient(clientRecord(store));
  await store.insert(connectionRecord(store, 'a'), lifeEvent('connected'));
  await close(store);
}

function rename(store: SqliteStore, name: string): Promise<void> {
  return store.rename('a', name);
}

async function accessToken(store: SqliteStore): Promise<string> {
  const sealed = (await store.read('a'))?.connection.tokens?.accessToken ?? new Uint8Array();
  return Buffer.from(store.sealer.open(sealed, tokenContext('a', 'accessToken', 1))).toString();
}

/** Puts the home on a file system of half a MiB; undefined where this user may not mount one. */
async function onSmallDisk(): Promise<SmallDisk | undefined> {
  disk = await smallDisk(512);
  home = disk?.path ?? home;
  return disk;
}

describe('a disk that is full', () => {
  it('while the store is open: reading goes on, each write is told as such, and works again after', async (context) => {
    const small = await onSmallDisk();
    if (small === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore();
    const store = await open();
    await rename(store, 'before');
    small.fill();
    let written = 'before';
    const failure = await (async () => {
      for (let i = 0; i < 200; i++) {
        try {
          await rename(store, `name-${String(i)}`);
          written = `name-${String(i)}`;
        } catch (error) {
          return error;
        }
      }
      return undefined;
    })();
    expect(failure).toMatchObject(FULL);
    expect(await accessToken(store)).toBe('accessToken 1');
    expect((await store.find(written))?.connection.id).toBe('a');
    small.free();
    await rename(store, 'after');
    expect((await store.find('after'))?.connection.id).toBe('a');
  });

  it('before the store is opened: what lives is served, and nothing is written', async (context) => {
    const small = await onSmallDisk();
    if (small === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore();
    small.fill();
    const store = await open();
    expect(await accessToken(store)).toBe('accessToken 1');
    expect((await store.list()).map(({ connection }) => connection.name)).toEqual(['a']);
    expect(await store.due(Number.MAX_SAFE_INTEGER, 9)).toMatchObject([{ connectionId: 'a' }]);
    await expect(rename(store, 'other')).rejects.toMatchObject(FULL);
    const second = await open();
    expect(await accessToken(second)).toBe('accessToken 1');
    expect((await store.find('a'))?.connection.id).toBe('a');
  });

  it('before the store is opened: it is written again as soon as there is room, without being opened anew', async (context) => {
    const small = await onSmallDisk();
    if (small === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore();
    small.fill();
    const store = await open();
    const counter = store.changeCounter();
    await expect(rename(store, 'other')).rejects.toMatchObject(FULL);
    small.free();
    await rename(store, 'after');
    expect((await store.find('after'))?.connection.id).toBe('a');
    expect(store.changeCounter()).not.toBe(counter);
    await close(store);
    expect((await (await open()).find('after'))?.connection.id).toBe('a');
  });

  it('with a commit in the WAL that was never moved into the file: it is read', async (context) => {
    const small = await onSmallDisk();
    if (small === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore();
    const child = startStoreProcess(['write-and-stay', home, 'a', '4']);
    await child.line();
    await child.kill();
    small.fill();
    const store = await open();
    expect((await store.read('a'))?.connection.generation).toBe(5);
  });

  it('before there is any store: none is made, and room is asked for', async (context) => {
    const small = await onSmallDisk();
    if (small === undefined) return context.skip('not run: mounting needs root on Linux');
    small.fill();
    await expect(open()).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_STORE_(FULL|UNAVAILABLE)$/),
    });
    small.free();
    mkdirSync(path.join(home, 'key'), { mode: 0o700, recursive: true });
    expect(await (await open()).list()).toEqual([]);
  });
});

describe('a file system that is shared or runs in a process', () => {
  it.each([
    ['NFS', 0x6969],
    ['CIFS', 0xff534d42],
    ['SMB2', 0xfe534d42],
    ['FUSE', 0x65735546],
    ['9P', 0x01021997],
    ['Ceph', 0x00c36400],
    ['Lustre', 0x0bd00bd0],
    ['GPFS', 0x47504653],
  ])('is refused: %s', async (name, type) => {
    await makeStore();
    const before = readFileSync(path.join(home, 'store', 'evergrant.db'));
    files.type = type;
    const opening = open();
    await expect(opening).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' });
    await expect(opening).rejects.toThrow(name);
    expect(readFileSync(path.join(home, 'store', 'evergrant.db')).equals(before)).toBe(true);
  });
});
