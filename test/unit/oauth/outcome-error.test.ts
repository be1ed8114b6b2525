import { describe, expect, it } from 'vitest';
import {
  AuthorizationRequiredError,
  ClientRejectedError,
  OutcomeUncertainError,
  ResponseInvalidError,
  ServerUnavailableError,
} from '../../../src/errors.ts';
import { outcomeError, type FailedOutcome } from '../../../src/oauth/outcome-error.ts';

const refusal = {
  status: 400,
  error: 'some_error',
  description: 'in words',
  suberror: undefined,
  codes: [],
  claims: undefined,
  traceId: undefined,
  correlationId: undefined,
};
const lost = {
  kind: 'ambiguous',
  reason: 'it broke',
  status: undefined,
  retryAfterMs: undefined,
  body: undefined,
} as const;

describe('the error of an outcome', () => {
  it.each<[FailedOutcome, new (...args: never[]) => Error, string]>([
    [{ kind: 'not_sent', reason: 'ENOTFOUND' }, ServerUnavailableError, 'ERR_SERVER_UNREACHABLE'],
    [
      { kind: 'throttled', retryAfterMs: 5000, refusal },
      ServerUnavailableError,
      'ERR_SERVER_THROTTLED',
    ],
    [lost, OutcomeUncertainError, 'ERR_OUTCOME_UNCERTAIN'],
    [{ ...lost, answer: 'cut' }, OutcomeUncertainError, 'ERR_OUTCOME_UNCERTAIN'],
    [{ ...lost, answer: 'failed' }, OutcomeUncertainError, 'ERR_OUTCOME_UNCERTAIN'],
    [{ ...lost, answer: 'unreadable' }, ResponseInvalidError, 'ERR_RESPONSE_INVALID'],
    [{ kind: 'grant_refused', refusal }, AuthorizationRequiredError, 'ERR_GRANT_REFUSED'],
    [{ kind: 'client_refused', refusal }, ClientRejectedError, 'ERR_CLIENT_REFUSED'],
    [{ kind: 'request_refused', refusal }, ClientRejectedError, 'ERR_REQUEST_REFUSED'],
    [{ kind: 'unnamed_refusal', refusal }, ClientRejectedError, 'ERR_REQUEST_REFUSED'],
  ])('%j says who must act', (outcome, type, code) => {
    const error = outcomeError(outcome, { connection: 'perspio' });
    expect(error).toBeInstanceOf(type);
    expect(error.name).toBe(type.name);
    expect(error).toMatchObject({ code, connection: 'perspio' });
    expect(error.message).toMatch(/^[a-z].{20,}$/);
  });

  it.each<[FailedOutcome, string]>([
    [
      { kind: 'not_sent', reason: 'ENOTFOUND' },
      'the token endpoint cannot be reached (ENOTFOUND); nothing was sent, try again later',
    ],
    [
      lost,
      'the request was sent but its outcome is unknown (it broke); what it traded may be used up',
    ],
    [{ ...lost, answer: 'unreadable' }, 'it broke; tell the operator of the server'],
    [
      { kind: 'grant_refused', refusal },
      'the server refused the grant (some_error: in words); a person must sign in and consent again',
    ],
    [
      { kind: 'client_refused', refusal },
      'the server refused the client (some_error: in words); check client id, secret and its expiry, and how the client is registered to prove itself',
    ],
    [
      { kind: 'request_refused', refusal },
      'the server refused the request (some_error: in words); check token endpoint, scope and client registration',
    ],
    [
      { kind: 'unnamed_refusal', refusal },
      'the server refused the request without an OAuth error (some_error: in words); check the token endpoint and what stands before it',
    ],
    [
      { kind: 'throttled', retryAfterMs: undefined, refusal },
      'the server asks to wait (some_error: in words); try again later',
    ],
  ])('%j names the fact and the next step', (outcome, message) => {
    const error = outcomeError(outcome);
    expect(error.message).toBe(message);
    expect(error.connection).toBeUndefined();
  });

  it('of a failure that lost nothing says so, and names no instant that nobody named', () => {
    const error = outcomeError(lost, { isHarmless: true, nowMs: 1000 });
    expect(error.message).toBe('the server failed (it broke); nothing is lost, try again later');
    expect(error).toHaveProperty('retryAt', undefined);
    const untimed = outcomeError({ ...lost, retryAfterMs: 5000 }, { isHarmless: true });
    expect(untimed).toHaveProperty('retryAt', undefined);
  });

  it('of a lost answer means "try again" where the request used nothing up', () => {
    const error = outcomeError({ ...lost, retryAfterMs: 5000 }, { isHarmless: true, nowMs: 1000 });
    expect(error).toBeInstanceOf(ServerUnavailableError);
    expect(error).toMatchObject({ code: 'ERR_SERVER_FAILED', retryAt: 6000 });
  });

  it('carries what the server said', () => {
    const error = outcomeError({ kind: 'grant_refused', refusal });
    expect(error.refusal).toEqual({
      status: 400,
      error: 'some_error',
      errorDescription: 'in words',
    });
    expect(error.message).toContain('some_error: in words');
  });

  it('tells the status where the server said nothing', () => {
    const silent = { ...refusal, error: undefined, description: undefined };
    const error = outcomeError({ kind: 'unnamed_refusal', refusal: silent });
    expect(error.message).toContain('status 400');
    expect(error.refusal).toStrictEqual({ status: 400 });
  });

  it('tells when to come back', () => {
    const throttled = { kind: 'throttled', retryAfterMs: 1500, refusal } as const;
    expect(outcomeError(throttled, { nowMs: 1000 })).toHaveProperty('retryAt', 2500);
    expect(outcomeError(throttled).message).toContain('try again in 2 s');
    expect(outcomeError(throttled)).toHaveProperty('retryAt', undefined);
    const unnamed = outcomeError({ ...throttled, retryAfterMs: undefined }, { nowMs: 1000 });
    expect(unnamed).toHaveProperty('retryAt', undefined);
  });
});
