import { describe, expect, it } from 'vitest';
import type { View } from '../../../src/connection/decision.ts';
import type { ConnectionRecord } from '../../../src/connection/record.ts';
import { StoreError } from '../../../src/errors.ts';
import type { Engine } from '../../../src/refresh/engine.ts';
import { ClockWatch } from '../../../src/refresh/set-back.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { LIFE_MS, NOW, someOwner, someTokens, someView } from '../../support/views.ts';

const MINUTE_MS = 60_000;

type Changed = Partial<ConnectionRecord> | undefined;

/** A watch over one connection, and what becomes of it. */
interface Watched {
  readonly clock: FakeClock;
  readonly watch: ClockWatch;
  /** What each look wrote; undefined where it left the connection as it is. */
  readonly changes: Changed[];
  readonly durable: boolean[];
  readonly events: unknown[];
  /** Instants in the budget of the one endpoint. */
  recent: readonly number[];
  /** After which instant the store was asked whether it remembers a later one, and what it answers. */
  readonly asked: number[];
  remembers: boolean;
  /** Whether the store cannot be read. */
  fails: boolean;
  /** Ids of the connections, which are alike otherwise. */
  ids: readonly string[];
  /** What the first write fails with. */
  refuses: Error | undefined;
  /** How many connections were read at a time. */
  readonly listed: number[];
}

function watched(connection: Partial<ConnectionRecord> = {}): Watched {
  const clock = fakeClock(NOW);
  const view = someView({ connection });
  const store = {
    ids: ({ after, limit }: { readonly after: string; readonly limit: number }) => {
      const page = all.ids.filter((id) => id > after).slice(0, limit);
      all.listed.push(page.length);
      return all.fails ? Promise.reject(new Error('the disk is gone')) : Promise.resolve(page);
    },
    endpoints: () => Promise.resolve([{ recent: [] }, { recent: all.recent }]),
    remembersAfter: (at: number) => {
      all.asked.push(at);
      return Promise.resolve(all.remembers);
    },
    transition: (
      _id: string,
      decide: (view: View) => { readonly connection?: Changed },
      { durable }: { readonly durable: boolean },
    ) => {
      const { refuses } = all;
      all.refuses = undefined;
      if (refuses !== undefined) return Promise.reject(refuses);
      all.durable.push(durable);
      all.changes.push(decide(view).connection);
      return Promise.resolve(true);
    },
  };
  const emit = (event: string, detail: object): unknown => all.events.push([event, detail]);
  const engine = { clock, store, emit } as unknown as Engine;
  const all: Watched = {
    ...{ clock, watch: new ClockWatch(engine), changes: [], durable: [], events: [] },
    ...{ recent: [], asked: [], remembers: false, fails: false },
    ...{ ids: [view.connection.id], listed: [], refuses: undefined },
  };
  return all;
}

/** Looks once, sets the clock back, and looks again. @returns what that wrote. */
async function setBack(by: number, connection: Partial<ConnectionRecord> = {}): Promise<Changed> {
  const { clock, watch, changes } = watched(connection);
  await watch.look();
  clock.setWall(NOW - by);
  await watch.look();
  return changes.at(-1);
}

describe('a clock that is set back while a keeper watches', () => {
  it('by more than a minute makes a token set due, and says so once', async () => {
    const { clock, watch, changes, durable, events } = watched();
    await watch.look();
    clock.setWall(NOW - MINUTE_MS - 1);
    await watch.look();
    await watch.look();
    expect(changes).toMatchObject([{ tokens: { dueAt: NOW - MINUTE_MS - 1 } }]);
    // What a crash takes back is found once more at the next start.
    expect(durable).toEqual([false]);
    const message = 'the clock was set back; all access tokens are renewed';
    expect(events).toEqual([['warning', { connection: undefined, message }]]);
  });

  it('makes very many token sets due without reading all of them at once', async () => {
    const seen = watched();
    seen.ids = Array.from({ length: 2_500 }, (_, i) => `connection-${String(10_000 + i)}`);
    await seen.watch.look();
    seen.clock.setWall(NOW - 7_200_000);
    await seen.watch.look();
    expect(seen.changes).toHaveLength(2_500);
    expect(Math.max(...seen.listed)).toBeLessThanOrEqual(1_000);
  });

  it('makes all others due where one is damaged', async () => {
    const seen = watched();
    seen.ids = ['a', 'b', 'c'];
    await seen.watch.look();
    seen.clock.setWall(NOW - 7_200_000);
    seen.refuses = new StoreError('ERR_STORE_DAMAGED', 'it was altered');
    await seen.watch.look();
    expect(seen.changes).toHaveLength(2);
    await seen.watch.look();
    expect(seen.changes).toHaveLength(2);
  });

  it.each([new StoreError('ERR_STORE_FULL', 'the disk is full'), new Error('a defect')])(
    'makes all due again by the next look where a write fails with %s',
    async (failure) => {
      const seen = watched();
      seen.ids = ['a', 'b'];
      await seen.watch.look();
      seen.clock.setWall(NOW - 7_200_000);
      seen.refuses = failure;
      await expect(seen.watch.look()).rejects.toBe(failure);
      await seen.watch.look();
      expect(seen.changes).toHaveLength(3);
    },
  );

  it('by a minute changes nothing, nor does time that passes or a clock that is set ahead', async () => {
    const { clock, watch, changes } = watched();
    await watch.look();
    clock.setWall(NOW - MINUTE_MS);
    await watch.look();
    await clock.advance(LIFE_MS);
    await watch.look();
    clock.setWall(NOW + 86_400_000);
    await watch.look();
    expect(changes).toEqual([]);
  });

  it('leaves its token set no longer a life than the server gave it', async () => {
    const change = await setBack(86_400_000);
    expect(change?.tokens?.accessExpiresAt).toBe(NOW - 86_400_000 + LIFE_MS);
  });

  it('cuts the back-off and the age of a claim to now', async () => {
    const [past, now] = [NOW - 86_400_000, NOW - 7_200_000];
    const claim = { owner: someOwner, attemptId: 'attempt', claimedAt: NOW };
    expect(await setBack(7_200_000, { claim, backoff: { failures: 3, notBefore: NOW } })).toEqual(
      expect.objectContaining({
        claim: { ...claim, claimedAt: now },
        backoff: { failures: 3, notBefore: now },
      }),
    );
    const backoff = { failures: 3, notBefore: past };
    expect(await setBack(7_200_000, { backoff })).toMatchObject({ backoff });
  });
});

