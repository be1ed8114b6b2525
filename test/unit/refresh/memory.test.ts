import { describe, expect, it, vi } from 'vitest';
import type { View } from '../../../src/connection/decision.ts';
import type { ConnectionRecord } from '../../../src/connection/record.ts';
import { StoreError } from '../../../src/errors.ts';
import type { KeptToken } from '../../../src/refresh/kept-token.ts';
import { Memory } from '../../../src/refresh/memory.ts';
import { keptRows, type KeptRows } from '../../support/kept-rows.ts';
import { NOW, someTokens, someView } from '../../support/views.ts';

const WINDOW_MS = 250;
const HOUR_MS = 3_600_000;
const broken = new StoreError('ERR_STORE_UNAVAILABLE', 'the disk is gone');
const failing = (): Promise<never> => Promise.reject(broken);

/** The rows of a connection of this name, which is its id as well; its token is `at-` and the name. */
function named(name: string, change: Partial<ConnectionRecord> = {}): View {
  const tokens = someTokens({ accessToken: Buffer.from(`at-${name}`) });
  return someView({ connection: { id: name, name, tokens, ...change } });
}

/** The memory of a keeper of connection `a`, and of these. */
async function remembering(...further: readonly View[]): Promise<
  KeptRows & {
    readonly memory: Memory;
    readonly token: KeptToken;
  }
> {
  const rows = keptRows(named('a'), ...further);
  await rows.clock.advance(1_000_000);
  rows.clock.setWall(NOW);
  const memory = new Memory(rows.engine);
  const { token } = await memory.read('a');
  if (token === undefined) throw new Error('it has a token');
  return Object.assign(rows, { memory, token });
}

describe('a token in memory', () => {
  it('is served to all who ask, at one look at the store in each window', async () => {
    const { clock, memory, token, asked } = await remembering();
    expect(memory.now()).toEqual({ wall: NOW, steady: NOW });
    expect((await memory.serve(token))?.value).toBe('at-a');
    expect(await memory.serve(token)).toBe(token);
    const before = asked.counters;
    for (let i = 1; i < 5; i++) {
      await clock.advance(WINDOW_MS);
      for (let callers = 0; callers < 5; callers++) expect(await memory.serve(token)).toBe(token);
      memory.recall('a');
      expect(asked.counters).toBe(before + i);
    }
    expect(asked).toMatchObject({ reads: 1, opened: 1 });
  });

  it('is served until the window ends in which another process wrote, and not a moment longer', async () => {
    const { clock, memory, token, write, asked } = await remembering();
    await memory.serve(token);
    write({}, 'a');
    await clock.advance(WINDOW_MS - 1);
    expect(await memory.serve(token)).toBe(token);
    await clock.advance(1);
    expect(memory.serve(token)).toBeUndefined();
    expect(memory.recall('a')).toBeUndefined();
    expect(memory.lastKnown('a')).toBe(token);
    const again = await memory.read('a');
    expect([again.token, asked.opened]).toEqual([token, 1]);
    expect(memory.recall('a')).toBe(again);
    expect(await memory.serve(token)).toBe(token);
  });

  it('is not served past its end where the clock was set back', async () => {
    const { clock, memory, token } = await remembering();
    await memory.serve(token);
    clock.setWall(NOW - 2 * HOUR_MS);
    await clock.advance(HOUR_MS);
    expect(memory.serve(token)).toBeUndefined();
  });

  it('is looked for anew in the store when the machine has slept, though the steady clock stood', async () => {
    const { clock, memory, token, write } = await remembering();
    await memory.serve(token);
    write({}, 'a');
    clock.setWall(NOW + HOUR_MS / 2);
    expect(memory.recall('a')).toBeUndefined();
    expect(memory.serve(token)).toBeUndefined();
  });

  it('that was found spent costs those who wait by the thousand no further reading of clocks', async () => {
    const { clock, memory, token } = await remembering();
    await clock.advance(HOUR_MS);
    expect(memory.serve(token)).toBeUndefined();
    const readings = vi.spyOn(clock, 'monotonic');
    for (let i = 0; i < 10; i++) expect(memory.serve(token)).toBeUndefined();
    expect(readings).not.toHaveBeenCalled();
  });

  it('is served on while the store cannot be asked or read', async () => {
    const { clock, memory, token, store } = await remembering();
    const known = memory.recall('a');
    store['changeCounter'] = () => {
      throw broken;
    };
    store['find'] = failing;
    store['read'] = failing;
    await clock.advance(WINDOW_MS);
    expect(await memory.serve(token)).toBe(token);
    expect(memory.recall('a')).toBe(known);
    expect(await memory.read('a')).toBe(known);
    await expect(memory.read('b')).rejects.toBe(broken);
  });

  it('is served no more once the keeper closes, nor is one that is read later', async () => {
    const { memory, token } = await remembering();
    memory.close();
    expect(memory.serve(token)).toBeUndefined();
    const again = (await memory.read('a')).token ?? token;
    expect(memory.serve(again)).toBeUndefined();
    expect(memory.lastKnown('a')).toBeUndefined();
  });

  it.each<[string, Partial<ConnectionRecord>]>([
    ['none has come yet', { tokens: undefined }],
    ['the set has none', { tokens: someTokens({ accessToken: undefined }) }],
    ['it was disconnected', { state: { kind: 'disconnected', since: NOW } }],
  ])('is none where %s', async (_why, change) => {
    const { memory } = await remembering(named('b', change));
    expect((await memory.read('b')).token).toBeUndefined();
    expect(memory.lastKnown('b')).toBeUndefined();
  });
});

