import type { Backoff, EndpointState } from './record.ts';

/*
 * How hard a token endpoint may be pressed, by all processes of a store together. Every function takes the stored state and returns the
 * new one; the store writes it with the claim or the result that caused it.
 */

/** Limits of a token endpoint. */
export interface GatePolicy {
  /** Requests in any second, over all connections; by default 10. */
  readonly requestsPerSecond: number;
}

/** Failures in a row that open the breaker. */
const BREAKER_OPENS_AT = 5;
const PROBE_FIRST_MS = 30_000;
const PROBE_LAST_MS = 300_000;
const WAIT_LEAST_MS = 1_000;
const WAIT_MOST_MS = 3_600_000;
const WAIT_DEFAULT_MS = 60_000;

/** The state of an endpoint that nothing is known of. */
export function freshEndpoint(endpoint: string): EndpointState {
  return { endpoint, failures: 0, blockedUntil: 0, blockedBecause: undefined, recent: [] };
}

/** Clamps what a server asks for to what is sensible. An instant further ahead was stored under a clock since set back. */
export function clampWaitMs(askedMs: number | undefined): number {
  return Math.min(Math.max(askedMs ?? WAIT_DEFAULT_MS, WAIT_LEAST_MS), WAIT_MOST_MS);
}

/**
 * Asks for a slot to send in. While the breaker is open each slot is a probe: taking it closes the gate for the next interval, so that a
 * process which dies with its probe holds up nobody.
 */
export function passGate(
  state: EndpointState,
  now: number,
  policy: GatePolicy,
): { readonly state: EndpointState } | { readonly until: number; readonly because: string } {
  const blockedUntil = Math.min(state.blockedUntil, now + WAIT_MOST_MS);
  if (blockedUntil > now) {
    return { until: blockedUntil, because: state.blockedBecause ?? 'the server is failing' };
  }
  const recent = state.recent.filter((at) => at > now - 1_000 && at <= now);
  const oldest = recent[0];
  if (oldest !== undefined && recent.length >= policy.requestsPerSecond) {
    return { until: oldest + 1_000, because: 'the budget of requests per second is used up' };
  }
  const probing = state.failures >= BREAKER_OPENS_AT;
  return {
    state: {
      ...state,
      recent: [...recent, now],
      blockedUntil: probing ? now + probeIntervalMs(state.failures) : 0,
    },
  };
}

/** The endpoint after an answer that shows it works. */
export function endpointWorks(state: EndpointState): EndpointState {
  return { ...state, failures: 0, blockedUntil: 0, blockedBecause: undefined };
}

/** The endpoint after a failure of its own (unreachable, 5xx, lost answer); the fifth in a row opens the breaker. */
export function endpointFailed(state: EndpointState, now: number, reason: string): EndpointState {
  const failures = Math.min(state.failures + 1, 1_000);
  if (failures < BREAKER_OPENS_AT) return { ...state, failures };
  const blockedUntil = now + probeIntervalMs(failures);
  return {
    ...state,
    failures,
    blockedUntil,
    blockedBecause: `the server keeps failing (${reason})`,
  };
}

/** The endpoint after it asked to wait; `askedMs` is what it named. */
export function endpointThrottled(
  state: EndpointState,
  now: number,
  askedMs: number | undefined,
): EndpointState {
  const until = now + clampWaitMs(askedMs);
  return {
    ...state,
    blockedUntil: Math.max(state.blockedUntil, until),
    blockedBecause: 'the server asked to wait',
  };
}

function probeIntervalMs(failures: number): number {
  return Math.min(PROBE_FIRST_MS * 2 ** Math.min(failures - BREAKER_OPENS_AT, 10), PROBE_LAST_MS);
}

/**
 * The next back-off of one connection: full jitter over a base of 2 s that doubles to at most 5 min, and to 30 min after an hour of
 * failures. `fraction` is a random number from 0 to 1; the wait is never below 1 s.
 */
export function nextBackoff(
  backoff: Backoff,
  now: number,
  fraction: number,
  atLeastMs = 0,
): Backoff {
  const failures = Math.min(backoff.failures + 1, 1_000);
  const cap = failures > 18 ? 1_800_000 : 300_000;
  const ceiling = Math.min(2_000 * 2 ** Math.min(failures - 1, 20), cap);
  const wait = Math.max(WAIT_LEAST_MS, ceiling * fraction, atLeastMs);
  return { failures, notBefore: Math.round(now + wait) };
}

/** No back-off. */
export const NO_BACKOFF: Backoff = { failures: 0, notBefore: 0 };
