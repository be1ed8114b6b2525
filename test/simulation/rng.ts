import type { Random } from '../../src/system/random.ts';

/** The one source of chance of a run: which seed it got decides everything that happens. */
export class Rng implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  /** @param seed - a whole number from 0 on. */
  constructor(seed: number) {
    this.#a = 0x9e3779b9 ^ seed;
    this.#b = 0x243f6a88;
    this.#c = (seed / 2 ** 32) | 0;
    for (let i = 0; i < 12; i++) this.#next();
  }

  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  bytes(length: number): Uint8Array {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.#next();
      for (let i = 0; i < 4 && at + i < length; i++) bytes[at + i] = word >>> (8 * i);
    }
    return bytes;
  }

  uuid(): string {
    return `${this.hex()}-${this.hex()}`;
  }

  /** Eight hex digits. */
  hex(): string {
    return this.#next().toString(16).padStart(8, '0');
  }

  /** True in so many cases of one. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** A whole number of a range, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** A number whose logarithm is spread evenly, so that short and long are both common. */
  spread(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.fraction());
  }

  /** A waiting time for something that happens once in `mean` on average. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  /** One of several. */
  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.between(0, choices.length - 1)];
    if (chosen === undefined) throw new TypeError('there is nothing to choose from');
    return chosen;
  }

  /** One key, in proportion to its weight; undefined when all weights are 0. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K | undefined {
    const entries = Object.entries(weights) as [K, number][];
    const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.fraction() * total;
    return entries.find(([, weight]) => (left -= weight) < 0)?.[0];
  }

  /** sfc32. */
  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}
