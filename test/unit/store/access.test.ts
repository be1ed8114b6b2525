import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccessKey, Draw } from '../../../src/store/access-store.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/schema.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { sqliteHome, type SqliteHome } from '../../support/sqlite-home.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';

const NOW = Date.UTC(2026, 0, 1);
let home: SqliteHome;
let store: SqliteStore;

beforeEach(async () => {
  home = await sqliteHome();
  store = await home.open();
});

afterEach(async () => {
  await store.close();
  await home.remove();
});

function accessKey(changes: Partial<AccessKey> = {}): AccessKey {
  return {
    id: 'k1',
    name: 'reporting',
    digest: Buffer.alloc(32, 7),
    policy: { connections: ['perspio'], verbs: ['token'], rate: { requests: 5, perMs: 1_000 } },
    createdAt: NOW,
    expiresAt: NOW + 1,
    revokedAt: undefined,
    ...changes,
  };
}

function draw(changes: Partial<Draw> = {}): Draw {
  return {
    at: NOW,
    caller: 'reporting',
    keyId: 'k1',
    connection: 'perspio',
    verb: 'token',
    what: 'token',
    refusedBecause: undefined,
    count: 1,
    ...changes,
  };
}

/** Changes the file as somebody would who has no key. */
function tamper(sql: string): void {
  const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
  database.exec(sql);
  database.close();
}

describe('keys', () => {
  it('come back as they were stored', async () => {
    await store.access.addKey(accessKey());
    expect(store.access.key('k1')).toEqual(accessKey());
    expect(store.access.key('k2')).toBeUndefined();
  });

  it('have a name of their own until they are revoked', async () => {
    await store.access.addKey(accessKey());
    await expect(store.access.addKey(accessKey({ id: 'k2' }))).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    expect(await store.access.revokeKeys('reporting', NOW + 5)).toBe(1);
    expect(await store.access.revokeKeys('reporting', NOW + 6)).toBe(0);
    await store.access.addKey(accessKey({ id: 'k2' }));
    const keys = await store.access.keys();
    expect(keys.map(({ id, revokedAt }) => [id, revokedAt]).sort()).toEqual([
      ['k1', NOW + 5],
      ['k2', undefined],
    ]);
  });

  it.each([
    `UPDATE access_key SET digest = '${'00'.repeat(32)}'`,
    `UPDATE access_key SET policy = '{"connections":["*"],"verbs":["token"]}'`,
    'UPDATE access_key SET expires_at = NULL',
    'UPDATE access_key SET revoked_at = NULL, name = name || 1',
  ])('are not believed after %s', async (sql) => {
    await store.access.addKey(accessKey());
    tamper(sql);
    expect(() => store.access.key('k1')).toThrow(
      expect.objectContaining({ code: 'ERR_STORE_DAMAGED' }),
    );
  });
});

