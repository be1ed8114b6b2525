import { sabotaged } from '#failpoints';
import type { FeedEvent } from '../access-store.ts';
import {
  LONGEST_WAIT_MS,
  type Collected,
  type Collecting,
  type DeadLetter,
  type Letter,
  type ReceiverCounts,
  type WebhookStore,
  type Work,
} from '../webhook-store.ts';
import { eventOf } from './access.ts';
import { json, number, optionalNumber, text, type Row } from './rows.ts';
import type { Statements } from './statements.ts';
import type { StoreFile } from './store-file.ts';
import type { Writer } from './writer.ts';

const BATCH = 200;
const MOST_WAITING = 100_000;
const MOST_DEAD = 10_000;

/** JSON leaves out what is undefined; a receiver is promised every member. */
const NOTHING_TOLD = {
  connectionId: undefined,
  connection: undefined,
  generation: undefined,
  detail: undefined,
} as const;

/** An instant that has come, or that lies further ahead than any that was ever set. */
const HAS_COME = '(next_at <= ? OR next_at > ?)';

/** Letters in the file of the store. Of each lane, which is a connection, only the first letter has an instant at which it is due. */
export class SqliteWebhooks implements WebhookStore {
  readonly #file: StoreFile;
  readonly #writer: Writer;

  /** Made by the store. */
  constructor(file: StoreFile, writer: Writer) {
    this.#file = file;
    this.#writer = writer;
  }

