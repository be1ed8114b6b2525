import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Leftover } from '../../../src/connection/decision.ts';
import {
  clientSecretContext,
  leftoverContext,
  mapSealed,
  subscriptionKeyContext,
  tokenContext,
} from '../../../src/connection/secrets.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { sqliteHome, type SqliteHome } from '../../support/sqlite-home.ts';
import {
  clientRecord,
  connectionRecord,
  lifeEvent,
  tokenSet,
} from '../../support/store-records.ts';

/*
 * Somebody who can write the database and has no key moves what is sealed, or the words beside it: nothing may then be used as what it
 * is not.
 */

let home: SqliteHome;
let store: SqliteStore;

beforeEach(async () => {
  home = await sqliteHome();
  store = await home.open();
  for (const id of ['client-1', 'client-2']) {
    await store.putClient(clientRecord(store, { id, clientId: id }));
  }
  for (const id of ['a', 'b']) {
    const seal = store.sealer.seal(`key of ${id}`, subscriptionKeyContext(id));
    const tokens = {
      ...tokenSet(store, id, 1),
      idToken: store.sealer.seal(`id token of ${id}`, tokenContext(id, 'idToken', 1)),
    };
    const record = connectionRecord(store, id, { subscriptionKey: seal, tokens });
    await store.insert(record, lifeEvent('connected'));
    for (const kind of ['stray', 'revoke', 'quarantine'] as const) await putAway(id, kind);
  }
});
afterEach(async () => {
  await store.close();
  await home.remove();
});

async function putAway(id: string, kind: Leftover['kind']): Promise<void> {
  const label = { kind, grantId: `grant of ${kind}`, attemptId: `${kind} of ${id}` };
  const sealed = store.sealer.seal(`{"refreshToken":"${kind}"}`, leftoverContext(id, label));
  await store.transition(id, () => ({ result: true, leftovers: [{ ...label, sealed, at: 1 }] }), {
    durable: true,
  });
}

/** Runs SQL in the database file as a person with a tool would. */
function change(sql: string): void {
  const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
  database.exec(sql);
  database.close();
}

/** Opens everything that belongs to a connection, as a keeper would. */
async function use(id: string): Promise<void> {
  const view = await store.read(id);
  if (view === undefined) throw new Error(`${id} is gone`);
  const { connection, client } = view;
  mapSealed(connection, (sealed, context) => {
    store.sealer.open(sealed, context);
    return sealed;
  });
  if (client.secret !== undefined) store.sealer.open(client.secret, clientSecretContext(client));
  for (const left of await store.leftovers(id)) {
    store.sealer.open(left.sealed, leftoverContext(id, left));
  }
}

const copy = (table: string, column: string, from: string, to: string): string =>
  `UPDATE ${table} SET ${column} = (SELECT ${column} FROM ${table} WHERE ${from}) WHERE ${to}`;
const token = (column: string, from: string): string =>
  `UPDATE connection SET ${column} = (SELECT ${from}) WHERE id = 'a'`;

const SECRETS = ['access_token', 'refresh_token', 'id_token', 'subscription_key'];
const WORDS = ['name', 'grant_id', 'client', 'facts', 'token_set', 'state', 'mac'];

const SWAPS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    SECRETS.map((column) => [
      `the ${column} of another connection`,
      copy('connection', column, `id = 'b'`, `id = 'a'`),
    ]),
  ),
  ...Object.fromEntries(
    SECRETS.flatMap((column) =>
      SECRETS.filter((other) => other !== column).map((other) => [
        `its ${other} as its ${column}`,
        token(column, other),
      ]),
    ),
  ),
  'the id of another connection': `PRAGMA foreign_keys = OFF; DELETE FROM connection WHERE id = 'a';
    UPDATE connection SET id = 'a' WHERE id = 'b'`,
  'the client of another registration': `UPDATE connection SET client = 'client-2' WHERE id = 'a'`,
  'another generation': `UPDATE connection SET generation = 2 WHERE id = 'a'`,
  'the secret of another client': copy('client', 'secret', `id = 'client-2'`, `id = 'client-1'`),
  'another revision of the client': `UPDATE client SET revision = 2 WHERE id = 'client-1'`,
  'another token endpoint': `UPDATE client SET token_endpoint = 'https://evil.example' WHERE id = 'client-1'`,
  'the MAC of another client': copy('client', 'mac', `id = 'client-2'`, `id = 'client-1'`),
  'a leftover of another connection': `DELETE FROM leftover WHERE connection = 'a';
    UPDATE leftover SET connection = 'a' WHERE attempt = 'stray of b'`,
  'the bytes of a leftover of another connection': copy(
    'leftover',
    'sealed',
    `attempt = 'stray of b'`,
    `attempt = 'stray of a'`,
  ),
  'a token to be revoked as a stray': `UPDATE leftover SET kind = 'stray' WHERE attempt = 'revoke of a'`,
  'a quarantined answer as a stray': `UPDATE leftover SET kind = 'stray' WHERE attempt = 'quarantine of a'`,
  'a stray as one to be revoked': `UPDATE leftover SET kind = 'revoke' WHERE attempt = 'stray of a'`,
  'a stray of another grant': `UPDATE leftover SET grant_id = 'grant-1' WHERE attempt = 'stray of a'`,
  'a stray of another attempt': `UPDATE leftover SET attempt = 'other' WHERE attempt = 'stray of a'`,
  'its refresh token as a leftover': `UPDATE leftover SET sealed = (SELECT refresh_token FROM connection WHERE id = 'a')
    WHERE attempt = 'stray of a'`,
  'a leftover as its refresh token': token(
    'refresh_token',
    `sealed FROM leftover WHERE attempt = 'stray of a'`,
  ),
};

