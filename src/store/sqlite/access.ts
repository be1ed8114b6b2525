import { ConfigurationError } from '../../errors.ts';
import type {
  AccessKey,
  AccessStore,
  Draw,
  DrawFilter,
  FeedEvent,
  Policy,
  Verb,
} from '../access-store.ts';
import type { DataKeys } from '../sealing.ts';
import type { StoreFile } from './store-file.ts';
import { checkMac, withMac } from './row-mac.ts';
import { json, number, optionalNumber, optionalText, text, type Cell, type Row } from './rows.ts';
import type { Statements } from './statements.ts';
import type { Writer } from './writer.ts';

/** To look for the oldest draws takes longer than adding one, so they go a hundredth of what is kept at a time. */
const TRIM_SHARE = 100;
/** Refusals are kept besides, so many times fewer. */
const REFUSED_SHARE = 10;

/** Keys, draws and events in the file of the store. Nothing here is remembered, so its writes leave alone what is remembered of connections. */
export class SqliteAccess implements AccessStore {
  readonly #file: StoreFile;
  readonly #writer: Writer;
  readonly #keys: DataKeys;
  /** Draws added since old ones went; a process that has just begun cannot tell. */
  #sinceTrim = Infinity;

  /** Made by the store. */
  constructor(file: StoreFile, writer: Writer, keys: DataKeys) {
    this.#file = file;
    this.#writer = writer;
    this.#keys = keys;
  }

  addKey(key: AccessKey): Promise<void> {
    return this.#write(() => {
      const isTaken = this.#sql.get(
        'SELECT 1 FROM access_key WHERE name = ? AND revoked_at IS NULL',
        key.name,
      );
      if (isTaken !== undefined) throw nameTaken(key.name);
      this.#sql.insert('access_key', withMac(this.#keys, 'access_key', keyCells(key)));
    });
  }

  key(id: string): AccessKey | undefined {
    return this.#writer.reading(() => {
      const row = this.#sql.get('SELECT * FROM access_key WHERE id = ?', id);
      return row === undefined ? undefined : this.#keyOf(row);
    });
  }

  async keys(): Promise<readonly AccessKey[]> {
    return this.#writer.reading(() =>
      this.#sql
        .all('SELECT * FROM access_key ORDER BY name, created_at')
        .map((row) => this.#keyOf(row)),
    );
  }

  revokeKeys(name: string, now: number): Promise<number> {
    return this.#write(() => {
      const rows = this.#sql.all(
        'SELECT * FROM access_key WHERE name = ? AND revoked_at IS NULL',
        name,
      );
      for (const row of rows) {
        const revoked = { ...this.#keyOf(row), revokedAt: now };
        const cells = withMac(this.#keys, 'access_key', keyCells(revoked));
        this.#sql.update('access_key', revoked.id, cells);
      }
      return rows.length;
    });
  }

  addDraws(draws: readonly Draw[], keep: number): Promise<void> {
    const add = (): void => {
      for (const draw of draws) this.#sql.insert('draw', drawCells(draw));
    };
    this.#sinceTrim += draws.length;
    if (this.#sinceTrim <= keep / TRIM_SHARE) return this.#writer.write(add, false, true);
    this.#sinceTrim = 0;
    const addAndTrim = (): void => {
      add();
      this.#trim('refused_because IS NULL', keep);
      this.#trim('refused_because IS NOT NULL', Math.ceil(keep / REFUSED_SHARE));
    };
    return this.#writer.write(addAndTrim, false, true);
  }

  /** Each kind by itself: whoever is refused must not push out what was granted. */
  #trim(kind: string, keep: number): void {
    this.#sql.run(
      `DELETE FROM draw WHERE ${kind} AND id <=
        (SELECT id FROM draw WHERE ${kind} ORDER BY id DESC LIMIT 1 OFFSET ?)`,
      keep,
    );
  }

  async draws({ connection, caller, refused, limit }: DrawFilter): Promise<readonly Draw[]> {
    const conditions = [
      ...(connection === undefined ? [] : ['connection = ?']),
      ...(caller === undefined ? [] : ['caller = ?']),
      ...(refused === true ? ['refused_because IS NOT NULL'] : []),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const cells = [connection, caller].filter((cell) => cell !== undefined);
    return this.#writer.reading(() =>
      this.#sql
        .all(`SELECT * FROM draw ${where} ORDER BY id DESC LIMIT ?`, ...cells, limit)
        .map(drawOf),
    );
  }

  events(afterId: number, limit: number): readonly FeedEvent[] {
    return this.#writer.reading(() =>
      this.#sql
        .all('SELECT * FROM feed WHERE id > ? ORDER BY id LIMIT ?', afterId, limit)
        .map(eventOf),
    );
  }

  eventRange(): { readonly first: number; readonly last: number } {
    return this.#writer.reading(() => {
      const row = this.#sql.get(
        `SELECT coalesce((SELECT min(id) FROM feed), 0) AS first,
          coalesce((SELECT max(id) FROM feed), 0) AS last`,
      );
      if (row === undefined) return { first: 0, last: 0 };
      return { first: number(row, 'first'), last: number(row, 'last') };
    });
  }

  get #sql(): Statements {
    return this.#file.statements;
  }

  #write<T>(run: () => T): Promise<T> {
    return this.#writer.write(run, true, true);
  }

  #keyOf(row: Row): AccessKey {
    checkMac(this.#keys, 'access_key', row);
    return {
      id: text(row, 'id'),
      name: text(row, 'name'),
      digest: Buffer.from(text(row, 'digest'), 'hex'),
      policy: json(row, 'policy') as Policy,
      createdAt: number(row, 'created_at'),
      expiresAt: optionalNumber(row, 'expires_at'),
      revokedAt: optionalNumber(row, 'revoked_at'),
    };
  }
}

