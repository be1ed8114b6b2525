import { inspect } from 'node:util';
import type { TokenResponse } from './outcome.ts';

/**
 * What a token endpoint issued. The token values can be read but not printed: JSON and `util.inspect` show `[secret]`, and spreading
 * copies none of them.
 *
 * @see RFC 6749 section 5.1
 */
export class IssuedTokens {
  /** As the server wrote it; `Bearer` in any case of letters. */
  readonly tokenType: string;
  /** Life of the access token in seconds from the instant of sending; undefined when the server did not tell. */
  readonly expiresIn: number | undefined;
  /** The scope of the access token, decoded, separated by spaces: as granted, or as asked when the server named none. */
  readonly scope: string | undefined;
  /** Oddities of the request and the answer that were tolerated, in words that hold no secret. */
  readonly warnings: readonly string[];
  readonly #tokens: TokenResponse;

  /** Made by the functions of `evergrant/oauth`. */
  constructor(
    tokens: TokenResponse,
    details: { readonly scope: string | undefined; readonly warnings: readonly string[] },
  ) {
    this.#tokens = tokens;
    this.tokenType = tokens.tokenType ?? '';
    this.expiresIn =
      tokens.accessLifeMs === undefined ? undefined : Math.floor(tokens.accessLifeMs / 1000);
    this.scope = tokens.scope?.join(' ') ?? details.scope;
    this.warnings = [...details.warnings, ...tokens.warnings];
  }

  /** The access token. */
  get accessToken(): string {
    return this.#tokens.accessToken.reveal();
  }

  /** The refresh token that takes the place of the one sent; undefined when none came and the old one stays. */
  get refreshToken(): string | undefined {
    return this.#tokens.refreshToken?.reveal();
  }

  /** The id token, if one came. */
  get idToken(): string | undefined {
    return this.#tokens.idToken?.reveal();
  }

  /** All members of the answer, as the server sent them. Holds the tokens: do not print it. */
  get raw(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.#tokens.raw?.reveal() ?? '{}') as Record<string, unknown>;
  }

  /** Everything, with `[secret]` in place of the tokens. */
  toJSON(): object {
    const { accessToken, refreshToken, idToken } = this.#tokens;
    const { tokenType, expiresIn, scope, warnings } = this;
    return { accessToken, tokenType, expiresIn, scope, refreshToken, idToken, warnings };
  }

  /** As {@link IssuedTokens.toJSON}. */
  [inspect.custom](): string {
    return `IssuedTokens ${inspect(this.toJSON())}`;
  }
}
