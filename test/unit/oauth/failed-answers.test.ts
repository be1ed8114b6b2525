import { describe, expect, it } from 'vitest';
import type { TokenOutcome } from '../../../src/oauth/outcome.ts';
import { readTokenAnswer } from '../../../src/oauth/token-answer.ts';
import { Secret } from '../../../src/secret.ts';

const sent = [new Secret('rt-old')];

function answer(
  status: number,
  body: object | string,
  headers: Record<string, string> = {},
): TokenOutcome {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readTokenAnswer({ status, headers, body: new TextEncoder().encode(text) }, {}, 0, sent);
}

describe('the reason of an answer that leaves the outcome open', () => {
  it.each<[number, object | string, string]>([
    [500, '', 'the server answered 500'],
    [502, { error: 'server_error' }, 'the server answered 502 (server_error)'],
    [
      500,
      { error: 'server_error', error_description: 'oops' },
      'the server answered 500 (server_error: oops)',
    ],
    [500, { message: 'oops' }, 'the server answered 500 (oops)'],
    [
      200,
      'hello',
      'the server answered 200 with 5 bytes that are no token response: it is neither a JSON object nor a form',
    ],
    [
      299,
      {},
      'the server answered 299 with 2 bytes that are no token response: it has no access_token',
    ],
    [
      200,
      { error: 'invalid_grant', refresh_token: 'rt-new' },
      'the server answered 200 with 50 bytes that are no token response: it holds both an error and a refresh token',
    ],
  ])('%d %j is: %s', (status, body, reason) => {
    expect(answer(status, body)).toMatchObject({ kind: 'ambiguous', reason });
  });
});

describe('the bytes of a failed answer', () => {
  it.each<[string, object]>([
    ['an access token', { access_token: 'at-new' }],
    ['a refresh token other than the one sent', { refresh_token: 'rt-new' }],
    ['an id token', { id_token: 'it-new' }],
  ])('are kept where they hold %s', (_what, member) => {
    const outcome = answer(500, { error: 'server_error', ...member });
    expect(outcome).toMatchObject({ answer: 'failed', body: expect.any(Uint8Array) as unknown });
  });

  it.each<[string, object]>([
    ['no token', {}],
    ['an empty one', { refresh_token: '' }],
    ['the one that was sent', { refresh_token: 'rt-old' }],
    ['what is no text', { access_token: 7 }],
  ])('are not kept where they hold %s', (_what, member) => {
    expect(answer(500, { error: 'server_error', ...member })).toHaveProperty('body', undefined);
  });
});

describe('a status decides where no error is named', () => {
  const wait = { 'retry-after': '60' };

  it.each<[number, Record<string, string>, TokenOutcome['kind']]>([
    [199, {}, 'ambiguous'],
    [300, {}, 'request_refused'],
    [399, {}, 'request_refused'],
    [400, wait, 'unnamed_refusal'],
    [499, {}, 'unnamed_refusal'],
    [429, {}, 'throttled'],
    [500, wait, 'ambiguous'],
    [503, wait, 'throttled'],
    [503, {}, 'ambiguous'],
  ])('%d with %j is %s', (status, headers, kind) => {
    expect(answer(status, {}, headers).kind).toBe(kind);
  });

  it.each<[number, TokenOutcome['kind']]>([
    [407, 'request_refused'],
    [408, 'ambiguous'],
    [429, 'throttled'],
    [499, 'request_refused'],
    [500, 'ambiguous'],
  ])('or one that nobody knows: %d is %s', (status, kind) => {
    expect(answer(status, { error: 'gateway' }).kind).toBe(kind);
  });
});
