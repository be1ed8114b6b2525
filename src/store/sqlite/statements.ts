import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { newerSchema } from './database.ts';
import { isUnfit } from './errors.ts';
import type { Cell, Row } from './rows.ts';

/** Prepared statements of one database, prepared when first used. What no longer fits the schema fails as what it is, where a newer evergrant has changed that. */
export class Statements {
  #database: DatabaseSync;
  #prepared = new Map<string, StatementSync>();

  /** @param database - stays open as long as this is used. */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** The database that statements run on. */
  get database(): DatabaseSync {
    return this.#database;
  }

  /** Goes on with another database of the same schema. */
  moveTo(database: DatabaseSync): void {
    this.#database = database;
    this.#prepared = new Map();
  }

  /** Runs statements that return nothing and are not kept. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** The first row, if there is one. */
  get(sql: string, ...cells: Cell[]): Row | undefined {
    return this.#using(sql, (statement) => statement.get(...cells));
  }

  /** All rows. */
  all(sql: string, ...cells: Cell[]): Row[] {
    return this.#using(sql, (statement) => statement.all(...cells));
  }

  /** Writes. @returns how many rows changed. */
  run(sql: string, ...cells: Cell[]): number {
    return this.#using(sql, (statement) => Number(statement.run(...cells).changes));
  }

  /** Inserts one row given by column name. */
  insert(
    table: string,
    cells: Readonly<Record<string, Cell>>,
    or: '' | 'OR IGNORE' | 'OR REPLACE' = '',
  ): number {
    const names = Object.keys(cells);
    const marks = names.map(() => '?').join(', ');
    return this.run(
      `INSERT ${or} INTO ${table} (${names.join(', ')}) VALUES (${marks})`,
      ...Object.values(cells),
    );
  }

  /** Replaces columns of the row with this id. */
  update(table: string, id: string, cells: Readonly<Record<string, Cell>>): number {
    const names = Object.keys(cells);
    const sets = names.map((name) => `${name} = ?`).join(', ');
    return this.run(`UPDATE ${table} SET ${sets} WHERE id = ?`, ...Object.values(cells), id);
  }

  /** An older process may be running still when a newer one changes the schema; it must not take that for damage. */
  #using<T>(sql: string, use: (statement: StatementSync) => T): T {
    try {
      return use(this.#statement(sql));
    } catch (error) {
      throw (isUnfit(error) ? newerSchema(this.#database) : undefined) ?? error;
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