describe('what was renewed by another keeper since the clock was set back', () => {
  const now = NOW - 7_200_000;
  const renewed = (receivedAt: number, change: object = {}): Partial<ConnectionRecord> => ({
    tokens: someTokens({
      ...{ receivedAt, dueAt: receivedAt + LIFE_MS / 2, accessExpiresAt: receivedAt + LIFE_MS },
      ...change,
    }),
  });

  it.each([
    [0, false],
    [MINUTE_MS - 1, false],
    [MINUTE_MS, true],
    [-1, true],
  ])('%d ms ago is made due: %s', async (ageMs, isMadeDue) => {
    const change = await setBack(7_200_000, renewed(now - ageMs));
    expect(change?.tokens?.dueAt).toBe(isMadeDue ? now : undefined);
  });

  it('keeps its due instant where something else of it lies too far ahead', async () => {
    const tokens = renewed(now);
    const late = { claim: { owner: someOwner, attemptId: 'attempt', claimedAt: now + 1 } };
    const waits = { backoff: { failures: 1, notBefore: now + 1 } };
    const long = renewed(now, { accessExpiresAt: now + LIFE_MS + 1 });
    for (const connection of [{ ...tokens, ...late }, { ...tokens, ...waits }, long]) {
      const change = await setBack(7_200_000, connection);
      expect(change?.tokens).toMatchObject({
        dueAt: now + LIFE_MS / 2,
        accessExpiresAt: now + LIFE_MS,
      });
    }
  });

  it('is left alone where nothing of it lies ahead, with tokens or without', async () => {
    const past = {
      claim: { owner: someOwner, attemptId: 'attempt', claimedAt: now },
      backoff: { failures: 1, notBefore: now },
    };
    const due = renewed(now - LIFE_MS, { dueAt: now, accessExpiresAt: now });
    for (const tokens of [renewed(now), due, { tokens: undefined }]) {
      expect(await setBack(7_200_000, { ...past, ...tokens })).toBeUndefined();
    }
    const waits = { tokens: undefined, backoff: { failures: 1, notBefore: now + 1 } };
    expect(await setBack(7_200_000, waits)).toEqual({ backoff: { failures: 1, notBefore: now } });
  });
});

describe('at the first look', () => {
  it('instants that the store remembers more than a minute ahead tell that the clock was set back before', async () => {
    const fromBudget = watched();
    fromBudget.recent = [NOW, NOW + MINUTE_MS + 1];
    await fromBudget.watch.look();
    expect([fromBudget.changes.length, fromBudget.asked]).toEqual([1, []]);
    const fromRows = watched();
    fromRows.recent = [NOW + MINUTE_MS];
    fromRows.remembers = true;
    await fromRows.watch.look();
    expect([fromRows.changes.length, fromRows.asked]).toEqual([1, [NOW + MINUTE_MS]]);
  });

  it('alone: later the clock itself is watched', async () => {
    const { watch, asked } = watched();
    await watch.look();
    await watch.look();
    expect(asked).toHaveLength(1);
  });

  it('and at every other, a store that fails is asked again by the next', async () => {
    const seen = watched();
    const { clock, watch } = seen;
    await watch.look();
    clock.setWall(NOW - 7_200_000);
    seen.fails = true;
    await expect(watch.look()).rejects.toThrow('the disk is gone');
    seen.fails = false;
    await watch.look();
    expect(seen.changes).toHaveLength(1);
  });
});
