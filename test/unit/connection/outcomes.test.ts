import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/connection/claiming.ts';
import type { Change } from '../../../src/connection/decision.ts';
import type { ConnectionRecord } from '../../../src/connection/record.ts';
import type { Facts } from '../../../src/connection/facts.ts';
import { decideVerdict, type Verdict } from '../../../src/connection/verdict.ts';
import type { Refusal, TokenOutcome } from '../../../src/oauth/outcome.ts';
import {
  NOW,
  someAttempt,
  someFacts,
  someIntent,
  someOwner,
  someTokens,
  someView,
} from '../../support/views.ts';

/*
 * What each outcome leaves for people and for the next attempt: error, history, notices, back-off. What it does to claim, doubt and
 * state stands in verdict.test.ts.
 */

const refusal = { status: 400, error: 'invalid_grant', codes: [] } as unknown as Refusal;
const nameless = { status: 403, error: undefined, codes: [] } as unknown as Refusal;
const claim = { owner: someOwner, attemptId: 'attempt', claimedAt: NOW };
const lost: TokenOutcome & { kind: 'ambiguous' } = {
  kind: 'ambiguous',
  reason: 'reset',
  status: undefined,
  retryAfterMs: undefined,
  body: undefined,
};
const refreshed = { kind: 'refreshed' } as TokenOutcome;

interface Given {
  readonly view?: Parameters<typeof someView>[0];
  readonly facts?: Partial<Facts>;
  readonly attempt?: Partial<Attempt>;
}

function judge(outcome: TokenOutcome, { view, facts, attempt }: Given = {}): Change<Verdict> {
  const connection = { claim, intent: someIntent(), ...view?.connection };
  const tokens = outcome.kind === 'refreshed' ? someTokens({ fingerprint: 'fresh' }) : undefined;
  return decideVerdict(
    someView({ ...view, connection }),
    someAttempt(attempt),
    outcome,
    someFacts({ tokens, ...facts }),
  );
}

/** History without what every line has. */
function told(change: Change<unknown>): unknown[] {
  return (change.life ?? []).map(({ event, detail }) => [event, detail]);
}

describe('a request that was not sent', () => {
  it('is an error of the connection and a failure of the endpoint', () => {
    const change = judge({ kind: 'not_sent', reason: 'down' });
    expect(change.connection?.lastError).toEqual({ at: NOW, outcome: 'not_sent', message: 'down' });
    expect(change.connection?.backoff).toEqual({ failures: 1, notBefore: NOW + 1_000 });
    expect(change.endpoint?.failures).toBe(1);
    expect(told(change)).toEqual([['refresh_failed', 'down']]);
    expect(change.result.kind).toBe('failed');
    expect(change.result.connection.claim).toBeUndefined();
  });
});

describe('a server that asks to wait', () => {
  const message = 'the server asked to wait';

  it.each([
    [8_000, 0, 8_000, message],
    [8_000, 1, 10_000, message],
    [undefined, 1, 75_000, message],
    [3_600_000, 1, 3_615_000, message],
    [3_600_001, 0, 3_600_000, `${message}, for longer than an hour; cut to one hour`],
  ])(
    'for %s ms, at chance %d, is left alone for %d ms: %s',
    (retryAfterMs, fraction, wait, said) => {
      const view = { connection: { backoff: { failures: 4, notBefore: 0 } } };
      const change = judge(
        { kind: 'throttled', retryAfterMs, refusal },
        { view, facts: { fraction } },
      );
      expect(change.connection?.backoff).toEqual({ failures: 4, notBefore: NOW + wait });
      expect(change.connection?.lastError).toEqual({
        at: NOW,
        outcome: 'throttled',
        message: said,
      });
      expect(told(change)).toEqual([['refresh_failed', said]]);
    },
  );
});

