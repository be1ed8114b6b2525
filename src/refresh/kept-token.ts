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
interface Terms extends TokenKind {
  /** So long before its end callers begin to wait for a newer one. */
  readonly marginMs: number;
  /** How much sooner than stored it ends by the wall clock, because that was set back. */
  readonly cutMs: number;
  /** How much sooner it ends by the steady reckoning than by its expiry. */
  readonly driftMs: number;
}

/** Never found good: what was dropped is not served any more by those who hold it. */
const DROPPED = -1;

/** An access token with until when it is served. */
export class KeptToken extends AccessToken {
  /** When it was last read or found good; see the windows of the memory. */
  #seen: number;

  /** @param now - when it was read; from then on the clocks count. @param seen - see {@link KeptToken.seen}. */
  constructor(value: string, record: KeptParts, now: Now, seen: number) {
    const terms = termsOf(record, now);
    const { accessExpiresAt: expiresAt } = record.tokens;
    const { generation } = record;
    super(value, { type: terms.type, scope: terms.scope, expiresAt, generation }, terms);
    this.#seen = seen;
  }

  /** When it was last read or found good; see the windows of the memory. */
  get seen(): number {
    return this.#seen;
  }

  /** Notes that it was read or found good. Does nothing once it was dropped. */
  see(when: number): void {
    if (this.#seen !== DROPPED) this.#seen = when;
  }

  /** Notes that another has taken its place, or none. */
  drop(): void {
    this.#seen = DROPPED;
  }

  /** Until its end, by the clock that is further; negative afterwards. */
  leftMs({ wall, steady }: Now): number {
    const { expiresAt } = this;
    const { cutMs, driftMs } = this.#terms;
    return Math.min(expiresAt - cutMs - wall, expiresAt - driftMs - steady);
  }

  /** Until callers begin to wait for a newer one; negative afterwards. */
  leftUntilEarlyMs(now: Now): number {
    return this.leftMs(now) - this.#terms.marginMs;
  }

  get #terms(): Terms {
    return AccessToken.kindOf(this) as Terms;
  }
}

/** What a kept token is made of, besides its value. */
interface KeptParts extends Pick<ConnectionRecord, 'generation'> {
  /** Its set. */
  readonly tokens: TokenSet;
  /** Whose parts it shares. */
  readonly pool: TokenPool;
}

function termsOf({ tokens, pool }: KeptParts, now: Now): Terms {
  const { accessExpiresAt: expiresAt, accessLifeMs, tokenType, scope } = tokens;
  const remainingMs = remainingLifeMs(tokens, now.wall);
  const isSetBack = isClockSetBack(tokens, now.wall);
  return pool.once({
    type: schemeOf(tokenType),
    scope,
    countsFrom: expiresAt - (expiresAt % COUNTED_MS),
    marginMs: isSetBack ? remainingMs : earlyExpiryMs(accessLifeMs),
    cutMs: expiresAt - now.wall - remainingMs,
    driftMs: Math.ceil(expiresAt - now.steady - remainingMs),
  });
}

/** Twelve days: what is counted in less of them is a small whole number to the engine. */
const COUNTED_MS = 2 ** 30;
/** So many terms are shared at most; of more the first are no longer found, which costs room and nothing else. */
const MOST = 1_000;

/** What tokens have in common, each kept once. */
export class TokenPool {
  readonly #terms = new Map<string, Terms>();

  /** These terms, or the same ones met before. */
  once(terms: Terms): Terms {
    const key = JSON.stringify(terms);
    const known = this.#terms.get(key);
    if (known !== undefined) return known;
    if (this.#terms.size >= MOST) this.#terms.clear();
    this.#terms.set(key, terms);
    return terms;
  }
}

/** Servers write the scheme in any case; resource servers are not all as tolerant. @see RFC 6749 section 5.1 */
function schemeOf(tokenType: string): string {
  return tokenType.toLowerCase() === 'bearer' ? 'Bearer' : tokenType;
}
