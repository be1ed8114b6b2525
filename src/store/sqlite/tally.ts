import type { EndpointState } from '../../connection/record.ts';
import type { DataKeys } from '../sealing.ts';
import { readVouched, writeVouched } from './meta.ts';
import type { Statements } from './statements.ts';

/*
 * What the changes of one transaction add up to, written once before it is committed: thirty refreshes together count thirty token sets,
 * but leave one counter and one endpoint behind.
 */

/** Adds up over one transaction after another. */
export class Tally {
  readonly #sql: Statements;
  readonly #keys: DataKeys;
  /** Token sets counted so far, where that is known. */
  #rotations: number | undefined;
  /** No token set was received later, where that is known. */
  #latest = -Infinity;
  #rotated = 0;
  #received = -Infinity;
  readonly #endpoints = new Map<string, EndpointState>();

  /** Nothing to write yet. */
  constructor(sql: Statements, keys: DataKeys) {
    this.#sql = sql;
    this.#keys = keys;
  }

  /** Counts one more token set. */
  rotated(): void {
    this.#rotated++;
  }

  /** Notes when a token set was received. */
  received(at: number): void {
    this.#received = Math.max(this.#received, at);
  }

  /** Notes the new state of an endpoint. */
  endpoint(state: EndpointState): void {
    this.#endpoints.set(state.endpoint, state);
  }

  /** Writes what came together. */
  settle(): void {
    if (this.#rotated > 0) {
      const before = this.#rotations ?? Number(readVouched(this.#sql, this.#keys, 'rotations'));
      this.#rotations = before + this.#rotated;
      writeVouched(this.#sql, this.#keys, 'rotations', String(this.#rotations));
    }
    if (this.#received > this.#latest) {
      this.#sql.run(
        `UPDATE meta SET value = ?1 WHERE key = 'latest_received' AND CAST(value AS REAL) < ?1`,
        this.#received,
      );
      this.#latest = this.#received;
    }
    for (const state of this.#endpoints.values()) {
      const cells = { endpoint: state.endpoint, state: JSON.stringify(state) };
      this.#sql.insert('endpoint', cells, 'OR REPLACE');
    }
    this.#clear();
  }

  /** Believes nothing that was read before: somebody else may have written. */
  forget(): void {
    this.#rotations = undefined;
    this.#latest = -Infinity;
  }

  /** The transaction left no trace. */
  undo(): void {
    this.forget();
    this.#clear();
  }

  #clear(): void {
    this.#rotated = 0;
    this.#received = -Infinity;
    this.#endpoints.clear();
  }
}