describe('the audit', () => {
  it('tells the newest first, by connection, caller and refusal', async () => {
    await store.access.addDraws(
      [draw(), draw({ connection: 'other', refusedBecause: 'no' }), draw({ caller: 'owner' })],
      1_000,
    );
    const told = async (filter: object): Promise<number> =>
      (await store.access.draws({ limit: 10, ...filter })).length;
    expect(await store.access.draws({ limit: 1 })).toEqual([draw({ caller: 'owner' })]);
    expect(await told({ connection: 'perspio' })).toBe(2);
    expect(await told({ caller: 'reporting' })).toBe(2);
    expect(await told({ caller: 'reporting', refused: true })).toBe(1);
    expect(await told({})).toBe(3);
  });

  it('keeps the newest rows alone', async () => {
    for (let i = 1; i <= 12; i++) await store.access.addDraws([draw({ at: NOW + i })], 10);
    const kept = await store.access.draws({ limit: 100 });
    expect(kept.map(({ at }) => at - NOW)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  });

  it('keeps what was granted, however much is refused', async () => {
    const refused = Array.from({ length: 50 }, (_, i) =>
      draw({ at: NOW + i, refusedBecause: 'no' }),
    );
    await store.access.addDraws([draw({ caller: 'granted' })], 20);
    await store.access.addDraws(refused, 20);
    const kept = await store.access.draws({ limit: 100 });
    expect(kept.map(({ caller, at }) => [caller, at - NOW])).toEqual([
      ['reporting', 49],
      ['reporting', 48],
      ['granted', 0],
    ]);
  });
});

describe('the feed', () => {
  async function connect(id: string): Promise<void> {
    const client = await store.putClient(clientRecord(store));
    await store.insert(
      connectionRecord(store, id, { name: id, clientId: client.id }),
      lifeEvent('connected'),
    );
  }

  async function notify(id = 'a'): Promise<void> {
    await connect(id);
    const notices = [{ kind: 'attention', actor: 'owner', at: NOW, message: 'sign in' }] as const;
    await store.transition(id, () => ({ result: true, notices }), { durable: true });
  }

  it('tells what is recorded, in its order, with the name of the connection', async () => {
    await connect('a');
    await store.transition(
      'a',
      () => ({
        result: true,
        life: [lifeEvent('attention')],
        notices: [{ kind: 'attention', actor: 'owner', at: NOW, message: 'sign in again' }],
      }),
      { durable: true },
    );
    const events = store.access.events(0, 10);
    expect(events.map(({ event, connection }) => [event, connection])).toEqual([
      ['connected', 'a'],
      ['attention', 'a'],
      ['notice', 'a'],
    ]);
    expect(store.access.events(events[1]?.id ?? 0, 10)).toEqual(events.slice(2));
  });

  it('says of a notice what it is of, and who must act', async () => {
    await notify();
    expect(store.access.events(0, 10).map(({ kind, actor }) => [kind, actor])).toEqual([
      [undefined, undefined],
      ['attention', 'owner'],
    ]);
  });

  it('says so of notices from before it kept that, as far as they are kept', async () => {
    await notify();
    const before = store.access.events(0, 10);
    const old = /CREATE TRIGGER feed_of_notices[\s\S]*?END;/.exec(MIGRATIONS[2] ?? '')?.[0] ?? '';
    await store.close();
    tamper(`DROP TRIGGER feed_of_notices; ${old}
      ALTER TABLE feed DROP COLUMN kind; ALTER TABLE feed DROP COLUMN actor;
      INSERT INTO feed (at, event, connection, detail) VALUES (1, 'notice', 'gone', 'long ago');
      ALTER TABLE notice ADD COLUMN delivered_at REAL;
      CREATE INDEX notice_pending ON notice (id) WHERE delivered_at IS NULL;
      PRAGMA user_version = 4`);
    store = await home.open();
    const after = store.access.events(0, 10);
    expect(after.slice(0, 2)).toEqual(before);
    expect(after[2]).toMatchObject({ event: 'notice', detail: 'long ago' });
    expect(after[2]).not.toHaveProperty('kind');
    await notify('b');
    expect(store.access.events(after[2]?.id ?? 0, 10)[1]).toMatchObject({ kind: 'attention' });
  });

  it('outlives the connection', async () => {
    await connect('a');
    const { last } = store.access.eventRange();
    await store.remove('a', 'grant-1', lifeEvent('removed'));
    expect(store.access.events(0, 10).map((one) => [one.event, one.connection])).toEqual([
      ['connected', 'a'],
      ['removed', 'a'],
    ]);
    await connect('b');
    expect(store.access.events(last, 10)[0]?.id).toBe(last + 1);
  });

  it('keeps the newest 20,000 and a few more, under numbers that go on', async () => {
    tamper(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20490)
      INSERT INTO feed (at, event) SELECT i, 'refreshed' FROM n`);
    expect(store.access.eventRange()).toEqual({ first: 481, last: 20_490 });
    await connect('a');
    expect(store.access.eventRange()).toEqual({ first: 481, last: 20_491 });
  });

  it('tells nothing of a transaction that was undone', async () => {
    await connect('a');
    const undone = store.transition(
      'a',
      () => ({
        result: true,
        life: [lifeEvent('refreshed'), { ...lifeEvent('x'), at: undefined as unknown as number }],
      }),
      { durable: true },
    );
    await expect(undone).rejects.toThrow();
    expect(store.access.events(0, 10)).toHaveLength(1);
  });
});
