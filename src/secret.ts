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
