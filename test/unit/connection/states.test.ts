import { describe, expect, it } from 'vitest';
import type { ConnectionRecord, ConnectionState } from '../../../src/connection/record.ts';
import { attention, doubt, moveTo } from '../../../src/connection/states.ts';
import { clause, event, sentence } from '../../../src/connection/telling.ts';
import {
  LIFE_MS,
  NOW,
  someConnection,
  someFacts,
  someIntent,
  someTokens,
} from '../../support/views.ts';

const advice = { actor: 'owner', cause: 'it was refused', remedy: 'sign in again' } as const;
const history = { at: NOW, grantId: 'grant', generation: 1, by: 'test', fingerprint: 'abcdef01' };
const uncertain = { kind: 'uncertain', since: 1, reason: 'lost', lastTry: true } as const;

function paused(before: typeof uncertain): ConnectionState {
  return { kind: 'paused', since: 2, before };
}

describe('a lost answer', () => {
  it('makes a connection uncertain, with a line of history and a notice to its owner', () => {
    const backoff = { failures: 1, notBefore: NOW + 7 };
    expect(doubt(someConnection(), someFacts(), 'reset', backoff)).toEqual({
      connection: {
        state: { kind: 'uncertain', since: NOW, reason: 'reset', lastTry: true },
        lastError: { at: NOW, outcome: 'answer_lost', message: 'reset' },
        backoff,
      },
      life: [{ ...history, event: 'uncertain', detail: 'reset' }],
      notices: [
        {
          kind: 'uncertain',
          actor: 'owner',
          at: NOW,
          message:
            'the answer to a refresh was lost (reset); the refresh token may be used up: it will be tried once more when the access token, which still works, expires. A new sign-in may be needed',
        },
      ],
    });
  });

  it.each<[string, Partial<ConnectionRecord>, boolean, string]>([
    ['while its access token lives', {}, true, 'it will be tried once more when the access'],
    [
      'at the expiry of its access token',
      { tokens: someTokens({ accessExpiresAt: NOW }) },
      true,
      'it will be tried once more. ',
    ],
    [
      'without an access token',
      { tokens: someTokens({ accessToken: undefined }) },
      true,
      'it will be tried once more. ',
    ],
    ['without any token', { tokens: undefined }, true, 'it will be tried once more. '],
    ['where a last try is forbidden', {}, false, 'it will not be tried again without your order. '],
  ])('%s tells what comes next', (_when, change, lastTry, plan) => {
    const effect = doubt(someConnection(change), someFacts({ lastTry }), 'reset');
    expect(effect.notices?.[0]?.message).toContain(`the refresh token may be used up: ${plan}`);
    expect(effect.connection?.state).toMatchObject({ lastTry });
    expect(effect.connection?.backoff).toEqual({ failures: 0, notBefore: 0 });
  });

  it('for the second time ends the tries: the owner must sign in again', () => {
    const connection = someConnection({ state: uncertain, intent: someIntent({ count: 2 }) });
    const effect = doubt(connection, someFacts(), 'reset');
    expect(effect.connection?.state).toEqual({
      kind: 'attention',
      since: NOW,
      actor: 'owner',
      code: 'ERR_OUTCOME_UNCERTAIN',
      reason: 'two answers in a row were lost (reset), so the refresh token is probably used up',
      remedy: 'sign in again',
    });
  });

  it('under a pause is kept beneath it, and told once', () => {
    const before = { kind: 'paused', since: 2, before: { kind: 'active' } } as const;
    const { connection = {} } = doubt(someConnection({ state: before }), someFacts(), 'lost');
    expect(connection.state).toEqual({ ...before, before: { ...uncertain, since: NOW } });
    expect(doubt(someConnection(connection), someFacts(), 'lost')).toEqual({});
  });
});

describe('a connection that needs somebody', () => {
  it('keeps what happened and what to do, and tells it', () => {
    const before = { intent: someIntent(), backoff: { failures: 3, notBefore: NOW + LIFE_MS } };
    const effect = attention(someConnection(before), someFacts(), 'ERR_GRANT_REFUSED', advice);
    expect(effect).toEqual({
      connection: {
        intent: undefined,
        backoff: { failures: 0, notBefore: 0 },
        state: {
          kind: 'attention',
          since: NOW,
          actor: 'owner',
          code: 'ERR_GRANT_REFUSED',
          reason: 'it was refused',
          remedy: 'sign in again',
        },
        lastError: { at: NOW, outcome: 'ERR_GRANT_REFUSED', message: 'it was refused' },
      },
      life: [{ ...history, event: 'attention', detail: 'it was refused' }],
      notices: [
        { kind: 'attention', actor: 'owner', at: NOW, message: 'it was refused; sign in again' },
      ],
    });
  });

  it('is told of once for each cause, and counts from the first time', () => {
    const first = attention(someConnection(), someFacts(), 'ERR_GRANT_REFUSED', advice);
    const needing = someConnection(first.connection);
    const later = someFacts({ now: NOW + 1 });
    const again = attention(needing, later, 'ERR_GRANT_REFUSED', advice);
    expect(again.notices).toEqual([]);
    expect(again.connection?.state).toMatchObject({ since: NOW });
    const other = attention(needing, later, 'ERR_REQUEST_REFUSED', advice);
    expect(other.notices).toHaveLength(1);
    expect(other.connection?.state).toMatchObject({ since: NOW + 1 });
  });

  it('though a person paused it stays paused', () => {
    const state = paused(uncertain);
    const effect = attention(someConnection({ state }), someFacts(), 'ERR_GRANT_REFUSED', advice);
    expect(effect.connection?.state).toMatchObject({ kind: 'paused', since: 2 });
    expect(moveTo(state, { kind: 'active' })).toEqual({ ...state, before: { kind: 'active' } });
  });
});

describe('what people read', () => {
  it('is one sentence of cause and remedy, whether or not the cause ends in a full stop', () => {
    expect(sentence({ cause: 'It ended.', remedy: 'Sign in.' })).toBe('It ended. Sign in.');
    expect(sentence({ cause: '.net is down', remedy: 'wait' })).toBe('.net is down; wait');
    expect(clause('It ended.')).toBe('It ended');
    expect(clause('.net is down')).toBe('.net is down');
  });

  it('in the history of a connection without tokens has no fingerprint', () => {
    expect(event(someConnection({ tokens: undefined }), someFacts(), 'renamed', 'b')).toEqual({
      ...{ ...history, fingerprint: undefined },
      event: 'renamed',
      detail: 'b',
    });
  });
});
