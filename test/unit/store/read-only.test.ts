import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tokenContext } from '../../../src/connection/secrets.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { thisMachine } from '../../../src/system/machine.ts';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
import { smallDisk, type SmallDisk } from '../../support/small-disk.ts';
import { openStoreBelow, type StoreChoices } from '../../support/store-below.ts';
import { startStoreProcess } from '../../support/store-processes.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';

const READ_ONLY = {
  code: 'ERR_STORE_READ_ONLY',
  message: expect.stringContaining('so nothing is refreshed') as unknown,
};

let disk: SmallDisk | undefined;
const stores: SqliteStore[] = [];

beforeEach(async () => {
  disk = await smallDisk(1_024);
});

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close().catch(() => undefined);
  await disk?.[Symbol.asyncDispose]();
});

/** Opens the store as one that lies there already. */
async function open({ path: home }: SmallDisk, choices: StoreChoices = {}): Promise<SqliteStore> {
  const store = await openStoreBelow(home, { create: false, ...choices });
  stores.push(store);
  return store;
}

async function close(store: SqliteStore): Promise<void> {
  stores.splice(stores.indexOf(store), 1);
  await store.close();
}

async function makeStore(small: SmallDisk, choices: StoreChoices = {}): Promise<void> {
  mkdirSync(path.join(small.path, 'key'), { mode: 0o700 });
  const store = await open(small, { create: true, ...choices });
  await store.putClient(clientRecord(store));
  await store.insert(connectionRecord(store, 'a'), lifeEvent('connected'));
  await close(store);
}

async function accessToken(store: SqliteStore, generation = 1): Promise<string> {
  const sealed = (await store.read('a'))?.connection.tokens?.accessToken ?? new Uint8Array();
  const plain = store.sealer.open(sealed, tokenContext('a', 'accessToken', generation));
  return Buffer.from(plain).toString();
}

