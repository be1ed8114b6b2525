import { sabotaged } from '#failpoints';
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

/** Why the gate is closed. */
export interface Closed {
  /** Until when. */
  readonly until: number;
  /** Why, in words. */
  readonly because: string;
  /** Whether the server asked for that, or the budget: nothing has failed. */
  readonly isThrottled: boolean;
}

const ASKED_TO_WAIT = 'the server asked to wait';
const BUDGET_USED_UP = 'the budget of requests per second is used up';
/** Why the gate is closed: the breaker is open, and with what the last of the failures was. */
export const keepsFailing = (reason: string): string => `the server keeps failing (${reason})`;

/** A larger budget than this is kept in so many slots, since what is remembered is written with every request. */
const MOST_APART = 32;
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

/** Clamps what a server asks for to what is sensible. */
export function clampWaitMs(askedMs: number | undefined): number {
  if (sabotaged('retry-after')) return WAIT_LEAST_MS;
  return Math.min(Math.max(askedMs ?? WAIT_DEFAULT_MS, WAIT_LEAST_MS), WAIT_MOST_MS);
}

/** Whether the endpoint fails so often that only single requests may find out how it is. */
export function isBreakerOpen(state: EndpointState): boolean {
  return state.failures >= BREAKER_OPENS_AT;
}

/** Whether nothing may be sent at `now`. What lies further ahead than the longest wait was stored under a clock since set back. */
export function isLeftAlone(
  { blockedUntil }: Pick<EndpointState, 'blockedUntil'>,
  now: number,
): boolean {
  return blockedUntil > now && blockedUntil <= now + WAIT_MOST_MS;
}

/**
 * Asks for a slot to send in. While the breaker is open each slot is a probe: taking it closes the gate for the next interval, so that a
 * process which dies with its probe holds up nobody.
 */
export function passGate(
  state: EndpointState,
  now: number,
  policy: GatePolicy,
): { readonly state: EndpointState } | Closed {
  // Cut to the longest wait, what lies further ahead would move on with the clock.
  if (isLeftAlone(state, now)) {
    const { blockedUntil: until, blockedBecause: because = 'the server is failing' } = state;
    return { until, because, isThrottled: isAskedFor(state) };
  }
  const used = spend(state, now, policy);
  if (typeof used === 'number') {
    return { until: used, because: BUDGET_USED_UP, isThrottled: true };
  }
  const probing = isBreakerOpen(state);
  const blockedUntil = probing ? now + probeIntervalMs(state.failures) : 0;
  // A wait that the server asked for is over.
  const blockedBecause = isAskedFor(state) ? undefined : state.blockedBecause;
  return { state: { ...state, ...used, blockedUntil, blockedBecause, askedUntil: undefined } };
}

/**
 * The endpoint after a probe came to nothing before anything was sent, so that another may find out how it is; undefined where `taken`, the
 * state as that probe left it, is past or was none's. A wait that the server asked for meanwhile stands.
 */
export function giveProbeBack(
  state: EndpointState,
  taken: Pick<EndpointState, 'blockedUntil'>,
): EndpointState | undefined {
  if (!isBreakerOpen(state) || state.blockedUntil !== taken.blockedUntil) return undefined;
  return { ...state, ...(askedAlone(state) ?? { blockedUntil: 0 }) };
}

