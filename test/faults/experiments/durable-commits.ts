import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreFile } from '../../../src/store/sqlite/store-file.ts';
import { Writer } from '../../../src/store/sqlite/writer.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { Findings } from './findings.ts';

/** SQLite's name for a commit that waits until the disk has it. */
const FULL = 2;

/** Makes so many durable and so many other commits by turns, and asks SQLite at each whether it waits for the disk. */
export async function commitDurably(commits: number): Promise<Findings> {
  const findings = new Findings('durable commits', 'not waited for the disk');
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-durable-'));
  const database = new DatabaseSync(path.join(folder, 'a.db'));
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (n)');
    const file = new StoreFile('a.db', { database, kind: 'writable', stamp: '' });
    const writer = new Writer(file, 'a.db', systemClock);
    for (let n = 0; n < commits; n++) {
      await writer.write(() => insert(database, n), false);
      const level = await writer.write(() => insert(database, n), true);
      findings.count('durable commits');
      findings.check(level === FULL, 'not waited for the disk', `commit ${String(n)}`);
    }
    return findings;
  } finally {
    database.close();
    await rm(folder, { recursive: true });
  }
}

/** @returns how the transaction under way will be committed. */
function insert(database: DatabaseSync, n: number): number {
  database.prepare('INSERT INTO t VALUES (?)').run(n);
  return Number(database.prepare('PRAGMA synchronous').get()?.['synchronous']);
}
