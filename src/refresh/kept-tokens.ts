import type { KeptToken } from './kept-token.ts';

/** Names are put side by side for the first time when there are so many; fewer are in the processor's cache wherever they lie. */
const MANY = 1_024;
/** And again whenever there are so many times more. */
const GROWTH = 1.5;

/** The access tokens of a keeper by the names of their connections. */
export class KeptTokens {
  #tokens = new Map<string, KeptToken>();
  /** When there are so many, their names are put side by side. */
  #until = MANY;

  /** The token last put, if there is one. */
  get(name: string): KeptToken | undefined {
    return this.#tokens.get(name);
  }

  /** Puts a token, or none, in place of what was there, which is served no more. */
  put(name: string, token: KeptToken | undefined): void {
    const before = this.#tokens.get(name);
    if (before === token) return;
    before?.drop();
    if (token === undefined) this.#tokens.delete(name);
    else this.#tokens.set(name, token);
    if (this.#tokens.size >= this.#until) this.#gather();
  }

  /** Forgets all; none is served any more. */
  clear(): void {
    for (const token of this.#tokens.values()) token.drop();
    this.#tokens.clear();
  }

  /**
   * Names read one by one are strewn all over the heap, between what else was read, and a look-up compares names: most of its time would be
   * spent on fetching them into the processor's cache.
   */
  #gather(): void {
    this.#until = Math.ceil(this.#tokens.size * GROWTH);
    const copies = [...this.#tokens].map(([name, token]) => [copyOf(name), token] as const);
    this.#tokens = new Map(copies);
  }
}

function copyOf(name: string): string {
  return Buffer.from(name, 'utf16le').toString('utf16le');
}
