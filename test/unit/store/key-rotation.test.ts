import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

it('is followed by a store that accepts a copy, which seals nothing under the retired key', async () => {
  const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
  database.exec(`INSERT INTO meta (key, value) VALUES ('backup_at', '1')`);
  database.close();
  const other = await home.open(false);
  await store.rotateDataKey();
  expect(await other.acceptCopy()).toBe(CONNECTIONS);
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

describe('a secret that was altered', () => {
  function change(sql: string): void {
    const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
    database.exec(sql);
    database.close();
  }
  const FLAWS: readonly (readonly [string, string])[] = [
    [
      'connection-3',
      `UPDATE connection SET refresh_token = zeroblob(80) WHERE id = 'connection-3'`,
    ],
    ['connection-4', `UPDATE connection SET access_token = x'00' WHERE id = 'connection-4'`],
    ['connection-5', `UPDATE connection SET facts = '{}' WHERE id = 'connection-5'`],
    ['connection-0', `UPDATE leftover SET sealed = zeroblob(60)`],
    ['client app', `UPDATE client SET secret = zeroblob(60)`],
    ['client client-1', `UPDATE client SET refusal = 'altered'`],
  ];

  it.each(FLAWS)('is named, and stops the rotation of nothing else: %s', async (named, sql) => {
    const before = store.sealer.wrappedDataKey().id;
    change(sql);
    const failure = {
      code: 'ERR_STORE_DAMAGED',
      message: expect.stringContaining(named) as unknown,
    };
    await expect(store.rotateDataKey()).rejects.toMatchObject(failure);
    const { dataKeys } = await store.keyStatus();
    expect(dataKeys.map(({ id }) => id)).toContain(before);
    await store.close();
    const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
    const rows = database.prepare('SELECT id, refresh_token AS sealed FROM connection').all();
    const left = rows.filter(({ sealed }) => dataKeyIdOf(sealed as Uint8Array) === before);
    database.close();
    expect(left.map(({ id }) => id)).toEqual(named === 'connection-5' ? [named] : []);
  });

  it('does not keep a connection from being renewed after a rotation', async () => {
    change(`UPDATE connection SET access_token = zeroblob(80) WHERE id = 'connection-3'`);
    await store.rotateDataKey().catch(() => undefined);
    const claim = { owner: OWNER, attemptId: 'i', claimedAt: 1 };
    await store.transition('connection-3', () => ({ result: true, connection: { claim } }), {
      durable: true,
    });
    await renew(store, 'connection-3');
  });
});

const OWNER = { ownerId: 'o', machineId: 'm', bootId: 'b', life: 'l', pid: 1 };

describe('the choice of the data key', () => {
  const damaged = { code: 'ERR_STORE_DAMAGED' };
  function change(sql: string): void {
    const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
    database.exec(sql);
    database.close();
  }

  it.each([
    ['a retired one', `UPDATE meta SET value = (SELECT id FROM data_key WHERE number = 1)`],
    ['what was said of a retired one', `UPDATE meta SET value = (SELECT value FROM kept)`],
    ['one that is not there', `UPDATE meta SET value = '0123456789abcdef'`],
    ['nothing', `UPDATE meta SET value = ''`],
  ])('is refused when it was changed to %s', async (_, sql) => {
    change(`CREATE TABLE kept AS SELECT value FROM meta WHERE key = 'data_key'`);
    await store.rotateDataKey();
    const sealed = store.sealer.wrappedDataKey().id;
    change(`${sql} WHERE key = 'data_key'`);
    await expect(renew(store, 'connection-1')).rejects.toMatchObject(damaged);
    expect(store.sealer.wrappedDataKey().id).toBe(sealed);
    await expect(home.open(false)).rejects.toMatchObject(damaged);
  });

  it('is refused when the key itself was swapped for another of the store', async () => {
    await store.rotateDataKey();
    await store.close();
    change(`UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE number = 1)`);
    await expect(home.open(false)).rejects.toMatchObject({ code: 'ERR_KEY_WRONG' });
  });

  it('is refused when the keys that fingerprints derive from were swapped', async () => {
    await store.rotateDataKey();
    await store.close();
    change(
      `UPDATE meta SET value = (SELECT id FROM data_key WHERE number = 2) WHERE key = 'first_data_key'`,
    );
    await expect(home.open(false)).rejects.toMatchObject(damaged);
  });
});
