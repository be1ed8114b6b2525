import { expect, it } from 'vitest';
import type { AccessToken } from '../../../src/access-token.ts';
import { Crowds } from '../../../src/refresh/crowds.ts';
import type { Patience } from '../../../src/refresh/wait.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const token = { value: 'token' } as unknown as AccessToken;

it.each([
  [0, 1],
  [10, 1],
  [11, 2],
])(
  'who comes %d ms after the first of a crowd asks together with it, or anew: %d',
  async (ms, asked) => {
    const clock = fakeClock();
    await clock.advance(50);
    const crowds = new Crowds(clock);
    const asks: Patience[] = [];
    const ask = (patience: Patience): Promise<AccessToken> => {
      asks.push(patience);
      return new Promise(() => undefined);
    };
    void crowds.join('a', 1_000, ask);
    await clock.advance(ms);
    void crowds.join('a', 2_000, ask);
    expect(asks).toHaveLength(asked);
    expect(asks[0]).toEqual({ deadline: 1_050, signal: undefined });
    void crowds.join('b', 1_000, ask);
    expect(asks).toHaveLength(asked + 1);
  },
);

it('a crowd is over once it was told, well or not, and no later one with it', async () => {
  const clock = fakeClock();
  const crowds = new Crowds(clock);
  const failure = new Error('no');
  await expect(crowds.join('a', 1, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(await crowds.join('a', 1, () => Promise.resolve(token))).toBe(token);
  const first = Promise.withResolvers<AccessToken>();
  const early = crowds.join('a', 1, () => first.promise);
  await clock.advance(11);
  const second = Promise.withResolvers<AccessToken>();
  void crowds.join('a', 1, () => second.promise);
  first.resolve(token);
  await early;
  expect(crowds.join('a', 1, () => Promise.resolve(token))).toBe(
    crowds.join('a', 1, () => Promise.reject(failure)),
  );
  second.resolve(token);
});
