import { describe, expect, it } from 'vitest';
import {
  decideClaim,
  decideIntent,
  decideRelease,
  judgeIntent,
  type ClaimRequest,
} from '../../../src/connection/claiming.ts';
import type { View } from '../../../src/connection/decision.ts';
import type {
  ConnectionRecord,
  ConnectionState,
  EndpointState,
} from '../../../src/connection/record.ts';
import {
  LIFE_MS,
  NOW,
  UPTIME_MS,
  someAttempt,
  someIntent,
  someOwner,
  someRequest,
  someTokens,
  someView,
} from '../../support/views.ts';

const uncertain: ConnectionState = { kind: 'uncertain', since: NOW, reason: 'lost', lastTry: true };
const attention: ConnectionState = {
  kind: 'attention',
  since: NOW,
  actor: 'owner',
  code: 'ERR_GRANT_REFUSED',
  reason: 'refused',
  remedy: 'sign in',
};
const paused: ConnectionState = { kind: 'paused', since: NOW, before: { kind: 'active' } };
const claim = { owner: someOwner, attemptId: 'other', claimedAt: NOW };

function kindOf(view: View, request: Partial<ClaimRequest> = {}): string {
  return decideClaim(view, someRequest(request)).result.kind;
}

describe('the right to send', () => {
  it('is given with a slot of the budget, in one change', () => {
    const change = decideClaim(someView(), someRequest());
    expect(change.result.kind).toBe('claimed');
    expect(change.connection?.claim).toEqual({
      owner: someOwner,
      attemptId: 'attempt',
      claimedAt: NOW,
    });
    expect(change.endpoint?.recent).toEqual([NOW]);
    // Whoever got it goes on with what was written.
    const view = someView();
    const { connection, endpoint } = change;
    expect(change.result.view).toEqual({
      ...view,
      connection: { ...view.connection, ...connection },
      endpoint,
    });
  });

  it.each<[string, Parameters<typeof someView>[0], string]>([
    ['an earlier attempt failed', {}, 'an earlier attempt failed'],
    [
      'of its last error',
      { connection: { lastError: { at: NOW, outcome: 'throttled', message: 'too many' } } },
      'too many',
    ],
  ])('is put off because %s', (_what, rows, because) => {
    const connection = { backoff: { failures: 1, notBefore: NOW + 1 }, ...rows?.connection };
    expect(decideClaim(someView({ connection }), someRequest()).result).toMatchObject({
      kind: 'deferred',
      until: NOW + 1,
      because,
    });
  });

  it('is needless where a newer set is there already, and nothing is written then', () => {
    const change = decideClaim(someView({ connection: { generation: 2 } }), someRequest());
    expect(change.result.kind).toBe('satisfied');
    expect(change.connection).toBeUndefined();
  });

  it.each<[string, Partial<ConnectionRecord>, string]>([
    ['fresh', {}, 'satisfied'],
    ['due', { tokens: someTokens({ dueAt: NOW }) }, 'claimed'],
    ['early', { tokens: someTokens({ accessExpiresAt: NOW + 300_000 }) }, 'claimed'],
    ['without an access token', { tokens: someTokens({ accessToken: undefined }) }, 'claimed'],
    [
      'of client credentials, without any token',
      { beginning: 'client_credentials', tokens: undefined },
      'claimed',
    ],
    ['with an intent that somebody left', { intent: someIntent() }, 'claimed'],
    ['received in the future', { tokens: someTokens({ receivedAt: NOW + 60_001 }) }, 'claimed'],
  ])('for what is due: a connection that is %s', (_what, connection, kind) => {
    expect(kindOf(someView({ connection }), { demand: { kind: 'due' } })).toBe(kind);
  });

  it.each<[string, Parameters<typeof someView>[0], string, string]>([
    ['active', {}, 'claimed', 'claimed'],
    ['paused', { connection: { state: paused } }, 'stopped', 'stopped'],
    [
      'disconnected',
      { connection: { state: { kind: 'disconnected', since: NOW } } },
      'stopped',
      'stopped',
    ],
    [
      'without a refresh token',
      { connection: { tokens: someTokens({ refreshToken: undefined }) } },
      'stopped',
      'stopped',
    ],
    ['in need of attention', { connection: { state: attention } }, 'stopped', 'claimed'],
    ['of a refused client', { client: { refusedAt: NOW } }, 'stopped', 'claimed'],
    ['uncertain, its token alive', { connection: { state: uncertain } }, 'stopped', 'claimed'],
    [
      'uncertain for good',
      { connection: { state: { ...uncertain, lastTry: false } } },
      'stopped',
      'claimed',
    ],
    [
      'in back-off',
      { connection: { backoff: { failures: 1, notBefore: NOW + 1 } } },
      'deferred',
      'claimed',
    ],
    [
      'of an endpoint that asked to wait',
      { endpoint: { blockedUntil: NOW + 1 } },
      'deferred',
      'deferred',
    ],
  ])(
    'on a connection that is %s: %s for a caller, for a person who insists',
    (_w, rows, caller, person) => {
      expect(kindOf(someView(rows))).toBe(caller);
      expect(kindOf(someView(rows), { byHand: true, anyway: true })).toBe(person);
    },
  );

  it.each<[string, number, boolean, string]>([
    ['a moment before its true expiry', NOW + LIFE_MS - 1, false, 'stopped'],
    ['at its true expiry', NOW + LIFE_MS, false, 'claimed'],
    ['refused by the API, named', NOW, true, 'claimed'],
  ])('on an uncertain connection whose token is %s', (_what, now, rejected, kind) => {
    const view = someView({ connection: { state: uncertain, intent: someIntent() } });
    const demand = { kind: 'newer', generation: 1, rejected } as const;
    expect(kindOf(view, { now, demand })).toBe(kind);
  });

  it.each<[string, Partial<ConnectionRecord>]>([
    ['has no access token', { tokens: someTokens({ accessToken: undefined }) }],
    ['of client credentials has no token', { beginning: 'client_credentials', tokens: undefined }],
  ])('on an uncertain connection that %s is given: no answer can be worse', (_what, change) => {
    expect(kindOf(someView({ connection: { state: uncertain, ...change } }))).toBe('claimed');
  });

  it('on an uncertain connection is not given for good where only a person may order a last try', () => {
    const state = { ...uncertain, lastTry: false };
    const demand = { kind: 'newer', generation: 1, rejected: true } as const;
    expect(kindOf(someView({ connection: { state } }), { now: NOW + LIFE_MS, demand })).toBe(
      'stopped',
    );
    // Nor in the background, at its expiry.
    const due = { now: NOW + LIFE_MS, demand: { kind: 'due' } } as const;
    expect(kindOf(someView({ connection: { state } }), due)).toBe('stopped');
  });

  it('of a person whose order is not in spite of anything does not wait for the back-off', () => {
    const view = someView({ connection: { backoff: { failures: 9, notBefore: NOW + 1e6 } } });
    expect(kindOf(view, { byHand: true })).toBe('claimed');
  });

  it('does not wait for a back-off that has ended, nor for one of more than an hour and five minutes: the clock was set back', () => {
    const kindAfter = (ms: number): string =>
      kindOf(someView({ connection: { backoff: { failures: 1, notBefore: NOW + ms } } }));
    expect(kindAfter(0)).toBe('claimed');
    expect(kindAfter(3_900_000)).toBe('deferred');
    expect(kindAfter(3_900_001)).toBe('claimed');
  });

  it.each<[string, Partial<ClaimRequest>, string]>([
    ['held by another attempt', {}, 'held'],
    ['held by one found dead', { replaces: 'other' }, 'claimed'],
    ['held by another than the one found dead', { replaces: 'third' }, 'held'],
    ['held long, at a strict server', { now: NOW + 1e9 }, 'held'],
    [
      'held for 5 min where repeating is harmless',
      { now: NOW + 300_000, rotation: 'reusable' },
      'held',
    ],
    [
      'held longer where repeating is harmless',
      { now: NOW + 300_001, rotation: 'reusable' },
      'claimed',
    ],
    [
      'held since the future where repeating is harmless',
      { now: NOW - 300_001, rotation: 'none' },
      'claimed',
    ],
  ])('%s', (_what, request, kind) => {
    expect(kindOf(someView({ connection: { claim } }), request)).toBe(kind);
  });
});

