import type { ApiLimits } from '../options.ts';

/** What the gateway makes of one more request. */
export type Admission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly because: 'rate' | 'quota'; readonly waitMs: number };

/** Counts requests and bytes against the limits of the API gateway. */
export interface LimitCounter {
  /** Counts a request of `application` unless a limit is reached. */
  admit(application: string, now: number): Admission;
  /** Counts answer bytes against the bandwidth. */
  countBytes(bytes: number, now: number): void;
}

/** Counts for one Perspio tenant. */
export function createLimitCounter(limits: Required<ApiLimits>): LimitCounter {
  const recent = new Map<string, number[]>();
  let quota = { window: 0, requests: 0, bytes: 0 };
  const quotaAt = (now: number): typeof quota => {
    // The quota's window is aligned to the clock, not to the first call.
    const window = Math.floor(now / limits.quotaWindowMs);
    if (window !== quota.window) quota = { window, requests: 0, bytes: 0 };
    return quota;
  };
  return {
    admit(application, now) {
      const since = (recent.get(application) ?? []).filter((at) => at > now - limits.rateWindowMs);
      recent.set(application, since);
      const [oldest = now] = since;
      if (since.length >= limits.rate) {
        return { admitted: false, because: 'rate', waitMs: oldest + limits.rateWindowMs - now };
      }
      const counted = quotaAt(now);
      if (counted.requests >= limits.quota || counted.bytes >= limits.bandwidthBytes) {
        const waitMs = (counted.window + 1) * limits.quotaWindowMs - now;
        return { admitted: false, because: 'quota', waitMs };
      }
      since.push(now);
      counted.requests += 1;
      return { admitted: true };
    },
    countBytes(bytes, now) {
      quotaAt(now).bytes += bytes;
    },
  };
}
