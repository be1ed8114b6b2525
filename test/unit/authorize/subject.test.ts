import { describe, expect, it } from 'vitest';
import { checkSubject } from '../../../src/authorize/subject.ts';
import type { Subject } from '../../../src/connection/record.ts';

const alice: Subject = { issuer: 'https://as.example', id: 'a', display: 'alice@as.example' };
const bob: Subject = { issuer: 'https://as.example', id: 'b', display: 'bob@as.example' };
const elsewhere: Subject = { ...alice, issuer: 'https://other.example' };

const refused = { code: 'ERR_SUBJECT_MISMATCH' };

describe('the account after consenting again', () => {
  it.each([
    [alice, alice],
    [alice, { ...alice, display: 'alice.new@as.example' }],
    [{ ...alice, issuer: undefined }, alice],
  ])('is the same and nobody is asked', async (before, now) => {
    const confirmSubject = (): Promise<boolean> => Promise.reject(new Error('asked'));
    await checkSubject(before, now, { confirmSubject });
  });

  it.each([
    ['another one', alice, bob],
    ['the same id of another issuer', alice, elsewhere],
    ['unknown now', alice, undefined],
    ['unknown before', undefined, alice],
    ['never known', undefined, undefined],
  ])('must be confirmed when it is %s', async (_name, before, now) => {
    await expect(checkSubject(before, now, undefined)).rejects.toMatchObject(refused);
    await expect(checkSubject(before, now, {})).rejects.toMatchObject(refused);
    const no = { confirmSubject: () => Promise.resolve(false) };
    await expect(checkSubject(before, now, no)).rejects.toMatchObject(refused);
    const asked: unknown[] = [];
    await checkSubject(before, now, {
      confirmSubject: (question) => {
        asked.push(question);
        return Promise.resolve(true);
      },
    });
    expect(asked).toEqual([
      now === elsewhere
        ? {
            before: 'alice@as.example (of https://as.example)',
            now: 'alice@as.example (of https://other.example)',
          }
        : { before: before?.display, now: now?.display },
    ]);
  });

  it('is told by its id too where the other is called the same', async () => {
    const double: Subject = { ...bob, display: alice.display };
    const asked: unknown[] = [];
    const confirmSubject = (question: unknown): Promise<boolean> => {
      asked.push(question);
      return Promise.resolve(false);
    };
    await expect(checkSubject(alice, double, { confirmSubject })).rejects.toThrow(
      /alice@as\.example \(b\) signed in, but the connection belongs to alice@as\.example \(a\)/,
    );
    expect(asked).toEqual([{ before: 'alice@as.example (a)', now: 'alice@as.example (b)' }]);
    await expect(checkSubject(alice, elsewhere, undefined)).rejects.toThrow(
      /alice@as\.example \(of https:\/\/other\.example\) signed in/,
    );
  });

  it('is named in the refusal', async () => {
    await expect(checkSubject(alice, bob, undefined)).rejects.toThrow(
      /bob@as\.example signed in, but the connection belongs to alice@as\.example/,
    );
  });
});