const MOMENT = { now: NOW, uptimeMs: UPTIME_MS };

describe('the intent', () => {
  it('is written where claim, grant, generation and doubt are what they were', () => {
    const view = someView({ connection: { claim: { ...claim, attemptId: 'attempt' } } });
    expect(decideIntent(view, someAttempt(), MOMENT)).toEqual({
      result: true,
      connection: { intent: someIntent() },
    });
  });

  it.each<[string, Partial<ConnectionRecord>]>([
    ['the claim is gone', { claim: undefined }],
    ['the claim is another', { claim }],
    ['the grant is another', { grantId: 'another' }],
    ['the generation moved on', { generation: 2 }],
    ['somebody else armed one', { intent: someIntent({ attemptId: 'another' }) }],
    ['a person paused the connection', { state: paused }],
  ])('is not, and so nothing is sent, when %s', (_what, change) => {
    const mine = { ...claim, attemptId: 'attempt' };
    const view = someView({ connection: { claim: mine, ...change } });
    expect(decideIntent(view, someAttempt(), MOMENT)).toEqual({ result: false });
  });

  it('counts on from the one in doubt, and keeps its first instant and boot', () => {
    const doubt = someIntent({
      attemptId: 'before',
      firstAt: NOW - 5_000,
      firstUptimeMs: 5_000,
      bootId: 'old',
      count: 3,
    });
    const view = someView({
      connection: { claim: { ...claim, attemptId: 'attempt' }, intent: doubt },
    });
    const { connection } = decideIntent(view, someAttempt({ doubt }), MOMENT);
    expect(connection?.intent).toEqual({ ...doubt, attemptId: 'attempt', count: 4 });
  });
});

