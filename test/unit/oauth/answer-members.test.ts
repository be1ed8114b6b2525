import { describe, expect, it } from 'vitest';
import { readMembers, type AnswerMembers } from '../../../src/oauth/answer-members.ts';

function read(body: string | Uint8Array, type?: string): AnswerMembers | undefined {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  return readMembers({ status: 200, headers, body: bytes });
}

function membersOf(body: string, type?: string): unknown {
  const members = read(body, type)?.members;
  return members === undefined ? undefined : Object.fromEntries(members);
}

describe('a JSON answer', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"o":{},"a":1,"a":2}',
    '{"o":{"p":{}},"a":1,"a":2}',
    '{"l":[],"a":1,"a":2}',
    '{"l":[[1],[2]],"a":1,"a":2}',
    '{"a":"}","b":"]","a":2}',
    '{"a":"\\"","a":2}',
    '{"x":"a\\\\","a" : 1,"a"\n:2}',
    '{"\\u0061":1,"a":2}',
    '{"a\\"b\\"c":1,"a\\"b\\"c":2}',
    '{"":1,"":2}',
  ])('that names a member twice cannot be read: %s', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it.each([
    '{"a":{"a":1},"b":{"a":1}}',
    '{"a":[{"a":1},{"a":2}]}',
    '{"l":[{"a":1,"a":2}]}',
    '{"a":"\\"a\\":1","b":"a"}',
    '{"a":"{","b":{"a":"["},"c":["a"]}',
    '{"a":"x\\\\","b":"\\\\\\"a\\":2"}',
    '{"a":"b","b":"b"}',
    '{}',
  ])('that repeats a name at other depths, or as a value, is read: %s', (text) => {
    expect(membersOf(text)).toEqual(JSON.parse(text));
    expect(read(text)?.json).toBe(text);
  });

  it.each(['{', '{"a"}', '{"a":1}}', '{a:1}'])('that is none is not read: %s', (text) => {
    expect(read(text)).toBeUndefined();
  });
});

describe('an answer whose bytes are UTF-8', () => {
  const replacement = '{"a":"\ufffd"}';
  const latin1 = Buffer.from('{"a":"é"}', 'latin1');

  it('is exact, even with the character that stands for spoilt ones', () => {
    expect(read('{"a":"é"}')?.isExact).toBe(true);
    expect(read(replacement)?.isExact).toBe(true);
  });

  it('is told from one of another encoding', () => {
    const spoilt = read(latin1);
    expect(spoilt?.isExact).toBe(false);
    expect(spoilt?.members.get('a')).toBe('\ufffd');
  });
});

describe('a form', () => {
  it.each([
    ['access_token=at&x=1', { access_token: 'at', x: '1' }],
    ['error=no', { error: 'no' }],
    ['x=1', undefined],
    ['error=no&error=yes', undefined],
    ['error=a b', undefined],
    ['error=<html>', undefined],
    ['error="no"', undefined],
  ])('%s holds %j', (text, members) => {
    expect(membersOf(text)).toEqual(members);
    expect(membersOf(text, 'application/x-www-form-urlencoded')).toEqual(members);
  });

  it('that is called JSON is none', () => {
    expect(read('error=no', 'application/JSON')).toBeUndefined();
  });

  it('is handed out as JSON', () => {
    expect(read('error=no')?.json).toBe('{"error":"no"}');
  });
});
