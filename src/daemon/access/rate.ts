import type { Clock } from '../../system/clock.ts';

/** How often a key may be used: so many requests at once, and as many again in each stretch of time. */
export interface Rate {
  /** Requests. */
  readonly requests: number;
  /** Stretch of time. */
  readonly perMs: number;
}

interface Bucket {
  left: number;
  at: number;
}

/** Counts the requests of each key, in this process. */
export class Rates {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  /** Nothing is counted yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one request of a key's share. @returns for how long there is none; 0 when it was taken. */
  take(keyId: string, { requests, perMs }: Rate): number {
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(keyId) ?? { left: requests, at: now };
    this.#buckets.set(keyId, bucket);
    bucket.left = Math.min(requests, bucket.left + ((now - bucket.at) * requests) / perMs);
    bucket.at = now;
    if (bucket.left < 1) return Math.ceil(((1 - bucket.left) * perMs) / requests);
    bucket.left -= 1;
    return 0;
  }
}