it('a claim is given back by its own attempt alone', () => {
  const view = someView({ connection: { claim } });
  const { endpoint } = view;
  expect(decideRelease(view, 'attempt', endpoint)).toEqual({ result: false });
  expect(decideRelease(view, 'other', endpoint)).toStrictEqual({
    result: true,
    connection: { claim: undefined },
  });
  expect(decideRelease(someView(), 'other', endpoint)).toEqual({ result: false });
});

describe('a probe that was taken with a claim', () => {
  const probed = { ...someView().endpoint, failures: 7, blockedUntil: NOW + 120_000 };
  const released = (
    change: Partial<ConnectionRecord>,
    endpoint = probed,
  ): EndpointState | undefined =>
    decideRelease(someView({ connection: { claim, ...change }, endpoint }), 'other', probed)
      .endpoint;

  it('is given back with it where nothing was sent', () => {
    expect(released({})).toEqual({ ...probed, blockedUntil: 0 });
    expect(released({ intent: someIntent({ attemptId: 'dead' }) })?.blockedUntil).toBe(0);
  });

  it.each<[string, Partial<ConnectionRecord>, EndpointState]>([
    ['something may have been sent', { intent: someIntent({ attemptId: 'other' }) }, probed],
    ['the server asked to wait meanwhile', {}, { ...probed, blockedUntil: NOW + 600_000 }],
    ['the server works meanwhile', {}, { ...probed, failures: 0 }],
  ])('is not where %s', (_why, change, endpoint) => {
    expect(released(change, endpoint)).toBeUndefined();
  });
});

describe('what an intent that was left means', () => {
  const facts = { ...MOMENT, bootId: 'boot', graceMs: 60_000, anyway: false } as const;
  const judge = (
    change: Partial<ConnectionRecord>,
    more: Partial<Parameters<typeof judgeIntent>[1]>,
  ): string =>
    judgeIntent(someView({ connection: { intent: someIntent(), ...change } }).connection, {
      ...facts,
      rotation: 'single-use',
      ...more,
    });

  it.each<[string, Partial<ConnectionRecord>, Partial<Parameters<typeof judgeIntent>[1]>, string]>([
    ['no intent', { intent: undefined }, {}, 'send'],
    ['rotation none', {}, { rotation: 'none' }, 'send'],
    [
      'rotation reusable, however often',
      { intent: someIntent({ count: 99 }) },
      { rotation: 'reusable' },
      'send',
    ],
    ['rotation single-use', {}, {}, 'wait'],
    ['rotation unknown', {}, { rotation: 'unknown' }, 'wait'],
    ['the last try of an uncertain connection', { state: uncertain }, {}, 'send'],
    ['two tries already', { state: uncertain, intent: someIntent({ count: 2 }) }, {}, 'give_up'],
    ['a person who insists', { intent: someIntent({ count: 2 }) }, { anyway: true }, 'send'],
    [
      'within the grace',
      { intent: someIntent({ count: 5 }) },
      { rotation: 'grace', now: NOW + 44_999 },
      'send',
    ],
    ['past three quarters of the grace', {}, { rotation: 'grace', now: NOW + 45_000 }, 'wait'],
    [
      'past the grace, after two tries',
      { intent: someIntent({ count: 2 }) },
      { rotation: 'grace', now: NOW + 45_000 },
      'give_up',
    ],
    [
      'past the grace, though the clock that was set back says otherwise',
      {},
      { rotation: 'grace', now: NOW + 10_000, uptimeMs: UPTIME_MS + 45_000 },
      'wait',
    ],
    [
      'a grace of an intent that did not note the uptime',
      { intent: someIntent({ firstUptimeMs: undefined }) },
      { rotation: 'grace' },
      'wait',
    ],
    [
      'a grace of another machine that has not been up so long',
      {},
      { rotation: 'grace', uptimeMs: UPTIME_MS - 1 },
      'wait',
    ],
    ['a grace of another boot', {}, { rotation: 'grace', bootId: 'another' }, 'wait'],
    ['a grace that begins in the future', {}, { rotation: 'grace', now: NOW - 1 }, 'wait'],
    ['a grace of unknown length', {}, { rotation: 'grace', graceMs: undefined }, 'wait'],
  ])('%s', (_what, change, more, verdict) => {
    expect(judge(change, more)).toBe(verdict);
  });
});
