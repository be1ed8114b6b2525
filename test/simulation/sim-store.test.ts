import { serialize } from 'node:v8';
import { createDataKey, DataKeys } from '../../src/store/sealing.ts';
import type { ClaimAuthority, Store } from '../../src/store/store.ts';
import { describeStore, type OtherProcess } from '../contract/store-contract.ts';
import { lifeEvent, tokenSet } from '../support/store-records.ts';
import { Database } from './database.ts';
import { Rng } from './rng.ts';
import { SimStore } from './sim-store.ts';

describeStore('the simulated store', () => {
  const database = new Database<string>();
  const open = openerOf(database);
  return Promise.resolve({
    open: () => Promise.resolve(open()),
    write: (id: string, count: number, durable: boolean) => {
      return inBackground(writeGenerations(open(), id, count, durable));
    },
    bytes: () => Promise.resolve(bytesOf(database)),
  });
});

function openerOf(database: Database<string>): () => Store {
  const random = new Rng(1);
  const masterKey = random.bytes(32);
  const key = createDataKey(random, masterKey, 'store');
  const keys = { first: key, current: key };
  const sealer = new DataKeys(random, masterKey, 'store', keys, () => key);
  return () => {
    const by = random.uuid();
    const port = { by, read: soon, write: soon };
    return new SimStore(database, port, { sealer, claims: kernel(by), storeId: 'store' });
  };
}

async function soon<T>(run: () => T): Promise<T> {
  await Promise.resolve();
  return run();
}

/** All keepers of this test live. */
function kernel(ownerId: string): ClaimAuthority {
  const owner = { ownerId, machineId: 'machine', bootId: 'boot', life: ownerId, pid: 1 };
  return { identify: () => Promise.resolve(owner), judge: () => Promise.resolve('alive') };
}

/** What another process would do. */
async function writeGenerations(
  store: Store,
  id: string,
  count: number,
  durable: boolean,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    await store.transition(
      id,
      (view) => {
        const generation = view.connection.generation + 1;
        const tokens = tokenSet(store, id, generation);
        const life = [lifeEvent('refreshed', generation)];
        return { result: true, connection: { generation, tokens }, life };
      },
      { durable },
    );
  }
}

function inBackground(work: Promise<void>): OtherProcess {
  return { line: () => Promise.resolve('open'), done: () => work, kill: () => work };
}

function bytesOf({ image: { rows, clients, notices } }: Database<string>): Buffer {
  return serialize([rows, clients, notices]);
}
