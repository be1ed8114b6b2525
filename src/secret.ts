import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * A value that cannot be printed by accident: logs, errors, JSON and `util.inspect` show `[secret]`. Only {@link Secret.reveal} hands
 * the value out, so every use of a secret can be found by searching for that name.
 */
export class Secret {
  readonly #value: string;

  /** @param value - the characters to guard. */
  constructor(value: string) {
    this.#value = value;
  }

  /** The guarded characters. Give them to the wire or to a person who asked, and to nothing else. */
  reveal(): string {
    return this.#value;
  }

  /** Whether both guard the same characters. How long that takes tells nothing about where they differ, only whether they are as long. */
  equals(other: Secret): boolean {
    const [mine, theirs] = [Buffer.from(this.#value), Buffer.from(other.#value)];
    return mine.length === theirs.length && timingSafeEqual(mine, theirs);
  }

  /** Always `[secret]`. */
  toString(): string {
    return '[secret]';
  }

  /** Always `[secret]`. */
  toJSON(): string {
    return '[secret]';
  }

  /** Always `[secret]`. */
  [inspect.custom](): string {
    return '[secret]';
  }
}
