import { describe, expect, it } from 'vitest';
import { waitUntil } from '../../../src/refresh/wait.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { after } from '../../support/flown.ts';

const never = new Promise<string>(() => undefined);

describe('a wait', () => {
  it('ends with the value, and leaves nothing behind', async () => {
    const clock = fakeClock();
    const { signal } = new AbortController();
    expect(await waitUntil(Promise.resolve('it'), clock, 10, signal)).toEqual({ value: 'it' });
    expect(clock.pending).toBe(0);
  });

  it('ends at its deadline on the monotonic clock', async () => {
    const clock = fakeClock();
    await clock.advance(1_000);
    const wait = waitUntil(never, clock, 1_250);
    clock.setWall(0);
    expect(await after(clock, 249, wait)).toBe('waits');
    expect(await after(clock, 1, wait)).toEqual({ ended: 'deadline' });
  });

  it('ends when it is called off, before it began or meanwhile', async () => {
    const clock = fakeClock();
    const off = { ended: 'aborted' };
    expect(await waitUntil(Promise.resolve('it'), clock, 10, AbortSignal.abort())).toEqual(off);
    const controller = new AbortController();
    const wait = waitUntil(never, clock, 10, controller.signal);
    controller.abort();
    expect(await wait).toEqual(off);
    expect(clock.pending).toBe(0);
  });

  it('fails as what it waits for fails', async () => {
    const clock = fakeClock();
    const error = new TypeError('it broke');
    await expect(waitUntil(Promise.reject(error), clock, 10)).rejects.toBe(error);
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- code of others may do so
    const odd = Promise.reject('odd');
    await expect(waitUntil(odd, clock, 10)).rejects.toThrow(new Error('odd'));
    expect(clock.pending).toBe(0);
  });
});
