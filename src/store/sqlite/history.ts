import type { Leftover } from '../../connection/decision.ts';
import type { LifeEvent } from '../../connection/record.ts';
import { leftoverContext } from '../../connection/secrets.ts';
import { MOST_UNREAD } from '../store.ts';
import type { KeyRing } from './key-ring.ts';
import { leftoverOf, lifeEventOf } from './rows.ts';
import type { Statements } from './statements.ts';

/*
 * What a connection leaves behind: lines of history, and sealed things that belong to no current token set.
 */

/** Lines of history kept for each connection. */
export const LIFE_LINES = 500;

/** A connection's history, newest first. */
export function lifeOf(sql: Statements, connection: string, limit: number): readonly LifeEvent[] {
  return sql
    .all('SELECT * FROM life WHERE connection = ? ORDER BY id DESC LIMIT ?', connection, limit)
    .map(lifeEventOf);
}

/** A refresh drops old lines only so often, since looking for them takes longer than adding one. */
const TRIM_EVERY = 16;

/** Adds a line, and drops the oldest beyond {@link LIFE_LINES}; a few more may stand for some refreshes. */
export function addLife(sql: Statements, connection: string, event: LifeEvent): void {
  sql.insert('life', {
    connection,
    at: event.at,
    event: event.event,
    grant_id: event.grantId,
    generation: event.generation,
    by_keeper: event.by,
    fingerprint: event.fingerprint ?? null,
    detail: event.detail ?? null,
  });
  if (event.event === 'refreshed' && event.generation % TRIM_EVERY !== 0) return;
  sql.run(
    `DELETE FROM life WHERE connection = ?1 AND id <=
      (SELECT id FROM life WHERE connection = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
    connection,
    LIFE_LINES,
  );
}

/** Sealed things kept for a connection, the newest first. */
export function leftoversOf(sql: Statements, connection: string): readonly Leftover[] {
  return sql
    .all('SELECT * FROM leftover WHERE connection = ? ORDER BY at DESC, attempt', connection)
    .map(leftoverOf);
}

/** Keeps a sealed thing, under the data key in use; of answers that nobody could read the oldest go beyond {@link MOST_UNREAD}. */
export function keepLeftover(
  sql: Statements,
  ring: KeyRing,
  connection: string,
  leftover: Leftover,
): void {
  const { kind, grantId: grant_id, attemptId: attempt, at } = leftover;
  const sealed = ring.reseal(leftover.sealed, leftoverContext(connection, leftover));
  sql.insert('leftover', { connection, attempt, kind, grant_id, sealed, at }, 'OR REPLACE');
  if (kind !== 'quarantine') return;
  // Not the one that just came, whatever the clock says.
  sql.run(
    `DELETE FROM leftover WHERE connection = ?1 AND attempt IN
      (SELECT attempt FROM leftover WHERE connection = ?1 AND kind = 'quarantine' AND attempt <> ?2
        ORDER BY at DESC, attempt LIMIT -1 OFFSET ?3)`,
    connection,
    attempt,
    MOST_UNREAD - 1,
  );
}
