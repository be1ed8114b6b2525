import { inspect } from 'node:util';

/** An access token as programs use it. Its value can be read but is not printed. */
export class AccessToken {
  /** Scheme for the Authorization header, e.g. `Bearer`. */
  readonly type: string;
  /** Scopes of this token. */
  readonly scope: readonly string[];
  /** True expiry, epoch milliseconds. */
  readonly expiresAt: number;
  /** Generation of the connection it belongs to. */
  readonly generation: number;
  readonly #value: string;

  /** Made by the keeper. */
  constructor(
    value: string,
    details: {
      readonly type: string;
      readonly scope: readonly string[];
      readonly expiresAt: number;
      readonly generation: number;
    },
  ) {
    this.#value = value;
    this.type = details.type;
    this.scope = details.scope;
    this.expiresAt = details.expiresAt;
    this.generation = details.generation;
  }

  /** The characters to send. */
  get value(): string {
    return this.#value;
  }

  /** The header field value, e.g. `Bearer …`. @see RFC 6750 section 2.1 */
  get authorization(): string {
    return `${this.type} ${this.#value}`;
  }

  /** Everything but the value. */
  toJSON(): object {
    return { type: this.type, scope: this.scope, expiresAt: this.expiresAt };
  }

  /** Everything but the value. */
  [inspect.custom](): string {
    return `AccessToken { value: [secret], type: '${this.type}', expiresAt: ${String(this.expiresAt)} }`;
  }
}
