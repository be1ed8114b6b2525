import { createHash, timingSafeEqual } from 'node:crypto';
import { Secret } from '../../secret.ts';
import type { Clock } from '../../system/clock.ts';
import type { Random } from '../../system/random.ts';

/*
 * Who is signed in at a browser. A session has two halves. The cookie is out of reach of scripts, but browsers send it to every port of a host. The
 * proof is out of reach of other ports, since a page keeps it with its origin, and no form can send it. Neither opens anything alone.
 */

/** How long a link to sign in is good. */
export const LINK_LIFE_MS = 60_000;
/** A session ends this long after signing in, */
export const SESSION_LIFE_MS = 12 * 3_600_000;
/** or this long after it was last used. */
export const SESSION_IDLE_MS = 3_600_000;

const MOST_LINKS = 20;
const MOST_SESSIONS = 50;

/** What a browser is given when it signs in. */
export interface SessionHalves {
  /** Goes into the cookie. */
  readonly cookie: Secret;
  /** Is kept by the page, and sent in a field of its own. */
  readonly proof: Secret;
  /** When it ends at the latest, epoch milliseconds. */
  readonly endsAt: number;
}

interface Session {
  readonly proof: Uint8Array;
  readonly endsAt: number;
  usedAt: number;
}

/** Links to sign in and the sessions they led to, of one process; a restart ends them all. */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #links = new Map<string, number>();
  readonly #sessions = new Map<string, Session>();

  readonly #publicUrl: () => string | undefined;

  /** Nobody is signed in. @param publicUrl - how browsers elsewhere reach the daemon, as the settings in force have it. */
  constructor(clock: Clock, random: Random, publicUrl: () => string | undefined) {
    this.#clock = clock;
    this.#random = random;
    this.#publicUrl = publicUrl;
  }

  /** How browsers elsewhere reach the daemon; undefined when that was not said. */
  get publicUrl(): string | undefined {
    return this.#publicUrl();
  }

  /** Makes a code that signs one browser in, once, within {@link LINK_LIFE_MS}. */
  offer(): { readonly code: Secret; readonly endsAt: number } {
    const code = this.#draw();
    const endsAt = this.#clock.now() + LINK_LIFE_MS;
    this.#links.set(keyOf(code), endsAt);
    dropOldest(this.#links, MOST_LINKS);
    return { code: new Secret(code), endsAt };
  }

  /** Signs in. The code is used up, whatever comes of it. @returns undefined when it is not good. */
  redeem(code: string): SessionHalves | undefined {
    const now = this.#clock.now();
    const key = keyOf(code);
    const linkEndsAt = this.#links.get(key);
    this.#links.delete(key);
    if (linkEndsAt === undefined || linkEndsAt <= now) return undefined;
    const [cookie, proof] = [this.#draw(), this.#draw()];
    const endsAt = now + SESSION_LIFE_MS;
    this.#sessions.set(keyOf(cookie), { proof: digestOf(proof), endsAt, usedAt: now });
    dropOldest(this.#sessions, MOST_SESSIONS);
    return { cookie: new Secret(cookie), proof: new Secret(proof), endsAt };
  }

  /** Whether both halves belong to one session that has not ended. Counts as use. */
  isLive(cookie: string, proof: string): boolean {
    const session = this.#find(cookie);
    if (session === undefined || !timingSafeEqual(session.proof, digestOf(proof))) return false;
    session.usedAt = this.#clock.now();
    return true;
  }

  /** Whether the session of a browser that was let in has not ended. Does not count as use. */
  isStanding(cookie: string): boolean {
    return this.#find(cookie) !== undefined;
  }

  /** Signs out. */
  end(cookie: string): void {
    this.#sessions.delete(keyOf(cookie));
  }

  #find(cookie: string): Session | undefined {
    const key = keyOf(cookie);
    const session = this.#sessions.get(key);
    const now = this.#clock.now();
    if (session === undefined) return undefined;
    if (session.endsAt > now && session.usedAt + SESSION_IDLE_MS > now) return session;
    this.#sessions.delete(key);
    return undefined;
  }

  #draw(): string {
    return Buffer.from(this.#random.bytes(32)).toString('base64url');
  }
}

/** What is looked up is a digest, so how long that takes tells nothing. */
function keyOf(secret: string): string {
  return Buffer.from(digestOf(secret)).toString('base64url');
}

function digestOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
