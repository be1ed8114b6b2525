import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ConnectionRecord, TokenSet } from '../../src/connection/record.ts';
import { tokenContext } from '../../src/connection/secrets.ts';
import { openHome } from '../../src/keeper.ts';
import { DataKeys } from '../../src/store/sealing.ts';
import { withMac } from '../../src/store/sqlite/row-mac.ts';
import { connectionCells, type Cell } from '../../src/store/sqlite/rows.ts';
import { nameOf } from './home.ts';
import { accessToken, refreshToken } from './tokens.ts';

/*
 * A home that holds very many connections. A keeper adds each in a durable transaction, which would take half an hour; here one that a keeper
 * added is the pattern of all others. Their rows are made, authenticated and, where they will be served, sealed by the store's own code, and
 * written in one transaction that nothing need survive.
 */

/** What the many are. */
export interface Bulk {
  /** Name of the pattern. */
  readonly like: string;
  /** Number of the first, for its name and its tokens. */
  readonly from: number;
  /** How many. */
  readonly count: number;
  /** So much later than the pattern they come due and expire, each a millisecond after the one before. */
  readonly laterMs: number;
  /**
   * Whether each has tokens of its own. Else it has those of the pattern, which open for nobody else: for connections that are held and never
   * served.
   */
  readonly sealed: boolean;
}

/** What all rows are made from. */
interface Pattern {
  readonly record: ConnectionRecord;
  readonly cells: Readonly<Record<string, Cell>>;
  readonly keys: DataKeys;
}

/** Adds them to a home that nobody has open. */
export async function addInBulk(home: string, bulk: Bulk): Promise<void> {
  const pattern = await patternIn(home, bulk.like);
  const database = new DatabaseSync(path.join(home, 'store/evergrant.db'));
  try {
    database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY;
      PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -300000`);
    const columns = Object.keys(rowOf(pattern, bulk, 0));
    const places = columns.map(() => '?').join(', ');
    const insert = database.prepare(
      `INSERT INTO connection (${columns.join(', ')}) VALUES (${places})`,
    );
    // The first line of each one's history is like that of the pattern.
    database.exec(`CREATE TEMP TABLE line AS
      SELECT * FROM life WHERE connection = '${pattern.record.id}' ORDER BY id LIMIT 1`);
    const addLine = database.prepare(`
      INSERT INTO life (connection, at, event, grant_id, generation, by_keeper, fingerprint, detail)
        SELECT ?, at, event, ?, generation, by_keeper, fingerprint, detail FROM line`);
    database.exec('BEGIN');
    for (let i = 0; i < bulk.count; i++) {
      const row = rowOf(pattern, bulk, i);
      insert.run(...Object.values(row));
      addLine.run(row['id'] ?? '', row['grant_id'] ?? '');
    }
    database.exec('COMMIT; PRAGMA journal_mode = WAL');
  } finally {
    database.close();
  }
}

async function patternIn(home: string, name: string): Promise<Pattern> {
  const { keeper, store } = await openHome({ home, create: false });
  try {
    const view = await store.find(name);
    if (view === undefined) throw new Error(`there is no ${name}`);
    const { sealer: keys } = store;
    if (!(keys instanceof DataKeys)) throw new Error('the store seals with other keys');
    return { record: view.connection, cells: connectionCells(view.connection), keys };
  } finally {
    await keeper.close();
  }
}

function rowOf(pattern: Pattern, bulk: Bulk, i: number): Record<string, Cell> {
  const cells = connectionCells(recordOf(pattern, bulk, i), pattern);
  return withMac(pattern.keys, 'connection', cells);
}

function recordOf({ record, keys }: Pattern, bulk: Bulk, i: number): ConnectionRecord {
  const id = randomUUID();
  const number = bulk.from + i;
  const { generation } = record;
  const { tokens } = record;
  if (tokens === undefined) throw new Error(`${bulk.like} has no tokens`);
  const moved = bulk.laterMs === 0 ? tokens : later(tokens, bulk.laterMs + i);
  const own = (): Partial<TokenSet> => ({
    accessToken: keys.seal(accessToken(number), tokenContext(id, 'accessToken', generation)),
    refreshToken: keys.seal(refreshToken(number), tokenContext(id, 'refreshToken', generation)),
    fingerprint: keys.fingerprint(refreshToken(number)),
  });
  const set = bulk.sealed ? { ...moved, ...own() } : moved;
  return { ...record, id, name: nameOf(number), grantId: randomUUID(), tokens: set };
}

function later(tokens: TokenSet, ms: number): TokenSet {
  const { dueAt, accessLifeMs, accessExpiresAt } = tokens;
  return {
    ...tokens,
    dueAt: dueAt + ms,
    accessLifeMs: accessLifeMs + ms,
    accessExpiresAt: accessExpiresAt + ms,
  };
}
