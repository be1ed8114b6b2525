import { describe, expect, it } from 'vitest';
import { COPIED, COPIED_REMEDY } from '../../../src/connection/copied.ts';
import type { View } from '../../../src/connection/decision.ts';
import { endpointFailed, endpointThrottled, passGate } from '../../../src/connection/gate.ts';
import type { ConnectionRecord } from '../../../src/connection/record.ts';
import {
  deadlineError,
  failureOf,
  minLifeError,
  passingError,
  stopError,
  unusableError,
  waitingError,
} from '../../../src/refresh/failure.ts';
import { LIFE_MS, NOW, someOwner, someTokens, someView } from '../../support/views.ts';

const withState = (state: ConnectionRecord['state']): View => someView({ connection: { state } });

const attention = (code: string): View =>
  withState({
    ...{ kind: 'attention', since: NOW, actor: 'owner' },
    ...{ code, reason: 'it said no', remedy: 'do this' },
  });

/** What tells one error from another. */
function told(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, connection } = error as Error & { code?: string; connection?: string };
  return [error.name, code, error.message, connection];
}

describe('a connection that nothing may be sent for', () => {
  it.each([
    [
      withState({ kind: 'disconnected', since: NOW }),
      [
        'AuthorizationRequiredError',
        'ERR_DISCONNECTED',
        'a is disconnected; connect it again',
        'a',
      ],
    ],
    [
      withState({ kind: 'paused', since: NOW, before: { kind: 'active' } }),
      ['ConfigurationError', 'ERR_PAUSED', 'a is paused; resume it with evergrant resume a', 'a'],
    ],
    [
      someView({ client: { refusedAt: NOW, refusal: 'Bad secret.' } }),
      [
        'ClientRejectedError',
        'ERR_CLIENT_REFUSED',
        'the server refuses client app (Bad secret); replace its secret with evergrant client set-secret',
        'a',
      ],
    ],
    [
      someView({ client: { refusedAt: NOW } }),
      [
        'ClientRejectedError',
        'ERR_CLIENT_REFUSED',
        'the server refuses client app (no reason given); replace its secret with evergrant client set-secret',
        'a',
      ],
    ],
    [
      withState({ kind: 'uncertain', since: NOW, reason: 'the line was cut', lastTry: true }),
      [
        'OutcomeUncertainError',
        'ERR_OUTCOME_UNCERTAIN',
        'the refresh token of a may be used up, since an answer was lost (the line was cut); sign in again, or insist with evergrant refresh a --anyway',
        'a',
      ],
    ],
    [
      attention('ERR_GRANT_REFUSED'),
      ['AuthorizationRequiredError', 'ERR_GRANT_REFUSED', 'a: it said no; do this', 'a'],
    ],
    [
      attention('ERR_REQUEST_REFUSED'),
      ['ClientRejectedError', 'ERR_REQUEST_REFUSED', 'a: it said no; do this', 'a'],
    ],
    [
      attention('ERR_TOKEN_TYPE_UNSUPPORTED'),
      ['ResponseInvalidError', 'ERR_TOKEN_TYPE_UNSUPPORTED', 'a: it said no; do this', 'a'],
    ],
    [
      someView({ connection: { tokens: undefined } }),
      [
        'AuthorizationRequiredError',
        'ERR_REFRESH_TOKEN_MISSING',
        'a has no refresh token; connect it again and grant offline access',
        'a',
      ],
    ],
    [
      someView({ connection: { tokens: someTokens({ refreshToken: undefined }) } }),
      [
        'AuthorizationRequiredError',
        'ERR_REFRESH_TOKEN_MISSING',
        'a has no refresh token; connect it again and grant offline access',
        'a',
      ],
    ],
  ])('%#: says why, and what to do', (view, expected) => {
    expect(told(stopError(view))).toEqual(expected);
    expect(told(failureOf(view))).toEqual(expected);
  });

  it('that was copied is told so', () => {
    const state = { kind: 'uncertain', since: NOW, reason: COPIED, lastTry: false } as const;
    expect(told(stopError(withState(state)))).toEqual([
      'OutcomeUncertainError',
      'ERR_OUTCOME_UNCERTAIN',
      `a: ${COPIED}; ${COPIED_REMEDY}`,
      'a',
    ]);
  });

  it('is none where something may be sent', () => {
    expect(stopError(someView())).toBeUndefined();
    const without = { beginning: 'client_credentials', tokens: undefined } as const;
    expect(stopError(someView({ connection: without }))).toBeUndefined();
  });
});

describe('a token that cannot be served', () => {
  it('is told only where its type is the reason', () => {
    expect(told(unusableError(attention('ERR_TOKEN_TYPE_UNSUPPORTED')))).toContain(
      'ERR_TOKEN_TYPE_UNSUPPORTED',
    );
    expect(unusableError(attention('ERR_GRANT_REFUSED'))).toBeUndefined();
    expect(unusableError(someView())).toBeUndefined();
  });
});

