import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../../src/oauth/outcome.ts';
import { cleanText, readRefusal } from '../../../src/oauth/refusal.ts';

const errorAliases = { EXPIRED: 'invalid_grant' };

function read(members: object): Refusal {
  return readRefusal(400, new Map(Object.entries(members)), { errorAliases }, []);
}

describe('words of a server', () => {
  it('are cut behind 200 characters', () => {
    expect(cleanText('ä'.repeat(200))).toBe('ä'.repeat(200));
    expect(cleanText('😀'.repeat(201))).toBe(`${'😀'.repeat(199)}…`);
  });

  it('stand in one line', () => {
    expect(cleanText(' a\r\n\tb\u202e\u0000c\u2028')).toBe('a b c');
  });
});

describe('the name of an error', () => {
  it.each<[object, string | undefined]>([
    [{ error: 'invalid_grant' }, 'invalid_grant'],
    [{ error: 'EXPIRED' }, 'invalid_grant'],
    [{ error: { code: 'c', status: 's', type: 't' } }, 'c'],
    [{ error: { code: 7, status: 's', type: 't' } }, 's'],
    [{ error: { code: ' ', type: 't' } }, 't'],
    [{ error: { type: 'EXPIRED' } }, 'invalid_grant'],
    [{ error: { code: '', status: '\t' } }, undefined],
    [{ error: '  ', status: 'EXPIRED' }, 'invalid_grant'],
    [{ error: null }, undefined],
    [{ error: 7 }, undefined],
    [{ status: 'EXPIRED' }, 'invalid_grant'],
    [{ status: 'error' }, undefined],
    [{ status: ['EXPIRED'] }, undefined],
    [{ status: 'constructor' }, undefined],
    [{}, undefined],
  ])('in %j is %s', (members, error) => {
    expect(read(members).error).toBe(error);
  });
});

describe('the words of an error', () => {
  it.each<[object, string | undefined]>([
    [{ error_description: 'd', message: 'm', error: { message: 'i' } }, 'd'],
    [{ error_description: ' ', message: 'm', error: { message: 'i' } }, 'm'],
    [{ message: 7, error: { message: 'i' } }, 'i'],
    [{ error: 'message' }, undefined],
  ])('in %j are %s', (members, description) => {
    expect(read(members).description).toBe(description);
  });
});

describe('what Entra adds to an error', () => {
  it('is kept for programs and for support', () => {
    const added = { suberror: 'basic_action', trace_id: 't', correlation_id: 'c', claims: '{}' };
    expect(read({ error: 'e', ...added, error_codes: [50076, '7000222'] })).toEqual({
      status: 400,
      error: 'e',
      description: undefined,
      suberror: 'basic_action',
      codes: [50076, 7000222],
      claims: '{}',
      traceId: 't',
      correlationId: 'c',
    });
  });

  it.each([undefined, '', 7, {}])('counts claims of %j as none', (claims) => {
    expect(read({ claims }).claims).toBeUndefined();
  });

  it.each<[unknown, readonly number[]]>([
    [50076, [50076]],
    ['50076', [50076]],
    [undefined, []],
    ['x50076', []],
    ['50076x', []],
    ['1'.repeat(16), []],
    [
      [1, 'a', null, 2.5, '2', [3]],
      [1, 2],
    ],
    [Array.from({ length: 30 }, (_, i) => i), Array.from({ length: 20 }, (_, i) => i)],
  ])('reads the codes %j', (error_codes, codes) => {
    expect(read({ error_codes }).codes).toEqual(codes);
  });
});
