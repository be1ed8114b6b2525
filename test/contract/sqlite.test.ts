import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { setSabotage } from '../support/failpoints.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../support/store-records.ts';
import { storeFolders } from '../support/store-processes.ts';
import { describeStore, noteApart } from './store-contract.ts';

const newHome = storeFolders();

afterEach(() => {
  setSabotage('settle-apart', false);
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

describeStore('SQLite', async () => {
  const home = await newHome();
  return {
    open: () => home.open(),
    write: (id, count, durable) => home.run(durable ? 'write' : 'write-fast', id, count),
    // By another process: to open and close a file of the store in this one would drop its locks.
    bytes: () =>
      Promise.resolve(
        execFileSync('cat', filesBelow(home.home), { maxBuffer: 2 ** 26, encoding: 'buffer' }),
      ),
  };
});

it('SQLite: a write of the same turn loses what was noted of an endpoint, in a build that settles nothing before it', async () => {
  const store = await (await newHome()).open();
  await store.putClient(clientRecord(store));
  for (const name of ['a', 'b'])
    await store.insert(connectionRecord(store, name, { name }), lifeEvent('connected'));
  setSabotage('settle-apart', true);
  const [endpoint] = await noteApart(store, 'a', 'b');
  expect(endpoint).toMatchObject({ blockedUntil: 0 });
});

describe('SQLite: the cost of what is due', () => {
  it('is in proportion to what is due: the index leads to it', async () => {
    const home = await newHome();
    const store = await home.open();
    await store.putClient(clientRecord(store));
    await store.insert(connectionRecord(store, 'a'), lifeEvent('connected'));
    const database = new DatabaseSync(home.file, { readOnly: true });
    const statements = [
      /next_step_at <= \?/,
      /WHERE next_step_at > \? .* ORDER BY next_step_at LIMIT 1/,
    ].map((pattern) => sqlOf(pattern));
    for (const sql of statements) {
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...sql.replaceAll(/[^?]/g, ''))
        .map((row) => String(row['detail']));
      // What was found is gone through once more, for the turns of each endpoint.
      const tables = plan.filter((line) => /^(SEARCH|SCAN) (?!\(subquery)/.test(line));
      expect(tables[0]).toMatch(/USING (COVERING )?INDEX connection_due/);
      expect(tables.filter((line) => !line.includes('INDEX'))).toEqual([]);
    }
    database.close();
  });
});

/** The statement of the adapter that matches, as it stands in the source. */
function sqlOf(pattern: RegExp): string {
  const source = readFileSync(
    path.join(import.meta.dirname, '../../src/store/sqlite/sqlite-store.ts'),
    'utf8',
  );
  const found = [...source.matchAll(/`(SELECT[^`]+)`/g)]
    .map(([, sql = '']) => sql.replace(/\s+/g, ' '))
    .filter((sql) => pattern.test(sql));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}