describe('rows in memory', () => {
  it('are those of the last 64, and the tokens of all', async () => {
    const names = Array.from({ length: 64 }, (_, i) => `c${String(i)}`);
    const { memory, token, clock, write } = await remembering(...names.map((name) => named(name)));
    for (const name of names.slice(1)) await memory.read(name);
    expect(memory.recall('a')?.token).toBe(token);
    await memory.read('c0');
    expect(memory.recall('a')).toBeUndefined();
    expect(memory.recall('c1')?.token?.value).toBe('at-c1');
    // Its end counts from when it was first read, though its rows were forgotten and the clock was set back.
    write({}, 'c1');
    clock.setWall(NOW - HOUR_MS / 2);
    await clock.advance(HOUR_MS / 4);
    memory.recall('a');
    expect((await memory.read('a')).token).toBe(token);
    expect(await memory.serve(token)).toBe(token);
    expect(token.leftMs(memory.now())).toBe((HOUR_MS * 3) / 4);
  });

  it.each<[string, Partial<ConnectionRecord>]>([
    ['a newer set', { generation: 2 }],
    ['another grant', { grantId: 'other' }],
    ['another connection of this name', { id: 'other' }],
  ])('that hold %s bring its token', async (_what, change) => {
    const { memory, token, write } = await remembering();
    const tokens = someTokens({ accessToken: Buffer.from('another') });
    write({ ...change, tokens }, 'a');
    const read = await memory.read('a');
    expect(read.token?.value).toBe('another');
    expect(memory.serve(token)).toBeUndefined();
    expect(memory.lastKnown('a')).toBe(read.token);
  });

  it('are recalled by one who knew them, unless another connection has the name; then read', async () => {
    const { memory, put, remove, asked } = await remembering();
    const before = await memory.read('a');
    const known = await memory.recallAgain(before);
    expect([known, asked.reads]).toEqual([memory.recall('a'), 2]);
    put(named('a', { name: 'renamed' }));
    put(named('b', { name: 'a' }));
    await memory.read('a');
    expect((await memory.recallAgain(before)).view.connection.name).toBe('renamed');
    remove('a');
    await expect(memory.recallAgain(before)).rejects.toMatchObject({
      code: 'ERR_CONNECTION_UNKNOWN',
    });
  });

  it('stay as they were known while they cannot be read again', async () => {
    const { memory, store } = await remembering();
    const before = await memory.read('a');
    store['read'] = failing;
    expect(await memory.readAgain(before)).toBe(before);
  });

  it('of a name that is no more are forgotten, and the error names it', async () => {
    const { memory, remove } = await remembering();
    remove('a');
    await expect(memory.read('a')).rejects.toMatchObject({
      code: 'ERR_CONNECTION_UNKNOWN',
      message: 'there is no connection named a; evergrant list shows those there are',
      connection: 'a',
    });
    expect([memory.recall('a'), memory.lastKnown('a')]).toEqual([undefined, undefined]);
  });
});

describe('after this keeper changed a connection', () => {
  it('its rows are the new ones, and another keeper’s new name for it takes the place of the old', async () => {
    const { memory, token, write } = await remembering(named('b'));
    const other = await memory.read('b');
    expect(memory.recall('b')).toBe(other);
    write({ name: 'renamed' }, 'a');
    await memory.refreshed('a');
    expect([memory.recall('a'), memory.lastKnown('a')]).toEqual([undefined, undefined]);
    expect(memory.serve(token)).toBeUndefined();
    expect(memory.recall('renamed')?.token?.value).toBe('at-a');
    expect(memory.recall('b')).toBe(other);
  });

  it('all others stay known when it was removed, and none when it cannot be read', async () => {
    const { memory, remove, store, token } = await remembering(named('b'));
    const other = await memory.read('b');
    expect(memory.recall('b')).toBe(other);
    remove('a');
    await memory.refreshed('a');
    expect(memory.recall('b')).toBe(other);
    store['read'] = failing;
    await memory.refreshed('a');
    expect(memory.recall('b')).toBeUndefined();
    expect(memory.serve(token)).toBeUndefined();
  });
});