/** The requests remembered with one more; the instant of the next slot where the budget is used up. */
function spend(
  state: EndpointState,
  now: number,
  { requestsPerSecond }: GatePolicy,
): Pick<EndpointState, 'recent' | 'counts'> | number {
  // Less than one request a second is one in a longer window.
  const windowMs = Math.max(1_000, 1_000 / requestsPerSecond);
  const budget = Math.max(1, Math.floor(requestsPerSecond));
  const recent: number[] = [];
  const counts: number[] = [];
  for (const [i, at] of state.recent.entries()) {
    if (at <= now - windowMs || at > now) continue;
    recent.push(at);
    counts.push(state.counts?.[i] ?? 1);
  }
  const [oldest] = recent;
  const sum = counts.reduce((total, count) => total + count, 0);
  if (oldest !== undefined && sum >= budget) return oldest + windowMs;
  if (budget <= MOST_APART) return { recent: [...recent, now], counts: undefined };
  // The latest instant stands for all of its slot, so that none of them is forgotten too early.
  const last = recent.at(-1);
  const slotMs = windowMs / MOST_APART;
  const isSameSlot = last !== undefined && Math.floor(last / slotMs) === Math.floor(now / slotMs);
  if (!isSameSlot) return { recent: [...recent, now], counts: [...counts, 1] };
  const apart = recent.length - 1;
  const before = counts[apart] ?? 0;
  return {
    recent: [...recent.slice(0, apart), now],
    counts: [...counts.slice(0, apart), before + 1],
  };
}

/** The endpoint after an answer that shows it works. That closes the breaker; a wait that the server asked for stands. */
export function endpointWorks(state: EndpointState): EndpointState {
  if (!isBreakerOpen(state)) return { ...state, failures: 0 };
  const left = askedAlone(state) ?? { blockedUntil: 0, blockedBecause: undefined };
  return { ...state, failures: 0, ...left };
}

/** Closed for as long as the server asked, and no longer; undefined where it asked for nothing. */
function askedAlone({
  askedUntil,
}: EndpointState): Pick<EndpointState, 'blockedUntil' | 'blockedBecause'> | undefined {
  if (askedUntil === undefined) return undefined;
  return { blockedUntil: askedUntil, blockedBecause: ASKED_TO_WAIT };
}

/** Whether the server asked for all of the time for which the gate is closed. */
function isAskedFor({ askedUntil = -Infinity, blockedUntil }: EndpointState): boolean {
  return askedUntil >= blockedUntil;
}

/** Until when the server asked to wait; undefined where that is over. */
function stillAskedUntil({ askedUntil }: EndpointState, now: number): number | undefined {
  if (askedUntil === undefined) return undefined;
  return isLeftAlone({ blockedUntil: askedUntil }, now) ? askedUntil : undefined;
}

/** The endpoint after a failure of its own (unreachable, 5xx, lost answer); the fifth in a row opens the breaker. */
export function endpointFailed(state: EndpointState, now: number, reason: string): EndpointState {
  const failures = Math.min(state.failures + 1, 1_000);
  if (sabotaged('shared-breaker')) return state;
  if (failures < BREAKER_OPENS_AT) return { ...state, failures };
  const blockedUntil = now + probeIntervalMs(failures);
  const askedUntil = stillAskedUntil(state, now);
  const opened = { ...state, failures, askedUntil };
  if (askedUntil !== undefined && askedUntil > blockedUntil)
    return { ...opened, ...askedAlone(opened) };
  return { ...opened, blockedUntil, blockedBecause: keepsFailing(reason) };
}

/** The endpoint after it asked to wait; `askedMs` is what it named. */
export function endpointThrottled(
  state: EndpointState,
  now: number,
  askedMs: number | undefined,
): EndpointState {
  const askedUntil = Math.max(now + clampWaitMs(askedMs), stillAskedUntil(state, now) ?? 0);
  const asked = { ...state, askedUntil };
  // The breaker may be open for longer.
  if (isLeftAlone(state, now) && state.blockedUntil > askedUntil) return asked;
  return { ...asked, ...askedAlone(asked) };
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

/**
 * The next back-off of a connection whose endpoint failed. While the breaker is open it is the only brake: a connection that was sent
 * ahead to find out must not wait longer than the others once the server is back.
 */
export function backoffAt(
  endpoint: EndpointState,
  backoff: Backoff,
  now: number,
  fraction: number,
  atLeastMs = 0,
): Backoff {
  if (!isBreakerOpen(endpoint)) return nextBackoff(backoff, now, fraction, atLeastMs);
  return { failures: backoff.failures, notBefore: Math.round(now + atLeastMs) };
}

/** No back-off. */
export const NO_BACKOFF: Backoff = { failures: 0, notBefore: 0 };
