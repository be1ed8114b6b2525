import type { AccessToken } from '../access-token.ts';
import type { ApiLimit } from '../providers/provider.ts';

/** What the calls of one connection know from each other. Kept in memory, one for each connection of a keeper. */
export interface ApiMemory {
  /** Renewals under way, by the generation that the API refused. */
  readonly renewals: Map<number, Promise<AccessToken>>;
  /** The newest generation that was refused although it had just been renewed for that reason; -1 when there is none. */
  newestFruitless: number;
  /** Calls that come in this stretch of time are held back, epoch milliseconds; undefined when none are. */
  held: { readonly from: number; readonly until: number } | undefined;
}

/** An empty memory. */
export function newApiMemory(): ApiMemory {
  return { renewals: new Map(), newestFruitless: -1, held: undefined };
}

/**
 * Another token after a refusal. All calls that were refused with one generation share one renewal.
 *
 * @param renew - makes the renewal, or finds that a newer token exists already.
 * @returns undefined when the refused token itself came of a renewal that the API did not like: the next would not help.
 */
export function renewOnce(
  memory: ApiMemory,
  generation: number,
  renew: () => Promise<AccessToken>,
): Promise<AccessToken> | undefined {
  if (generation <= memory.newestFruitless) return undefined;
  const underWay = memory.renewals.get(generation);
  if (underWay !== undefined) return underWay;
  const renewal = renew().finally(() => memory.renewals.delete(generation));
  memory.renewals.set(generation, renewal);
  return renewal;
}

/**
 * Remembers that the API asked to wait. Calls are held back only where the provider documents limits: those count all calls together, while
 * elsewhere an answer may speak of one address alone. The longest documented window is the longest that a call is held back.
 * Of limits that are met at the same time the one that lasts longest counts: calls that were under way may meet another.
 */
export function throttle(
  memory: ApiMemory,
  limits: readonly ApiLimit[] | undefined,
  now: number,
  waitMs: number,
): void {
  if (limits === undefined || limits.length === 0) return;
  const longestMs = Math.max(...limits.map(({ windowMs }) => windowMs));
  const before = heldBackUntil(memory, now) ?? 0;
  memory.held = { from: now, until: Math.max(before, now + Math.min(waitMs, longestMs)) };
}

/** Until when calls are held back; undefined when they are not. A clock that was set back ends it. */
export function heldBackUntil({ held }: ApiMemory, now: number): number | undefined {
  return held !== undefined && now >= held.from && now < held.until ? held.until : undefined;
}
