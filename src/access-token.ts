import { inspect } from 'node:util';

/** What the tokens of many connections have in common. */
export interface TokenKind {
  /** Scheme for the Authorization header, e.g. `Bearer`. */
  readonly type: string;
  /** Scopes. */
  readonly scope: readonly string[];
  /** Expiry counts from here, epoch milliseconds: what is left is a small whole number, which needs no room of its own on the heap. */
  readonly countsFrom: number;
}

/** An access token as programs use it. Its value can be read but is not printed. */
export class AccessToken {
  /** Generation of the connection it belongs to. */
  readonly generation: number;
  readonly #value: string;
  readonly #kind: TokenKind;
  /** From the instant that its kind names to its true expiry. */
  readonly #lifeMs: number;

  /** Made by the keeper. @param kind - type and scope once more, as an object that many tokens share. */
  constructor(
    value: string,
    details: {
      readonly type: string;
      readonly scope: readonly string[];
      readonly expiresAt: number;
      readonly generation: number;
    },
    kind: TokenKind = { type: details.type, scope: details.scope, countsFrom: 0 },
  ) {
    this.generation = details.generation;
    this.#value = value;
    this.#kind = kind;
    this.#lifeMs = details.expiresAt - kind.countsFrom;
  }

  /** What a token has in common with others. */
  protected static kindOf(token: AccessToken): TokenKind {
    return token.#kind;
  }

  /** True expiry, epoch milliseconds. */
  get expiresAt(): number {
    return this.#kind.countsFrom + this.#lifeMs;
  }

  /** Scheme for the Authorization header, e.g. `Bearer`. */
  get type(): string {
    return this.#kind.type;
  }

  /** Scopes of this token. */
  get scope(): readonly string[] {
    return this.#kind.scope;
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
