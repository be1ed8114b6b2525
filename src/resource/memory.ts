import type { AccessToken } from '../access-token.ts';

/** What the calls of one connection know from each other. Kept in memory, one for each connection of a keeper. */
export interface ApiMemory {
  /** Renewals under way, by the generation that the API refused. */
  readonly renewals: Map<number, Promise<AccessToken>>;
  /** The newest generation that was refused although it had just been renewed for that reason; -1 when there is none. */
  newestFruitless: number;
  /** Until when the API asked to wait, epoch milliseconds. Remembered for people and pacing; calls are not held back. */
  throttledUntil: number | undefined;
}

/** An empty memory. */
export function newApiMemory(): ApiMemory {
  return { renewals: new Map(), newestFruitless: -1, throttledUntil: undefined };
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
