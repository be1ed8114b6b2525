import * as oauth4webapi from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { judgeCallback, type Callback, type Expectation } from '../../../src/authorize/callback.ts';
import {
  AuthorizationRequiredError,
  ClientRejectedError,
  ServerUnavailableError,
} from '../../../src/errors.ts';

const STATE = 'x'.repeat(43);
const ISSUER = 'https://as.example/t';

function judge(query: string, expected: Partial<Expectation> = {}): Callback {
  return judgeCallback(
    oauth4webapi,
    { clientId: 'c', state: STATE, issuer: ISSUER, issRequired: false, ...expected },
    new URLSearchParams(query),
  );
}

function codeOf(callback: Callback): string | undefined {
  return callback.kind === 'code' ? callback.code.reveal() : undefined;
}

describe('a redirect with the right state', () => {
  it.each([
    ['', {}],
    [`&iss=${encodeURIComponent(ISSUER)}`, {}],
    [`&iss=${encodeURIComponent(ISSUER)}`, { issRequired: true }],
    ['&iss=whoever', { issuer: undefined }],
    ['&session_state=1&client_info=2', {}],
  ])('brings its code: %s %j', (more, expected) => {
    expect(codeOf(judge(`code=abc&state=${STATE}${more}`, expected))).toBe('abc');
  });

  it.each([
    ['another issuer', '&iss=https%3A%2F%2Fevil.example', {}],
    ['an issuer that differs by a slash', `&iss=${encodeURIComponent(`${ISSUER}/`)}`, {}],
    ['an issuer that differs in case', '&iss=https%3A%2F%2FAS.example%2Ft', {}],
    ['two issuers', `&iss=${encodeURIComponent(ISSUER)}&iss=https%3A%2F%2Fevil.example`, {}],
    ['no issuer where one is announced', '', { issRequired: true }],
    ['an empty issuer where one is announced', '&iss=', { issRequired: true }],
    ['two codes', '&code=def', {}],
    ['an encrypted answer that nobody asked for', '&response=e30', {}],
    ['an id token of the hybrid flow', '&id_token=e30', {}],
  ])('fails with %s', (_name, more, expected) => {
    const callback = judge(`code=abc&state=${STATE}${more}`, expected);
    expect(callback).toMatchObject({
      kind: 'failed',
      error: { code: 'ERR_AUTHORIZATION_FAILED' },
    });
    expect(JSON.stringify(callback)).not.toContain('abc');
  });

  it.each(['', '&code='])('fails without a code: %s', (more) => {
    expect(judge(`state=${STATE}${more}`).kind).toBe('failed');
  });

  it.each([
    ['access_denied', AuthorizationRequiredError, 'ERR_AUTHORIZATION_DENIED'],
    ['consent_required', AuthorizationRequiredError, 'ERR_AUTHORIZATION_FAILED'],
    ['login_required', AuthorizationRequiredError, 'ERR_AUTHORIZATION_FAILED'],
    ['invalid_scope', ClientRejectedError, 'ERR_REQUEST_REFUSED'],
    ['unauthorized_client', ClientRejectedError, 'ERR_REQUEST_REFUSED'],
    ['invalid_client', ClientRejectedError, 'ERR_CLIENT_REFUSED'],
    ['server_error', ServerUnavailableError, 'ERR_SERVER_FAILED'],
    ['temporarily_unavailable', ServerUnavailableError, 'ERR_SERVER_FAILED'],
  ])('that reports %s says who must act', (error, kind, code) => {
    const callback = judge(`error=${error}&error_description=why%0A%1B[31m&state=${STATE}`);
    const failure = callback.kind === 'failed' ? callback.error : undefined;
    expect(failure).toBeInstanceOf(kind);
    expect(failure).toMatchObject({ code, refusal: { error, errorDescription: 'why [31m' } });
  });

  it('reports an error only when the issuer fits', () => {
    const callback = judge(`error=access_denied&state=${STATE}&iss=https%3A%2F%2Fevil.example`);
    expect(callback).toMatchObject({ error: { code: 'ERR_AUTHORIZATION_FAILED' } });
  });
});

describe('a redirect that is not ours', () => {
  it.each([
    ['no state', 'code=abc'],
    ['an empty state', 'code=abc&state='],
    ['another state', `code=abc&state=${'y'.repeat(43)}`],
    ['the beginning of the state', `code=abc&state=${STATE.slice(0, 42)}`],
    ['the state and more', `code=abc&state=${STATE}x`],
    ['the state in capitals', `code=abc&state=${STATE.toUpperCase()}`],
    ['the state twice', `code=abc&state=${STATE}&state=${STATE}`],
    ['another state beside ours', `code=abc&state=${STATE}&state=y`],
    ['an error and no state', 'error=access_denied'],
    ['an error and another state', 'error=access_denied&state=y'],
    ['nothing', ''],
  ])('is left alone: %s', (_name, query) => {
    expect(judge(query)).toEqual({ kind: 'foreign' });
  });
});
