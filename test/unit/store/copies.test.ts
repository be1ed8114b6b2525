import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { COPIED } from '../../../src/connection/copied.ts';
import { StoreError } from '../../../src/errors.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { thisMachine } from '../../../src/system/machine.ts';
import { openStoreBelow, type StoreChoices } from '../../support/store-below.ts';
import { storeFolders, type StoreFolder } from '../../support/store-processes.ts';
import {
  clientRecord,
  connectionRecord,
  lifeEvent,
  tokenSet,
} from '../../support/store-records.ts';

const newFolder = storeFolders();
const HELD = { kind: 'uncertain', reason: COPIED, lastTry: false };

/** A closed store with three connections: active, paused, and in need of attention. */
async function madeStore(): Promise<StoreFolder> {
  const folder = await newFolder();
  const store = await openStoreBelow(folder.home);
  await store.putClient(clientRecord(store));
  const attention = {
    kind: 'attention',
    since: 1,
    actor: 'owner',
    code: 'ERR_GRANT_REFUSED',
    reason: 'r',
    remedy: 'm',
  } as const;
  const claim = { owner: await store.claims.identify(), attemptId: 'a', claimedAt: 1 };
  await store.insert(connectionRecord(store, 'active', { claim }), lifeEvent('connected'));
  const paused = { kind: 'paused', since: 1, before: { kind: 'active' } } as const;
  await store.insert(connectionRecord(store, 'paused', { state: paused }), lifeEvent('connected'));
  await store.insert(
    connectionRecord(store, 'refused', { state: attention }),
    lifeEvent('connected'),
  );
  await store.close();
  return folder;
}

async function rotate(folder: StoreFolder, times = 1): Promise<void> {
  const store = await openStoreBelow(folder.home);
  for (let i = 0; i < times; i++) {
    const generation = ((await store.read('active'))?.connection.generation ?? 0) + 1;
    const tokens = tokenSet(store, 'active', generation);
    await store.transition('active', () => ({ result: 1, connection: { generation, tokens } }), {
      durable: true,
    });
  }
  await store.close();
}

