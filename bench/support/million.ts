import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/*
 * A store that holds very many connections. Adding them one by one would take minutes; here one row is copied. The copies are told apart
 * by id, name and next step, and the MAC of none is right: whoever reads one of them fails, which is what is to be shown.
 */

/** Copies the row of a connection so many times, each with its next step that far ahead. */
export function copyConnection(home: string, name: string, copies: number, aheadMs: number): void {
  const database = new DatabaseSync(path.join(home, 'store/evergrant.db'));
  try {
    const columns = database
      .prepare(`SELECT name FROM pragma_table_info('connection')`)
      .all()
      .map((row) => String(row['name']));
    const changed: Record<string, string> = {
      id: `'copy-' || n`,
      name: `'copy-' || n`,
      next_step_at: `next_step_at + ${String(aheadMs)} + n`,
    };
    const cells = columns.map((column) => changed[column] ?? `"${column}"`);
    database.exec(`
      WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ${String(copies)})
      INSERT INTO connection (${columns.map((column) => `"${column}"`).join(', ')})
        SELECT ${cells.join(', ')} FROM copy, connection WHERE name = '${name}'`);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}
