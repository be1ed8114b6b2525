/** Counts the token requests of each client. */
export interface Throttle {
  /** Counts one more request of a client; false when it has had too many in the last second. */
  admits(clientId: string, now: number): boolean;
}

/** Makes a throttle; without a limit everything is admitted. */
export function createThrottle(requestsPerSecond: number | undefined): Throttle {
  const recent = new Map<string, number[]>();
  return {
    admits(clientId, now) {
      if (requestsPerSecond === undefined) return true;
      const inLastSecond = (recent.get(clientId) ?? []).filter((at) => at > now - 1000);
      inLastSecond.push(now);
      recent.set(clientId, inLastSecond);
      return inLastSecond.length <= requestsPerSecond;
    },
  };
}
