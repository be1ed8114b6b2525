import { seededRandom } from '../../src/emulator/seeded-random.ts';

/** Choices of one attack, which the same seed repeats. */
export class Dice {
  readonly #random: ReturnType<typeof seededRandom>;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    // Neighbouring seeds begin alike.
    for (let i = 0; i < 3; i++) this.#random.fraction();
  }

  /** A whole number from 0 to below the limit. */
  below(limit: number): number {
    return Math.floor(this.#random.fraction() * limit);
  }

  /** True so often, from 0 to 1. */
  chance(share: number): boolean {
    return this.#random.fraction() < share;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** As many as chance wants, up to `most`. */
  several<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }

  /** A list in another order. */
  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    return list.flatMap(() => left.splice(this.below(left.length), 1));
  }
}
