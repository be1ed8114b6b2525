import type { Notice } from '../../connection/record.ts';
import { LONGEST_RESERVATION_MS } from '../store.ts';
import { noticeOf } from './rows.ts';
import type { Statements } from './statements.ts';

/*
 * Messages that somebody must get: written with what they tell of, kept until delivered. That they were is kept by the feed alone.
 */

/** Takes the instant, and until when a reservation made at it may last. */
const NOT_RESERVED = '(coalesce(reserved_until, 0) <= ? OR reserved_until > ?)';

/** Adds a message; about a connection, or about the store. */
export function addNotice(
  sql: Statements,
  connection: string | undefined,
  { kind, actor, at, message }: Omit<Notice, 'id' | 'connection'>,
): void {
  sql.insert('notice', { connection: connection ?? null, kind, actor, at, message });
}

/** Whether any message waits for its delivery, reserved or not. */
export function hasNotices(sql: Statements): boolean {
  return sql.get('SELECT 1 FROM notice LIMIT 1') !== undefined;
}

/** Messages that are not reserved at `now`, oldest first. */
export function pendingNotices(sql: Statements, now: number, limit: number): readonly Notice[] {
  return sql
    .all(
      `SELECT notice.*, connection.name AS name FROM notice
        LEFT JOIN connection ON connection.id = notice.connection
        WHERE ${NOT_RESERVED}
        ORDER BY notice.id LIMIT ?`,
      now,
      now + LONGEST_RESERVATION_MS,
      limit,
    )
    .map(noticeOf);
}

/** Reserves a message for one deliverer. @returns false when it is delivered or reserved already. */
export function reserveNotice(sql: Statements, id: number, now: number, until: number): boolean {
  const reserved = sql.run(
    `UPDATE notice SET reserved_until = ?
      WHERE id = ? AND ${NOT_RESERVED}`,
    until,
    id,
    now,
    now + LONGEST_RESERVATION_MS,
  );
  return reserved > 0;
}

/** Forgets a message that was delivered. */
export function removeNotice(sql: Statements, id: number): void {
  sql.run('DELETE FROM notice WHERE id = ?', id);
}