describe('a refusal', () => {
  const advice = { actor: 'administrator', cause: 'A policy changed.', remedy: 'Ask.' } as const;

  it.each<[TokenOutcome['kind'] & `${string}_refused`, object]>([
    ['grant_refused', { code: 'ERR_GRANT_REFUSED', actor: 'owner', remedy: 'sign in again' }],
    [
      'request_refused',
      {
        code: 'ERR_REQUEST_REFUSED',
        actor: 'operator',
        remedy: 'check the client registration, the endpoint and the scope',
      },
    ],
  ])('%s names the error and who must act', (kind, state) => {
    const change = judge({ kind, refusal });
    const reason = 'the server answered invalid_grant';
    expect(change.connection?.state).toMatchObject({ ...state, kind: 'attention', reason });
    expect(judge({ kind, refusal }, { facts: { advice } }).connection?.state).toMatchObject({
      actor: 'administrator',
      reason: 'A policy changed.',
      remedy: 'Ask.',
    });
  });

  it('of the grant after a lost answer tells that this is the likely reason', () => {
    const cause = (given: Given) =>
      judge({ kind: 'grant_refused', refusal }, given).connection?.lastError?.message;
    const attempt = { doubt: someIntent({ attemptId: 'before' }) };
    const because =
      '; the answer to an earlier refresh was lost, which probably used the refresh token up';
    expect(cause({ attempt })).toBe(`the server answered invalid_grant${because}`);
    expect(cause({ attempt, facts: { advice } })).toBe(`A policy changed${because}`);
    expect(cause({ attempt, facts: { rotation: 'reusable' } })).not.toContain('lost');
    expect(cause({})).toBe('the server answered invalid_grant');
  });

  it('of the client is an error of the connection, and told to the operator', () => {
    const change = judge({ kind: 'client_refused', refusal });
    const said = 'the server answered invalid_grant';
    expect(change.client).toEqual({ refusedAt: NOW, refusal: said });
    expect(change.connection?.lastError).toEqual({
      at: NOW,
      outcome: 'client_refused',
      message: said,
    });
    expect(told(change)).toEqual([['client_refused', said]]);
    expect(change.notices).toEqual([
      {
        kind: 'client_refused',
        actor: 'operator',
        at: NOW,
        message: `${said}; check the client registration, the endpoint and the scope`,
      },
    ]);
  });

  it('without a name is told by its status, and at the third in a row to the operator', () => {
    const said = 'the server answered HTTP status 403 without an OAuth error';
    const unnamed = { kind: 'unnamed_refusal', refusal: nameless } as const;
    const change = judge(unnamed);
    expect(change.connection?.lastError).toEqual({
      at: NOW,
      outcome: 'unnamed_refusal',
      message: said,
    });
    expect(change.connection?.backoff?.failures).toBe(1);
    expect(told(change)).toEqual([['refresh_failed', said]]);
    const third: Partial<ConnectionRecord> = {
      lastError: { at: NOW, outcome: 'unnamed_refusal', message: said },
      backoff: { failures: 2, notBefore: 0 },
    };
    expect(judge(unnamed, { view: { connection: third } }).connection?.state).toMatchObject({
      kind: 'attention',
      code: 'ERR_REQUEST_REFUSED',
      actor: 'operator',
    });
  });

  it('without a name counts from one after failures of another kind', () => {
    const connection: Partial<ConnectionRecord> = {
      lastError: { at: NOW, outcome: 'not_sent', message: 'down' },
      backoff: { failures: 9, notBefore: 0 },
    };
    const change = judge({ kind: 'unnamed_refusal', refusal: nameless }, { view: { connection } });
    expect(change.connection?.backoff?.failures).toBe(1);
  });

  it.each<TokenOutcome['kind'] & `${string}_${'refused' | 'refusal'}`>([
    'grant_refused',
    'client_refused',
    'request_refused',
    'unnamed_refusal',
  ])('(%s) shows that the endpoint works', (kind) => {
    const view = { endpoint: { failures: 4 } };
    expect(judge({ kind, refusal }, { view }).endpoint?.failures).toBe(0);
  });
});