  async setReceivers(names: readonly string[]): Promise<void> {
    // A daemon must start where the store cannot be written.
    const known = this.#writer.reading(() => this.#sql.all('SELECT receiver FROM webhook'));
    const isSame = known.length === names.length;
    if (isSame && known.every((row) => names.includes(text(row, 'receiver')))) return;
    await this.#write(() => {
      for (const name of names) {
        this.#sql.run(
          `INSERT OR IGNORE INTO webhook (receiver, collected)
            VALUES (?, coalesce((SELECT max(id) FROM feed), 0))`,
          name,
        );
      }
      const listed = JSON.stringify(names);
      for (const table of ['webhook', 'letter']) {
        const gone = 'receiver NOT IN (SELECT value FROM json_each(?))';
        this.#sql.run(`DELETE FROM ${table} WHERE ${gone}`, listed);
      }
    });
  }

  work(receiver: string, now: number): Work {
    return this.#writer.reading(() => {
      const row = this.#sql.get('SELECT * FROM webhook WHERE receiver = ?', receiver);
      if (row === undefined) return { isNew: false, isDue: false };
      const last = this.#sql.get('SELECT max(id) AS last FROM feed');
      const isNew =
        (last === undefined ? 0 : (optionalNumber(last, 'last') ?? 0)) > number(row, 'collected');
      const due = `SELECT 1 FROM letter WHERE receiver = ? AND next_at IS NOT NULL AND ${HAS_COME} LIMIT 1`;
      const isDue =
        !isHeld(row, now) && this.#sql.get(due, receiver, now, now + LONGEST_WAIT_MS) !== undefined;
      return { isNew, isDue };
    });
  }

  collect(receiver: string, collecting: Collecting): Promise<Collected> {
    return this.#write(() => {
      const row = this.#sql.get('SELECT collected FROM webhook WHERE receiver = ?', receiver);
      if (row === undefined || this.#waiting(receiver) >= MOST_WAITING)
        return { isMore: false, missed: 0 };
      const known = number(row, 'collected');
      const events = this.#sql
        .all('SELECT * FROM feed WHERE id > ? ORDER BY id LIMIT ?', known, BATCH)
        .map(eventOf);
      const [first] = events;
      const last = events.at(-1);
      if (first === undefined || last === undefined) return { isMore: false, missed: 0 };
      for (const event of events) {
        if (!collecting.wants(event.event)) continue;
        this.#add(collecting.newId(), receiver, event, collecting.now);
      }
      this.#sql.run('UPDATE webhook SET collected = ? WHERE receiver = ?', last.id, receiver);
      return { isMore: events.length === BATCH, missed: first.id - known - 1 };
    });
  }

  claim(receiver: string, now: number, until: number, limit: number): Promise<readonly Letter[]> {
    return this.#write(() => {
      const row = this.#sql.get('SELECT held_until FROM webhook WHERE receiver = ?', receiver);
      if (row === undefined || isHeld(row, now)) return [];
      const rows = this.#sql.all(
        `SELECT * FROM letter WHERE receiver = ? AND next_at IS NOT NULL AND ${HAS_COME}
          ORDER BY next_at, number LIMIT ?`,
        receiver,
        now,
        now + LONGEST_WAIT_MS,
        limit,
      );
      for (const due of rows) {
        if (sabotaged('webhook-lease')) break;
        this.#sql.run(
          'UPDATE letter SET next_at = ? WHERE number = ?',
          until,
          number(due, 'number'),
        );
      }
      return rows.map(letterOf);
    });
  }

  delivered(letter: Letter, now: number): Promise<void> {
    return this.#write(() => {
      const row = this.#alive(letter);
      if (row === undefined) return;
      this.#sql.run('DELETE FROM letter WHERE number = ?', number(row, 'number'));
      this.#goOn(row, now);
    });
  }

  failed(letter: Letter, reason: string, nextAt: number): Promise<void> {
    return this.#write(() => {
      this.#sql.run(
        `UPDATE letter SET failures = failures + 1, reason = ?, next_at = ?
          WHERE id = ? AND next_at IS NOT NULL`,
        reason,
        nextAt,
        letter.id,
      );
    });
  }

  gaveUp(letter: Letter, reason: string, now: number): Promise<void> {
    return this.#write(() => {
      const row = this.#alive(letter);
      if (row === undefined) return;
      this.#sql.run(
        'UPDATE letter SET failures = failures + 1, reason = ?, next_at = NULL, dead_at = ? WHERE number = ?',
        reason,
        now,
        number(row, 'number'),
      );
      this.#goOn(row, now);
      this.#sql.run(
        `DELETE FROM letter WHERE number IN (SELECT number FROM letter WHERE dead_at IS NOT NULL
          ORDER BY dead_at DESC, number DESC LIMIT -1 OFFSET ?)`,
        MOST_DEAD,
      );
    });
  }

  hold(receiver: string, until: number): Promise<void> {
    return this.#write(() => {
      this.#sql.run('UPDATE webhook SET held_until = ? WHERE receiver = ?', until, receiver);
    });
  }

  async deadLetters({
    receiver,
    after,
    limit,
  }: Parameters<WebhookStore['deadLetters']>[0]): Promise<readonly DeadLetter[]> {
    const conditions = [
      'dead_at IS NOT NULL',
      ...(receiver === undefined ? [] : ['receiver = ?']),
      ...(after === undefined ? [] : ['(dead_at, number) < (?, ?)']),
    ];
    const cells = [receiver, after?.deadAt, after?.number].filter((cell) => cell !== undefined);
    return this.#writer.reading(() =>
      this.#sql
        .all(
          `SELECT * FROM letter WHERE ${conditions.join(' AND ')}
            ORDER BY dead_at DESC, number DESC LIMIT ?`,
          ...cells,
          limit,
        )
        .map((row) => ({
          ...letterOf(row),
          reason: text(row, 'reason'),
          deadAt: number(row, 'dead_at'),
          number: number(row, 'number'),
        })),
    );
  }

  revive(id: string, now: number): Promise<boolean> {
    return this.#write(() => {
      // A lane of its own: what came after it has gone on.
      const revived = this.#sql.run(
        `UPDATE letter SET dead_at = NULL, failures = 0, next_at = ?, lane = 'again ' || id
          WHERE id = ? AND dead_at IS NOT NULL`,
        now,
        id,
      );
      return revived > 0;
    });
  }

  receivers(): readonly ReceiverCounts[] {
    const count = (which: string): string =>
      `(SELECT count(*) FROM letter WHERE letter.receiver = webhook.receiver AND dead_at ${which})`;
    const all = `SELECT receiver, ${count('IS NULL')} AS waiting, ${count('IS NOT NULL')} AS dead
      FROM webhook ORDER BY receiver`;
    return this.#writer.reading(() =>
      this.#sql.all(all).map((row) => ({
        name: text(row, 'receiver'),
        waiting: number(row, 'waiting'),
        dead: number(row, 'dead'),
      })),
    );
  }

  counts(): { readonly waiting: number; readonly dead: number } {
    return this.#writer.reading(() => {
      const row = this.#sql.get(
        `SELECT (SELECT count(*) FROM letter WHERE dead_at IS NULL) AS waiting,
          (SELECT count(*) FROM letter WHERE dead_at IS NOT NULL) AS dead`,
      );
      if (row === undefined) return { waiting: 0, dead: 0 };
      return { waiting: number(row, 'waiting'), dead: number(row, 'dead') };
    });
  }

  get #sql(): Statements {
    return this.#file.statements;
  }

  /** What is lost with the power is sent again. */
  #write<T>(run: () => T): Promise<T> {
    return this.#writer.write(run, false, true);
  }

  #waiting(receiver: string): number {
    const row = this.#sql.get(
      'SELECT count(*) AS waiting FROM letter WHERE receiver = ? AND dead_at IS NULL',
      receiver,
    );
    return row === undefined ? 0 : number(row, 'waiting');
  }

  #alive({ id }: Letter): Row | undefined {
    return this.#sql.get('SELECT * FROM letter WHERE id = ? AND dead_at IS NULL', id);
  }

  #add(id: string, receiver: string, event: FeedEvent, now: number): void {
    const lane = event.connectionId ?? '';
    const isFirst = this.#firstOf(receiver, lane) === undefined || sabotaged('webhook-order');
    const next = isFirst ? now : null;
    const content = JSON.stringify(event);
    this.#sql.insert('letter', { id, receiver, lane, content, failures: 0, next_at: next });
  }

  /** Makes the next letter of a lane due, unless the lane has one that is. */
  #goOn(row: Row, now: number): void {
    const next = this.#firstOf(text(row, 'receiver'), text(row, 'lane'));
    if (next === undefined || optionalNumber(next, 'next_at') !== undefined) return;
    this.#sql.run('UPDATE letter SET next_at = ? WHERE number = ?', now, number(next, 'number'));
  }

  #firstOf(receiver: string, lane: string): Row | undefined {
    return this.#sql.get(
      `SELECT number, next_at FROM letter WHERE receiver = ? AND lane = ? AND dead_at IS NULL
        ORDER BY number LIMIT 1`,
      receiver,
      lane,
    );
  }
}

function isHeld(row: Row, now: number): boolean {
  const until = optionalNumber(row, 'held_until') ?? 0;
  return until > now && until <= now + LONGEST_WAIT_MS;
}

function letterOf(row: Row): Letter {
  return {
    id: text(row, 'id'),
    receiver: text(row, 'receiver'),
    event: { ...NOTHING_TOLD, ...(json(row, 'content') as FeedEvent) },
    failures: number(row, 'failures'),
  };
}