describe('a disk that takes no writes', () => {
  it('before the store is opened: what lives is served, and each write is refused by name', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore(disk);
    disk.makeReadOnly();
    const store = await open(disk);
    expect(await accessToken(store)).toBe('accessToken 1');
    expect((await store.list()).map(({ connection }) => connection.name)).toEqual(['a']);
    expect(await store.due(Number.MAX_SAFE_INTEGER, 9)).toMatchObject([{ connectionId: 'a' }]);
    expect(await store.findDamage()).toEqual([]);
    await expect(store.rename('a', 'b')).rejects.toMatchObject(READ_ONLY);
    await expect(store.claims.identify()).rejects.toMatchObject(READ_ONLY);
    expect(await accessToken(store)).toBe('accessToken 1');
    await close(store);
  });

  it('is written again as soon as that is possible, without being opened anew', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore(disk);
    disk.makeReadOnly();
    const store = await open(disk);
    const counter = store.changeCounter();
    expect(store.changeCounter()).toBe(counter);
    disk.makeWritable();
    await store.rename('a', 'b');
    expect(store.changeCounter()).not.toBe(counter);
    await store.claims.identify();
    await close(store);
    expect((await (await open(disk)).find('b'))?.connection.id).toBe('a');
  });

  it('with commits in the WAL of a process that was killed: they are read, and written on later', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore(disk);
    await killAfterWriting(disk);
    disk.makeReadOnly();
    const store = await open(disk);
    expect(await accessToken(store, 5)).toBe('accessToken 5');
    await expect(store.rename('a', 'b')).rejects.toMatchObject(READ_ONLY);
    disk.makeWritable();
    await store.rename('a', 'b');
    expect(await accessToken(store, 5)).toBe('accessToken 5');
  });

  it('with a WAL that nobody can read there: it is refused, not read without it', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore(disk);
    await killAfterWriting(disk);
    rmSync(path.join(disk.path, 'store', 'evergrant.db-shm'));
    disk.makeReadOnly();
    await expect(open(disk)).rejects.toMatchObject({
      code: 'ERR_STORE_READ_ONLY',
      message: expect.stringContaining('evergrant.db-wal') as unknown,
    });
    disk.makeWritable();
    expect(await accessToken(await open(disk), 5)).toBe('accessToken 5');
  });

  it('for this process alone: what others write is seen', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore(disk);
    disk.makeReadOnly();
    const store = await open(disk);
    const counter = store.changeCounter();
    disk.makeWritable();
    const writer = startStoreProcess(['write-and-stay', disk.path, 'a', '1']);
    await writer.line();
    writer.process.stdin?.end();
    await writer.done();
    disk.makeReadOnly();
    expect(store.changeCounter()).not.toBe(counter);
    expect(await accessToken(store, 2)).toBe('accessToken 2');
    await expect(store.rename('a', 'b')).rejects.toMatchObject(READ_ONLY);
  });

  it('and holds a copy: what lives is served, and the copy is held before anything else is written', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore(disk);
    disk.makeReadOnly();
    const machine = { ...(await thisMachine()), machineId: 'another' };
    const store = await open(disk, { machine });
    expect(await accessToken(store)).toBe('accessToken 1');
    disk.makeWritable();
    await store.rename('a', 'b');
    expect((await store.copyStatus()).unconfirmed).toBeDefined();
    expect((await store.read('a'))?.connection).toMatchObject({
      name: 'b',
      state: { kind: 'uncertain', lastTry: false },
    });
  });

  it('and holds an older state of the store: the mark goes on telling so until the store does', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    const keys = await makeTemporaryFolder('evergrant-keys-');
    const elsewhere = {
      markFile: path.join(keys, 'store.mark'),
      masterKey: { kind: 'file', path: path.join(keys, 'master.key') },
    } as const;
    await makeStore(disk, elsewhere);
    const mark = readFileSync(elsewhere.markFile, 'utf8');
    const later = mark.replace(/\d+\n$/, (count) => `${String(Number(count) + 1)}\n`);
    expect(later).not.toBe(mark);
    writeFileSync(elsewhere.markFile, later);
    disk.makeReadOnly();
    const reading = await open(disk, elsewhere);
    expect(await accessToken(reading)).toBe('accessToken 1');
    expect((await reading.copyStatus()).unconfirmed).toBeDefined();
    await close(reading);
    expect(readFileSync(elsewhere.markFile, 'utf8')).toBe(later);
    disk.makeWritable();
    const writing = await open(disk, elsewhere);
    expect((await writing.copyStatus()).unconfirmed).toBeDefined();
    expect((await writing.read('a'))?.connection.state.kind).toBe('uncertain');
    await close(writing);
    await removeFolder(keys);
  });

  it('with an empty WAL: there is nothing in it to be missed', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore(disk);
    writeFileSync(path.join(disk.path, 'store', 'evergrant.db-wal'), '', { mode: 0o600 });
    disk.makeReadOnly();
    expect(await accessToken(await open(disk))).toBe('accessToken 1');
  });

  it('and no store: none is made', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    mkdirSync(path.join(disk.path, 'key'), { mode: 0o700 });
    disk.makeReadOnly();
    await expect(open(disk, { create: true })).rejects.toMatchObject({
      code: 'ERR_STORE_READ_ONLY',
    });
    await expect(open(disk)).rejects.toMatchObject({ code: 'ERR_STORE_MISSING' });
  });

  it('and a file that is no store: it is refused as such', async (context) => {
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    await makeStore(disk);
    writeFileSync(path.join(disk.path, 'store', 'evergrant.db'), 'x'.repeat(9_999));
    disk.makeReadOnly();
    await expect(open(disk)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
  });
});

/** Leaves four commits in the WAL. */
async function killAfterWriting({ path: home }: SmallDisk): Promise<void> {
  const child = startStoreProcess(['write-and-stay', home, 'a', '4']);
  await child.line();
  await child.kill();
}