describe('a new token set', () => {
  it('is a line of history of its own generation', () => {
    const change = judge(refreshed, { view: { endpoint: { failures: 4 } } });
    expect(change.life).toEqual([
      {
        at: NOW,
        event: 'refreshed',
        grantId: 'grant',
        generation: 2,
        by: 'test',
        fingerprint: 'fresh',
        detail: undefined,
      },
    ]);
    expect(change.endpoint?.failures).toBe(0);
    expect(change).not.toHaveProperty('client');
    expect(change.result).toMatchObject({ kind: 'recorded', connection: { generation: 2 } });
  });

  it('after trouble is told as a recovery', () => {
    const state = { kind: 'uncertain', since: 1, reason: 'lost', lastTry: true } as const;
    const change = judge(refreshed, { view: { connection: { state } } });
    expect(told(change)).toEqual([
      ['refreshed', undefined],
      ['recovered', undefined],
    ]);
    expect(change.notices).toEqual([
      {
        kind: 'recovered',
        actor: 'nobody',
        at: NOW,
        message: 'the connection works again; nothing need be done',
      },
    ]);
  });

  it('ends the refusal of its client', () => {
    const view = { client: { refusedAt: 1, refusal: 'no' } };
    const accepted = { refusedAt: undefined, refusal: undefined };
    expect(judge(refreshed, { view }).client).toStrictEqual(accepted);
    expect(judge(refreshed, { view, facts: { unusableType: 'mac' } }).client).toStrictEqual(
      accepted,
    );
  });

  it('that has expired at birth is an error', () => {
    const change = judge(refreshed, { facts: { tokens: someTokens({ accessLifeMs: 0 }) } });
    expect(change.connection?.lastError).toEqual({
      at: NOW,
      outcome: 'refreshed',
      message: 'the server issued an access token that has already expired',
    });
  });

  it('of a type that cannot be sent is kept, and the operator told what to do', () => {
    const view = { endpoint: { failures: 4 } };
    const change = judge(refreshed, { view, facts: { unusableType: 'mac' } });
    const reason = 'the server issued a token of type mac, which cannot be sent as a bearer token';
    expect(change.result.kind).toBe('recorded');
    expect(change.connection).toMatchObject({
      generation: 2,
      tokens: { fingerprint: 'fresh' },
      intent: undefined,
      state: {
        kind: 'attention',
        code: 'ERR_TOKEN_TYPE_UNSUPPORTED',
        actor: 'operator',
        reason,
        remedy: 'set the token type in the provider overrides, or use another client',
      },
    });
    expect(told(change)).toEqual([
      ['refreshed', undefined],
      ['attention', reason],
    ]);
    expect(change.notices).toHaveLength(1);
    expect(change.endpoint?.failures).toBe(0);
  });

  it('that was forgotten is a defect of the program, not an outcome', () => {
    expect(() => judge(refreshed, { facts: { tokens: undefined } })).toThrow(
      'a refreshed outcome needs its token set',
    );
  });
});

describe('a lost answer that may be asked for again', () => {
  const facts = { rotation: 'reusable', fraction: 0 } as const;

  it.each<[TokenOutcome & { kind: 'ambiguous' }, string]>([
    [lost, 'answer_lost'],
    [{ ...lost, answer: 'cut' }, 'answer_lost'],
    [{ ...lost, answer: 'unreadable' }, 'answer_unreadable'],
  ])('is an error (%#)', (outcome, kind) => {
    const change = judge(outcome, { facts });
    const { lastError } = change.connection ?? {};
    expect(lastError).toEqual({ at: NOW, outcome: kind, message: 'reset' });
    expect(told(change)).toEqual([['answer_lost', 'reset']]);
    expect(change.endpoint?.failures).toBe(1);
    expect(change.leftovers).toEqual([]);
  });

  it.each([
    [undefined, 1_000],
    [20_000, 20_000],
    [7_200_000, 3_600_000],
  ])('waits as long as the server says (%s ms), within an hour', (retryAfterMs, wait) => {
    const change = judge({ ...lost, retryAfterMs }, { facts });
    expect(change.connection?.backoff?.notBefore).toBe(NOW + wait);
  });

  it('of a request that was never armed needs no intent', () => {
    const view = { connection: { intent: undefined } };
    const grace = { rotation: 'grace', graceMs: 60_000 } as const;
    expect(judge(lost, { view, facts: grace }).connection?.state?.kind).toBe('uncertain');
  });
});

describe('an answer that comes too late', () => {
  const leftover = () => Uint8Array.of(7);

  it.each<[Partial<ConnectionRecord>, string]>([
    [{ generation: 2 }, 'an answer of an older generation arrived late and was put away'],
    [{ grantId: 'another' }, 'an answer of an older grant arrived late and was put away'],
  ])('is put away, and a line of history tells so (%#)', (connection, said) => {
    const change = judge(refreshed, { view: { connection }, facts: { leftover } });
    expect(told(change)).toEqual([['late_answer', said]]);
    expect(change.result.connection).toMatchObject({ ...connection, claim: undefined });
  });

  it('with nothing to keep leaves no trace', () => {
    const change = judge(lost, { view: { connection: { generation: 2 } } });
    expect(change.life).toBeUndefined();
    expect(change.leftovers).toBeUndefined();
  });
});