describe('a refresh that failed and may be tried again', () => {
  const failing = (outcome?: string): View =>
    someView({
      connection: {
        backoff: { failures: 1, notBefore: NOW + 5 },
        ...(outcome !== undefined && { lastError: { at: NOW, outcome, message: 'it broke' } }),
      },
    });

  it.each([
    [
      'refreshed',
      'ResponseInvalidError',
      'ERR_RESPONSE_INVALID',
      'tell the operator of the server',
    ],
    [
      'answer_unreadable',
      'ResponseInvalidError',
      'ERR_RESPONSE_INVALID',
      'tell the operator of the server',
    ],
    ['throttled', 'ServerUnavailableError', 'ERR_SERVER_THROTTLED', 'try again later'],
    ['lost', 'ServerUnavailableError', 'ERR_SERVER_FAILED', 'try again later'],
  ])('after the outcome %s', (outcome, name, code, remedy) => {
    expect(told(failureOf(failing(outcome)))).toEqual([name, code, `a: it broke; ${remedy}`, 'a']);
  });

  it('because the server was not reached', () => {
    expect(told(failureOf(failing('not_sent')))).toEqual([
      'ServerUnavailableError',
      'ERR_SERVER_UNREACHABLE',
      'a: the server cannot be reached (it broke); try again later',
      'a',
    ]);
  });

  it.each(['not_sent', 'throttled', 'lost'])('says when, after the outcome %s', (outcome) => {
    expect(failureOf(failing(outcome))).toMatchObject({ retryAt: NOW + 5 });
  });

  it.each(['answer_unreadable', 'not_sent', 'throttled'])(
    'blames no earlier error for what makes it wait now, after the outcome %s',
    (outcome) => {
      const error = passingError(failing(outcome), 'the budget is used up', undefined);
      expect(told(error)).toEqual([
        ...['ServerUnavailableError', 'ERR_SERVER_FAILED'],
        ...['a: the budget is used up; try again later', 'a'],
      ]);
      expect(passingError(failing(outcome), 'it broke', undefined)).toEqual(
        passingError(failing(outcome), undefined, undefined),
      );
    },
  );

  it.each([undefined, 'answer_unreadable', 'not_sent', 'lost'])(
    'is told as a wait that was asked for, or for the budget, whatever came before: %s',
    (outcome) => {
      const { connection, client, endpoint } = failing(outcome);
      const asked = endpointThrottled(endpoint, NOW, 5_000);
      const policy = { requestsPerSecond: 1 };
      for (const state of [asked, { ...endpoint, recent: [NOW] }]) {
        const gate = passGate(state, NOW, policy);
        if (!('until' in gate)) throw new Error('the gate is open');
        const error = waitingError({ connection, client, endpoint: state }, gate);
        expect(told(error)).toEqual([
          ...['ServerUnavailableError', 'ERR_SERVER_THROTTLED'],
          ...[`a: ${gate.because}; try again later`, 'a'],
        ]);
      }
    },
  );

  it.each(['answer_unreadable', 'not_sent', 'throttled'])(
    'is told as that of the server that fails others, after the outcome %s of its own',
    (outcome) => {
      let { endpoint } = failing(outcome);
      for (let i = 0; i < 5; i++) endpoint = endpointFailed(endpoint, NOW, 'reset');
      const view = { ...failing(outcome), endpoint };
      expect(told(passingError(view, endpoint.blockedBecause, NOW + 9))).toEqual([
        ...['ServerUnavailableError', 'ERR_SERVER_FAILED'],
        ...['a: the server keeps failing (reset); try again later', 'a'],
      ]);
    },
  );

  it('because the server was not reached, again and again, is told as that', () => {
    let { endpoint } = failing();
    for (let i = 0; i < 5; i++) endpoint = endpointFailed(endpoint, NOW, 'it broke');
    const error = passingError({ ...failing('not_sent'), endpoint }, endpoint.blockedBecause, NOW);
    expect(told(error)).toEqual([
      ...['ServerUnavailableError', 'ERR_SERVER_UNREACHABLE'],
      ...['a: the server cannot be reached (the server keeps failing (it broke)); try again later'],
      'a',
    ]);
  });

  it('gives the reason at hand, the last one, that of the endpoint, or none', () => {
    expect(passingError(failing('lost'), 'busy', undefined).message).toContain('a: busy;');
    const blocked = someView({ endpoint: { blockedBecause: 'it is down' } });
    expect(passingError(blocked, undefined, undefined).message).toContain('a: it is down;');
    expect(passingError(failing(), undefined, undefined).message).toContain(
      'a: the refresh failed;',
    );
  });
});

describe('a demanded life', () => {
  it.each([undefined, LIFE_MS - 1, LIFE_MS])('of %s ms may be had', (minLifeMs) => {
    expect(minLifeError(someView(), minLifeMs)).toBeUndefined();
  });

  it('that is longer than a token has when new is an error of whoever demands it', () => {
    expect(told(minLifeError(someView(), LIFE_MS + 1_000))).toEqual([
      'ConfigurationError',
      'ERR_MIN_LIFE_TOO_LONG',
      'a token of a lives 1h when new, so it cannot be demanded to live 1h1s more; demand less',
      'a',
    ]);
  });

  it('is not judged where nobody knows how long a token lives', () => {
    expect(minLifeError(someView({ connection: { tokens: undefined } }), 1)).toBeUndefined();
    const dead = someTokens({ accessLifeMs: 0 });
    expect(minLifeError(someView({ connection: { tokens: dead } }), 1)).toBeUndefined();
  });
});

describe('a caller whose time is up', () => {
  it('is told that the refresh goes on', () => {
    expect(told(deadlineError(someView(), undefined))).toEqual([
      'ServerUnavailableError',
      'ERR_DEADLINE',
      'a: the refresh took longer than the caller would wait; it goes on, ask again',
      'a',
    ]);
  });

  it('is told who holds the refresh, and since when', () => {
    const claim = { owner: someOwner, attemptId: 'attempt', claimedAt: NOW };
    const error = deadlineError(someView(), claim);
    expect(told(error)).toEqual([
      'RefreshBlockedError',
      'ERR_REFRESH_BLOCKED',
      'a: process 4711 holds the refresh and has not finished; if it hangs, end that process',
      'a',
    ]);
    expect(error).toMatchObject({ holder: 'process 4711', since: NOW });
  });
});