it('opens before anything is moved', () => use('a'));

it.each(Object.entries(SWAPS))('refuses %s', async (_, sql) => {
  change(sql);
  await expect(use('a')).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
});

it.each(WORDS)('refuses the %s of another connection', async (column) => {
  await store.transition('b', () => ({ result: true, connection: OTHER }), { durable: true });
  // The name is unique.
  change(`UPDATE connection SET name = 'free' WHERE id = 'b' AND '${column}' <> 'mac'`);
  const taken = column === 'name' ? `'b'` : `(SELECT ${column} FROM connection WHERE id = 'b')`;
  change(`UPDATE connection SET ${column} = ${taken} WHERE id = 'a'`);
  await expect(use('a')).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
});

/** So that connection b differs from connection a in every column. */
const OTHER = {
  grantId: 'grant-2',
  clientId: 'client-2',
  perspioTenantId: 'in-other',
  state: { kind: 'disconnected', since: 1 },
  tokens: undefined,
} as const;

describe('an older secret put back', () => {
  it.each(['access_token', 'refresh_token'])('is refused: %s', async (column) => {
    change(`CREATE TABLE kept AS SELECT ${column} AS cell FROM connection WHERE id = 'a'`);
    const tokens = tokenSet(store, 'a', 2);
    await store.transition('a', () => ({ result: true, connection: { generation: 2, tokens } }), {
      durable: true,
    });
    await use('a');
    change(token(column, 'cell FROM kept'));
    await expect(use('a')).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
  });

  it('is refused: the secret of a client', async () => {
    change(`CREATE TABLE kept AS SELECT secret AS cell FROM client WHERE id = 'client-1'`);
    const registration = { tokenEndpoint: 'https://as.example/token', clientId: 'client-1' };
    const seal = ({ id }: { readonly id: string }, revision: number): Uint8Array =>
      store.sealer.seal('another secret', clientSecretContext({ id, revision }));
    await store.setClientSecret(registration, seal, undefined);
    await use('a');
    change(`UPDATE client SET secret = (SELECT cell FROM kept) WHERE id = 'client-1'`);
    await expect(use('a')).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
  });
});

describe('an index of names that tells of other rows', () => {
  const INDEX = 'sqlite_autoindex_connection_2';

  /** Runs SQL while the index by which names are unique stands still. */
  function behindTheIndex(sql: string): void {
    const database = new DatabaseSync(path.join(home.folder, 'evergrant.db'));
    database.enableDefensive(false);
    const kept = database.prepare('SELECT * FROM sqlite_schema WHERE name = ?').get(INDEX);
    const table = `type = 'table' AND name = 'connection'`;
    const unique = 'name TEXT NOT NULL UNIQUE';
    const edit = (statement: string): void =>
      database.exec(`PRAGMA writable_schema = ON; ${statement}; PRAGMA writable_schema = RESET`);
    edit(
      `DELETE FROM sqlite_schema WHERE name = '${INDEX}';
       UPDATE sqlite_schema SET sql = replace(sql, '${unique}', 'name TEXT NOT NULL') WHERE ${table}`,
    );
    database.exec(sql);
    edit(
      `UPDATE sqlite_schema SET sql = replace(sql, 'name TEXT NOT NULL,', '${unique},') WHERE ${table};
       INSERT INTO sqlite_schema VALUES ('index', '${INDEX}', 'connection', ${String(kept?.['rootpage'])}, NULL)`,
    );
    database.close();
  }

  const swap = `UPDATE connection SET name = 'x' WHERE id = 'a'; UPDATE connection SET name = 'a' WHERE id = 'b';
    UPDATE connection SET name = 'b' WHERE id = 'a'`;
  const swapBack = `UPDATE connection SET name = 'x' WHERE id = 'a'; UPDATE connection SET name = 'b' WHERE id = 'b';
    UPDATE connection SET name = 'a' WHERE id = 'a'`;

  it('leads nobody to the connection of another name', async () => {
    change(swap);
    behindTheIndex(swapBack);
    await use('a');
    await expect(store.find('a')).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
  });

  it('hides no connection', async () => {
    change(`UPDATE connection SET name = 'x' WHERE id = 'a'`);
    behindTheIndex(`UPDATE connection SET name = 'a' WHERE id = 'a'`);
    expect((await store.find('a'))?.connection.id).toBe('a');
    expect(await store.findDamage()).not.toEqual([]);
  });
});
