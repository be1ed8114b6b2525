import type { Aftermath, Point } from './kill-points.ts';
import type { Rotation } from './servers.ts';

/*
 * What must follow a kill, written down by hand. A strict server alone loses a refresh token, and only between its commit and ours.
 */

const healthy = { state: 'active', notices: '' };

/** The server has seen nothing, and nobody need know. */
const untouched: Aftermath = {
  sent: 0,
  living: { ...healthy, yields: 'old', generation: 1, sent: 0 },
  honoured: true,
  expired: { ...healthy, yields: 'new', generation: 2, sent: 1 },
};
/** The new token set was on disk before the kill. */
const stored: Aftermath = {
  sent: 1,
  living: { ...healthy, yields: 'new', generation: 2, sent: 1 },
  honoured: true,
  expired: { ...healthy, yields: 'new', generation: 3, sent: 2 },
};
/** The answer was lost; the old refresh token is still good and is sent again when it is next needed. */
const repeatable: Aftermath = {
  sent: 1,
  living: { ...healthy, yields: 'old', generation: 1, sent: 1 },
  honoured: true,
  expired: { ...healthy, yields: 'new', generation: 2, sent: 2 },
};
/** The old refresh token is good for a while, so it is sent again at once; whether the server has seen the first request does not matter. */
const graceful = (sent: 0 | 1): Aftermath => ({
  sent,
  living: { ...healthy, yields: 'old', generation: 2, sent: sent + 1 },
  honoured: true,
  expired: { ...healthy, yields: 'new', generation: 3, sent: sent + 2 },
});
/** A request may have left, but did not: the one last try, at the access token's expiry, heals. */
export const unsent: Aftermath = {
  sent: 0,
  living: { state: 'uncertain', notices: 'uncertain', yields: 'old', generation: 1, sent: 0 },
  honoured: true,
  expired: {
    state: 'active',
    notices: 'uncertain recovered',
    yields: 'new',
    generation: 2,
    sent: 1,
  },
};
/** The window that only the server could close: the refresh token is used up. The access token is served to its end, the owner is told. */
export const lost: Aftermath = {
  sent: 1,
  living: { state: 'uncertain', notices: 'uncertain', yields: 'old', generation: 1, sent: 1 },
  honoured: false,
  expired: {
    state: 'attention',
    notices: 'uncertain attention',
    yields: 'ERR_GRANT_REFUSED',
    generation: 1,
    sent: 2,
  },
};

/** What must follow a kill, by the step at which it struck. */
export const EXPECTED: Readonly<Record<Point, Readonly<Record<Rotation, Aftermath>>>> = {
  'before-lock': everywhere(untouched),
  'after-lock': everywhere(untouched),
  connect: everywhere(untouched),
  'after-intent': { ...everywhere(unsent), ...harmless(untouched), grace: graceful(0) },
  'after-send': { ...everywhere(lost), ...harmless(repeatable), grace: graceful(1) },
  committed: { ...everywhere(lost), ...harmless(repeatable), grace: graceful(1) },
  'half-answer': { ...everywhere(lost), ...harmless(repeatable), grace: graceful(1) },
  'full-answer': { ...everywhere(lost), ...harmless(repeatable), grace: graceful(1) },
  'inside-commit': { ...everywhere(lost), ...harmless(repeatable), grace: graceful(1) },
  'after-commit': everywhere(stored),
  'before-reply': everywhere(stored),
};

function everywhere(aftermath: Aftermath): Record<Rotation, Aftermath> {
  return {
    none: aftermath,
    reusable: aftermath,
    grace: aftermath,
    'single-use': aftermath,
    unknown: aftermath,
  };
}

function harmless(aftermath: Aftermath): Record<'none' | 'reusable', Aftermath> {
  return { none: aftermath, reusable: aftermath };
}
