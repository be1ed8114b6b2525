import { AccessToken, type TokenKind } from '../access-token.ts';
import { earlyExpiryMs, isClockSetBack, remainingLifeMs } from '../connection/freshness.ts';
import type { ConnectionRecord, TokenSet } from '../connection/record.ts';

/*
 * A keeper may hold very many access tokens, so each holds what serving needs and nothing more: small whole numbers, which need no room of
 * their own on the heap, and what it has in common with others by reference.
 */

/** An instant, by both clocks. */
export interface Now {
  /** Wall time, epoch milliseconds. */
  readonly wall: number;
  /** The monotonic clock, counted from the wall time at which the keeper began; nobody can set it. */
  readonly steady: number;
}

/** How a token is served; mostly the same for all tokens of a client. */
interface Terms {
  /** So long before its end callers begin to wait for a newer one. */
  readonly marginMs: number;
  /** How much sooner than stored it ends by the wall clock, because that was set back. */
  readonly cutMs: number;
}

/** An access token with until when it is served. */
export class KeptToken extends AccessToken {
  readonly #terms: Terms;
  /** How much sooner it ends by the steady reckoning than by its expiry. */
  readonly #driftMs: number;
  /** When it was last read or found good; see the windows of the memory. */
  #seen: number;

  /** @param now - when it was read; from then on the clocks count. @param seen - see {@link KeptToken.seen}. */
  constructor(value: string, record: KeptParts, now: Now, seen: number) {
    const { tokens, generation, pool } = record;
    const remainingMs = remainingLifeMs(tokens, now.wall);
    const isSetBack = isClockSetBack(tokens, now.wall);
    const expiresAt = tokens.accessExpiresAt;
    const kind = pool.kind(tokens);
    super(value, { ...kind, expiresAt, generation }, kind);
    const marginMs = isSetBack ? remainingMs : earlyExpiryMs(tokens.accessLifeMs);
    this.#terms = pool.terms(marginMs, expiresAt - now.wall - remainingMs);
    this.#driftMs = Math.ceil(expiresAt - now.steady - remainingMs);
    this.#seen = seen;
  }

  /** When it was last read or found good; see the windows of the memory. */
  get seen(): number {
    return this.#seen;
  }

  /** Notes that it was read or found good. */
  see(when: number): void {
    this.#seen = when;
  }

  /** Until its end, by the clock that is further; negative afterwards. */
  leftMs({ wall, steady }: Now): number {
    const { expiresAt } = this;
    return Math.min(expiresAt - this.#terms.cutMs - wall, expiresAt - this.#driftMs - steady);
  }

  /** Until callers begin to wait for a newer one; negative afterwards. */
  leftUntilEarlyMs(now: Now): number {
    return this.leftMs(now) - this.#terms.marginMs;
  }
}

/** What a kept token is made of, besides its value. */
interface KeptParts extends Pick<ConnectionRecord, 'generation'> {
  /** Its set. */
  readonly tokens: TokenSet;
  /** Whose parts it shares. */
  readonly pool: TokenPool;
}

/** So many parts are shared at most; of more the first are no longer found, which costs room and nothing else. */
const MOST = 1_000;

/** What tokens have in common, each kept once. */
export class TokenPool {
  readonly #parts = new Map<string, TokenKind | Terms>();

  /** Type and scopes of a set. */
  kind({ tokenType, scope }: TokenSet): TokenKind {
    return this.#once({ type: schemeOf(tokenType), scope });
  }

  /** Terms of serving. */
  terms(marginMs: number, cutMs: number): Terms {
    return this.#once({ marginMs, cutMs });
  }

  #once<T extends TokenKind | Terms>(part: T): T {
    const key = JSON.stringify(part);
    const known = this.#parts.get(key);
    if (known !== undefined) return known as T;
    if (this.#parts.size >= MOST) this.#parts.clear();
    this.#parts.set(key, part);
    return part;
  }
}

/** Servers write the scheme in any case; resource servers are not all as tolerant. @see RFC 6749 section 5.1 */
function schemeOf(tokenType: string): string {
  return tokenType.toLowerCase() === 'bearer' ? 'Bearer' : tokenType;
}