async function lookAt<T>(
  folder: StoreFolder,
  look: (store: SqliteStore) => Promise<T>,
  choices?: StoreChoices,
): Promise<T> {
  const store = await openStoreBelow(folder.home, choices);
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

/** What gave the store away as a copy when it is opened now; undefined when nothing did. */
function suspicion(folder: StoreFolder, choices?: StoreChoices): Promise<string | undefined> {
  return lookAt(folder, async (store) => (await store.copyStatus()).unconfirmed?.because, choices);
}

/** Puts other bytes into the very file, as an operator's cp does. */
function overwrite(file: string, bytes: Uint8Array): void {
  const before = statSync(file).ino;
  writeFileSync(file, bytes);
  expect(statSync(file).ino).toBe(before);
}

it('takes a store that was merely used, or moved with its folder, for what it is', async () => {
  const folder = await madeStore();
  await rotate(folder, 3);
  expect(await suspicion(folder)).toBeUndefined();
  const moved = `${folder.home}-moved`;
  renameSync(folder.home, moved);
  expect(await suspicion({ ...folder, home: moved })).toBeUndefined();
  renameSync(moved, folder.home);
});

it('notices a store that was put in place of a newer one, by the mark that lies apart', async () => {
  const folder = await madeStore();
  const old = readFileSync(folder.file);
  await rotate(folder);
  overwrite(folder.file, old);
  expect(await suspicion(folder)).toBe('it is older than it was');
});

it('notices a backup in place of the store, even of the same age', async () => {
  const folder = await madeStore();
  const target = path.join(folder.home, 'backup.db');
  await lookAt(folder, (store) => store.backup(target));
  overwrite(folder.file, readFileSync(target));
  expect(await suspicion(folder)).toBe('its file is a backup');
});

it('notices a copied folder', async () => {
  const folder = await madeStore();
  const copy = `${folder.home}-copy`;
  execFileSync('cp', ['-a', folder.home, copy]);
  expect(await suspicion({ ...folder, home: copy })).toBe('its file is another than before');
  expect(await suspicion(folder)).toBeUndefined();
  rmSync(copy, { recursive: true });
});

it('notices another machine, unless either knows itself by its host name alone', async () => {
  const folder = await madeStore();
  const machine = await thisMachine();
  const on = (machineId: string): StoreChoices => ({ machine: { ...machine, machineId } });
  expect(await suspicion(folder, on('host:container-1'))).toBeUndefined();
  expect(await suspicion(folder, on('another'))).toBe('it is on another machine than before');
});

it('holds fragile connections, frees all claims, and tells the operator once', async () => {
  const folder = await madeStore();
  const old = readFileSync(folder.file);
  await rotate(folder);
  overwrite(folder.file, old);
  for (let opening = 0; opening < 3; opening++) {
    await lookAt(folder, async (store) => {
      const states = (await store.list()).map(({ connection }) => connection.state);
      expect(states).toMatchObject([HELD, { kind: 'paused', before: HELD }, { kind: 'attention' }]);
      expect((await store.read('active'))?.connection.claim).toBeUndefined();
      expect(await store.pendingNotices(0, 9)).toMatchObject([
        { kind: 'store_copied', actor: 'operator', connection: undefined },
      ]);
      expect((await store.life('active', 9)).map(({ event }) => event)).toEqual([
        'uncertain',
        'connected',
      ]);
      expect((await store.copyStatus()).epoch).toBe(2);
      expect(await store.nextDueAt()).toBeUndefined();
    });
  }
});

it('holds nothing and tells nobody where no refresh token is fragile', async () => {
  const folder = await madeStore();
  const old = readFileSync(folder.file);
  await rotate(folder);
  overwrite(folder.file, old);
  const choices = { isFragile: () => false };
  expect(await suspicion(folder, choices)).toBeUndefined();
  await lookAt(folder, async (store) => {
    expect((await store.read('active'))?.connection.state).toEqual({ kind: 'active' });
    expect(await store.pendingNotices(0, 9)).toEqual([]);
    expect((await store.copyStatus()).epoch).toBe(2);
  });
});

it('lets everything go on when the operator accepts the copy', async () => {
  const folder = await madeStore();
  const old = readFileSync(folder.file);
  await rotate(folder);
  overwrite(folder.file, old);
  await lookAt(folder, async (store) => {
    expect(await store.acceptCopy()).toBe(2);
    expect(await store.acceptCopy()).toBe(0);
    const states = (await store.list()).map(({ connection }) => connection.state);
    expect(states).toMatchObject([
      { kind: 'active' },
      { kind: 'paused', before: { kind: 'active' } },
      { kind: 'attention' },
    ]);
    expect((await store.copyStatus()).unconfirmed).toBeUndefined();
  });
  expect(await suspicion(folder)).toBeUndefined();
});

it('notices the same old store again when it is restored again', async () => {
  const folder = await madeStore();
  const old = readFileSync(folder.file);
  await rotate(folder);
  for (let again = 0; again < 3; again++) {
    overwrite(folder.file, old);
    expect(await suspicion(folder)).toBe('it is older than it was');
    await lookAt(folder, (store) => store.acceptCopy());
  }
});

it('is noticed once by many processes that open it at the same time', async () => {
  const folder = await madeStore();
  const old = readFileSync(folder.file);
  await rotate(folder);
  overwrite(folder.file, old);
  const openers = Array.from({ length: 6 }, () => folder.run('open-once'));
  await Promise.all(openers.map((opener) => opener.done()));
  await lookAt(folder, async (store) => {
    expect(await store.pendingNotices(0, 9)).toHaveLength(1);
    expect((await store.copyStatus()).epoch).toBe(2);
  });
});

it('is not made anew where the mark tells of a store that is gone', async () => {
  const folder = await madeStore();
  rmSync(folder.file);
  for (const create of [true, false]) {
    const opening = openStoreBelow(folder.home, { create });
    await expect(opening).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    await expect(opening).rejects.toBeInstanceOf(StoreError);
  }
  rmSync(path.join(folder.home, 'key', 'store.mark'));
  await lookAt(folder, async (store) => {
    expect(await store.list()).toEqual([]);
  });
});

it('refuses to go on with a store that was replaced while it is open', async () => {
  const folder = await madeStore();
  await lookAt(folder, async (store) => {
    await store.claims.identify();
    renameSync(folder.file, `${folder.file}-old`);
    writeFileSync(folder.file, '', { mode: 0o600 });
    const claiming = store.claims.identify();
    await expect(claiming).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    rmSync(folder.file);
    renameSync(`${folder.file}-old`, folder.file);
  });
});
