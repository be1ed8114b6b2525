import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { lifeEvent, tokenSet } from './store-records.ts';
import { openStoreBelow } from './store-below.ts';
import { whenFree } from './when-free.ts';

/*
 * What another process does to a store: `node store.process.ts <role> <home> …`. It prints a line when it has begun, and ends by itself
 * or when its input ends.
 */

const [role = '', home = '', ...args] = process.argv.slice(2);
const isDurable = role !== 'write-fast';

/** Lets nothing but the end of the input, or a signal, end this process. */
async function untilInputEnds(): Promise<void> {
  process.stdin.resume();
  await once(process.stdin, 'end');
}

/** Writes the next generation of a connection, however long others hold the store. */
async function nextGeneration(store: SqliteStore, id: string): Promise<void> {
  await whenFree(() => tryNextGeneration(store, id));
}

async function tryNextGeneration(store: SqliteStore, id: string): Promise<void> {
  await store.transition(
    id,
    ({ connection }) => {
      const generation = connection.generation + 1;
      const tokens = tokenSet(store, id, generation);
      return {
        result: true,
        connection: { generation, tokens },
        life: [lifeEvent('refreshed', generation)],
      };
    },
    { durable: isDurable },
  );
}

const ROLES: Readonly<Record<string, () => Promise<void>>> = {
  /** Writes `count` generations of a connection. */
  async write() {
    const [id = '', count = '1'] = args;
    const store = await openStoreBelow(home);
    console.log('open');
    for (let i = 0; i < Number(count); i++) await nextGeneration(store, id);
    await store.close();
  },

  /** As `write`, without durable commits. */
  async 'write-fast'() {
    await ROLES['write']?.();
  },

  /** Writes `count` generations of a connection, and leaves them in the WAL until its input ends. */
  async 'write-and-stay'() {
    const [id = '', count = '1'] = args;
    const store = await openStoreBelow(home);
    for (let i = 0; i < Number(count); i++) await nextGeneration(store, id);
    console.log('written');
    await untilInputEnds();
    await store.close();
  },

  /** Writes generations of all connections by turns until its input ends. */
  async 'keep-writing'() {
    const store = await openStoreBelow(home);
    console.log('open');
    const input = new AbortController();
    void untilInputEnds().then(() => {
      input.abort();
    });
    while (!input.signal.aborted) {
      for (const { connection } of await store.list()) await nextGeneration(store, connection.id);
    }
    await store.close();
  },

  /** Holds the store's write lock until its input ends. */
  async lock() {
    const database = new DatabaseSync(path.join(home, 'store', 'evergrant.db'));
    database.exec('BEGIN IMMEDIATE');
    console.log('locked');
    await untilInputEnds();
    database.exec('ROLLBACK');
    database.close();
  },

  /** Holds the whole store until its input ends. */
  async 'lock-out'() {
    const database = new DatabaseSync(path.join(home, 'store', 'evergrant.db'));
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE');
    console.log('locked');
    await untilInputEnds();
    database.close();
  },

  /** Opens the store at once with others, and tells its id. */
  async 'open-once'() {
    const store = await openStoreBelow(home);
    console.log(store.storeId);
    await store.close();
  },

  /** Opens a store of its own name, at once with others, for each line that it reads, and prints the id that it found. */
  async 'open-at-signal'() {
    console.log('ready');
    for await (const name of createInterface({ input: process.stdin })) {
      const folder = path.join(home, name);
      await mkdir(path.join(folder, 'key'), { recursive: true, mode: 0o700 });
      try {
        const store = await openStoreBelow(folder);
        console.log(store.storeId);
        await store.close();
      } catch (error) {
        console.log(String(error));
      }
    }
  },

  /** Renews the data key. */
  async 'rotate-key'() {
    const store = await openStoreBelow(home);
    console.log('open');
    await store.rotateDataKey();
    await store.close();
  },

  /** Moves the store to a key file. */
  async 'change-key'() {
    const [from = '', to = ''] = args;
    const store = await openStoreBelow(home, { masterKey: { kind: 'file', path: from } });
    console.log('open');
    await store.changeMasterKey({ kind: 'file', path: to });
    await store.close();
  },

  /** Begins a life, prints it, and holds it until its input ends. */
  async live() {
    const store = await openStoreBelow(home);
    console.log(JSON.stringify(await store.claims.identify()));
    await untilInputEnds();
    await store.close();
  },

  /** Judges an owner `count` times, and prints what it found, once each. */
  async judge() {
    const [owner = '', count = '1'] = args;
    const store = await openStoreBelow(home);
    console.log('open');
    const found = new Set<string>();
    const named = JSON.parse(owner) as Parameters<typeof store.claims.judge>[0];
    for (let i = 0; i < Number(count); i++) found.add(await store.claims.judge(named));
    console.log([...found].join(' '));
    await store.close();
  },
};

const run = ROLES[role];
if (run === undefined) throw new TypeError(`there is no role ${role}`);
await run();