/** The digest as text, because the MAC of a row covers what bytes say by their presence alone. */
function keyCells(key: AccessKey): Record<string, Cell> {
  return {
    id: key.id,
    name: key.name,
    digest: Buffer.from(key.digest).toString('hex'),
    policy: JSON.stringify(key.policy),
    created_at: key.createdAt,
    expires_at: key.expiresAt ?? null,
    revoked_at: key.revokedAt ?? null,
  };
}

function nameTaken(name: string): ConfigurationError {
  return new ConfigurationError(
    'ERR_ARGUMENT',
    `there is a key for ${name} already; revoke it first, or choose another name`,
  );
}

function drawCells(draw: Draw): Record<string, Cell> {
  return {
    at: draw.at,
    caller: draw.caller,
    key_id: draw.keyId ?? null,
    connection: draw.connection ?? null,
    verb: draw.verb,
    what: draw.what,
    refused_because: draw.refusedBecause ?? null,
    count: draw.count,
  };
}

function drawOf(row: Row): Draw {
  return {
    at: number(row, 'at'),
    caller: text(row, 'caller'),
    keyId: optionalText(row, 'key_id'),
    connection: optionalText(row, 'connection'),
    verb: text(row, 'verb') as Verb,
    what: text(row, 'what'),
    refusedBecause: optionalText(row, 'refused_because'),
    count: number(row, 'count'),
  };
}

/** Reads a row of the feed. */
export function eventOf(row: Row): FeedEvent {
  const [kind, actor] = [optionalText(row, 'kind'), optionalText(row, 'actor')];
  return {
    id: number(row, 'id'),
    at: number(row, 'at'),
    event: text(row, 'event'),
    connectionId: optionalText(row, 'connection'),
    connection: optionalText(row, 'name'),
    generation: optionalNumber(row, 'generation'),
    detail: optionalText(row, 'detail'),
    ...(kind !== undefined && actor !== undefined && { kind, actor }),
  };
}
