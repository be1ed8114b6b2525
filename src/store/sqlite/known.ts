/** Rows remembered by key; the oldest go when there are too many. */
export class Known<T> {
  readonly #rows = new Map<string, T>();
  readonly #most: number;

  /** @param most - so many rows are remembered. */
  constructor(most = 2_048) {
    this.#most = most;
  }

  /** The row, if it is remembered. */
  get(key: string): T | undefined {
    return this.#rows.get(key);
  }

  /** Remembers a row. */
  set(key: string, row: T): void {
    this.#rows.set(key, row);
    if (this.#rows.size <= this.#most) return;
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest);
      return;
    }
  }

  /** Remembers it no longer. */
  delete(key: string): void {
    this.#rows.delete(key);
  }

  /** Remembers nothing. */
  clear(): void {
    this.#rows.clear();
  }
}
