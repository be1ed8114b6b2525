import { sabotaged } from '#failpoints';
import { createHash } from 'node:crypto';
import { ServerUnavailableError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import type { Clock } from '../../system/clock.ts';
import type { Random } from '../../system/random.ts';
import type { Caller } from '../access/caller.ts';
import { SignIn, SIGN_IN_MS, type Order, type SignInParts } from './sign-in.ts';

/*
 * Links that let a person consent, kept in memory: they end with the process, and a sign-in under way with them. Looking at a link changes
 * nothing, since programs look at links as well. The first browser that begins takes it for itself, and is good for one success.
 */

/** How long a link is good, unless told otherwise. */
export const LINK_LIFE_MS = 24 * 3_600_000;
/** How long after its end a link is still known to the browser that used it. */
const KNOWN_AFTER_MS = 2 * SIGN_IN_MS;
const MOST_LINKS = 1_000;
/** Of these by one key, so that it leaves room for others. */
const MOST_BY_KEY = 50;
/** Each makes requests to the authorization server. */
const MOST_ATTEMPTS = 20;

/** A link. */
export interface Link {
  /** Names it where everybody may know it. */
  readonly id: string;
  /** Name of the connection. */
  readonly name: string;
  /** Who made it. */
  readonly by: Caller;
  /** Until when a sign-in can begin. */
  readonly expiresAt: number;
  /** What it leads to; forgotten once it is done. */
  order: Order | undefined;
  /** Digest of what the browser holds that took it. */
  browser: string | undefined;
  /** The latest attempt. */
  signIn: SignIn | undefined;
  /** How many there were. */
  attempts: number;
}

/** The links of one process. */
export class Links {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #mayStill: (by: Caller) => boolean;
  readonly #byToken = new Map<string, Link>();
  readonly #byId = new Map<string, Link>();

  /**
   * None yet.
   *
   * @param mayStill - whether whoever made a link still may: it is as good as the key that it was made with.
   */
  constructor(clock: Clock, random: Random, mayStill: (by: Caller) => boolean) {
    this.#clock = clock;
    this.#random = random;
    this.#mayStill = mayStill;
  }

  /** Makes a link. @throws {@link ServerUnavailableError} `ERR_RATE_EXCEEDED` when too many wait. */
  offer(order: Order, by: Caller, lifeMs: number): { readonly token: Secret; readonly link: Link } {
    this.#forgetOld();
    this.#checkRoom(by);
    const token = this.draw();
    const id = Buffer.from(this.#random.bytes(12)).toString('base64url');
    const expiresAt = this.#clock.now() + lifeMs;
    const { name } = order;
    const fresh = { browser: undefined, signIn: undefined, attempts: 0 };
    const link: Link = { id, name, by, expiresAt, order, ...fresh };
    this.#byToken.set(digestOf(token), link);
    this.#byId.set(id, link);
    return { token: new Secret(token), link };
  }

  /** The link of an address, if a sign-in can begin with it. */
  find(token: string): Link | undefined {
    const link = this.#byToken.get(digestOf(token));
    return link !== undefined && this.isOpen(link) ? link : undefined;
  }

  /** Links that somebody took who holds this, by id, whatever became of them. */
  takenBy(held: ReadonlyMap<string, string>): readonly Link[] {
    if (sabotaged('consent-browser')) return [...this.#byId.values()];
    return [...held].flatMap(([id, value]) => {
      const link = this.#byId.get(id);
      return link?.browser === digestOf(value) ? [link] : [];
    });
  }

  /** Whether a sign-in can begin with it. */
  isOpen(link: Link): boolean {
    const { expiresAt, order, attempts } = link;
    if (order === undefined || attempts >= MOST_ATTEMPTS) return false;
    return this.#clock.now() < expiresAt && this.isBacked(link);
  }

  /** Whether whoever made it still may, so that a sign-in under way can be answered. */
  isBacked({ by }: Link): boolean {
    return sabotaged('link-maker') || this.#mayStill(by);
  }

  /** Whether the browser that holds this took the link, or may. */
  isFor({ browser }: Link, held: string | undefined): boolean {
    if (browser === undefined) return true;
    return held !== undefined && digestOf(held) === browser;
  }

  /** Begins a sign-in, in place of one that nobody answered; the browser has the link for itself from now on. */
  begin(link: Link, held: string, redirectUri: string, parts: SignInParts): SignIn {
    const { order, signIn: before } = link;
    if (before?.isAnswered === true && before.ended === undefined) return before;
    if (order === undefined) throw new TypeError('a link that is done begins nothing');
    before?.stop();
    link.browser = digestOf(held);
    link.attempts++;
    const signIn = new SignIn(order, redirectUri, parts);
    link.signIn = signIn;
    void signIn.outcome.then(({ kind }) => {
      // With the order goes the client's secret that it may hold.
      if (kind === 'connected') link.order = undefined;
    });
    return signIn;
  }

  /** 256 bits, as they stand in an address or a cookie. */
  draw(): string {
    return Buffer.from(this.#random.bytes(32)).toString('base64url');
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [key, link] of this.#byToken) {
      const isDone = link.order === undefined && this.#byToken.size >= MOST_LINKS;
      if (!isDone && now < link.expiresAt + KNOWN_AFTER_MS) continue;
      this.#byToken.delete(key);
      this.#byId.delete(link.id);
    }
  }

  #checkRoom({ keyId }: Caller): void {
    const all = [...this.#byToken.values()].filter(({ order }) => order !== undefined);
    const own = keyId === undefined ? [] : all.filter(({ by }) => by.keyId === keyId);
    const full = own.length >= MOST_BY_KEY ? own : all;
    if (own.length < MOST_BY_KEY && all.length < MOST_LINKS) return;
    throw new ServerUnavailableError(
      'ERR_RATE_EXCEEDED',
      `${String(full.length)} links wait for a person; let some be used, or end`,
      { retryAt: KNOWN_AFTER_MS + Math.min(...full.map(endOf)) },
    );
  }
}

function endOf({ expiresAt }: Link): number {
  return expiresAt;
}

/** What is looked up is a digest, so how long that takes tells nothing. */
function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
