import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  clientSecretContext,
  leftoverContext,
  tokenContext,
} from '../../../src/connection/secrets.ts';
import { dataKeyIdOf } from '../../../src/store/sealing.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { sqliteHome, type SqliteHome } from '../../support/sqlite-home.ts';
import {
  clientRecord,
  connectionRecord,
  lifeEvent,
  tokenSet,
} from '../../support/store-records.ts';

const CONNECTIONS = 12;
const ids = Array.from({ length: CONNECTIONS }, (_, i) => `connection-${String(i)}`);

let home: SqliteHome;
let store: SqliteStore;

beforeEach(async () => {
  home = await sqliteHome();
  store = await home.open();
  await store.putClient(clientRecord(store));
  for (const id of ids) await store.insert(connectionRecord(store, id), lifeEvent('connected'));
  await keepLeftover('connection-0');
});
afterEach(() => home.remove());

async function keepLeftover(id: string): Promise<void> {
  const label = { kind: 'quarantine', grantId: 'grant-1', attemptId: 'attempt-1' } as const;
  const sealed = store.sealer.seal('left', leftoverContext(id, label));
  const leftover = { ...label, sealed, at: 1 };
  await store.transition(id, () => ({ result: undefined, leftovers: [leftover] }), {
    durable: true,
  });
}

/** Ids of the data keys that any row of the closed store names. */
function keyIdsInRows(): ReadonlySet<string> {
  const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'), { readOnly: true });
  const columns = [
    'access_token AS s FROM connection',
    'refresh_token AS s FROM connection',
    'id_token AS s FROM connection',
    'subscription_key AS s FROM connection',
    'secret AS s FROM client',
    'sealed AS s FROM leftover',
  ];
  const rows = columns.flatMap((column) => database.prepare(`SELECT ${column}`).all());
  database.close();
  return new Set(rows.flatMap(({ s }) => (s instanceof Uint8Array ? [dataKeyIdOf(s)] : [])));
}

/** Every token of every connection opens, and says the generation it belongs to; so does every client's secret. */
async function expectAllOpen(from: SqliteStore): Promise<void> {
  for (const { connection, client } of await from.list()) {
    const { id, generation, tokens } = connection;
    for (const field of ['accessToken', 'refreshToken'] as const) {
      const sealed = tokens?.[field] ?? new Uint8Array();
      const plain = from.sealer.open(sealed, tokenContext(id, field, generation));
      expect(Buffer.from(plain).toString()).toBe(`${field} ${String(generation)}`);
    }
    const secret = from.sealer.open(client.secret ?? new Uint8Array(), clientSecretContext(client));
    expect(Buffer.from(secret).toString()).toBe('secret of the client');
  }
}

/** Writes the next generation, its tokens sealed before the transaction as a refresh does. */
async function renew(by: SqliteStore, id: string): Promise<void> {
  const generation = ((await by.read(id))?.connection.generation ?? 0) + 1;
  const tokens = tokenSet(by, id, generation);
  await by.transition(id, () => ({ result: undefined, connection: { generation, tokens } }), {
    durable: true,
  });
}

it('seals everything anew, leaving nothing under the retired key', async () => {
  const retired = store.sealer.wrappedDataKey().id;
  expect(await store.rotateDataKey()).toBe(CONNECTIONS);
  const current = store.sealer.wrappedDataKey().id;
  expect(current).not.toBe(retired);
  await expectAllOpen(store);
  await store.close();
  expect([...keyIdsInRows()]).toEqual([current]);
});

it('lets another open store go on writing; what it sealed with the retired key is sealed again', async () => {
  const other = await home.open(false);
  const renewals = (async () => {
    for (let round = 0; round < 3; round++) for (const id of ids) await renew(other, id);
  })();
  await Promise.all([store.rotateDataKey(), renewals]);
  await store.rotateDataKey();
  // Sealed now by a store that has not heard of the rotation.
  for (const id of ids) await renew(other, id);
  await expectAllOpen(store);
  await expectAllOpen(other);
  const current = store.sealer.wrappedDataKey().id;
  await other.close();
  await store.close();
  expect([...keyIdsInRows()]).toEqual([current]);
});

it('seals again a client and a client secret that were sealed with the retired key', async () => {
  const other = await home.open(false);
  const late = clientRecord(other, { id: 'client-2', clientId: 'late' });
  const { id } = late;
  const secret = other.sealer.seal(
    'secret of the client',
    clientSecretContext({ id, revision: 2 }),
  );
  await store.rotateDataKey();
  await other.putClient(late);
  await other.setClientSecret(late, () => secret, undefined);
  await expectAllOpen(store);
  const current = store.sealer.wrappedDataKey().id;
  await other.close();
  await store.close();
  expect([...keyIdsInRows()]).toEqual([current]);
});

it.each([0, 1, 5, CONNECTIONS - 1])(
  'is finished by the next call when it was interrupted after %i connections',
  async (done) => {
    await store.close();
    const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
    // Stands for the process that ends there: no further connection can be written.
    const last = [...ids].sort()[done] ?? '';
    database.exec(
      `CREATE TRIGGER ended BEFORE UPDATE ON connection WHEN old.name >= '${last}' BEGIN SELECT raise(ABORT, 'ended'); END`,
    );
    database.close();
    const interrupted = await home.open(false);
    await expect(interrupted.rotateDataKey()).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
    await expectAllOpen(interrupted);
    await interrupted.close();
    expect(keyIdsInRows().size).toBe(done === 0 ? 1 : 2);
    const mending = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
    mending.exec('DROP TRIGGER ended');
    mending.close();
    const next = await home.open(false);
    expect(await next.resealAll()).toBe(CONNECTIONS - done);
    expect(await next.resealAll()).toBe(0);
    await expectAllOpen(next);
    await next.close();
    expect(keyIdsInRows().size).toBe(1);
  },
);
