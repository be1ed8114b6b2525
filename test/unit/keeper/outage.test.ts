import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ServerUnavailableError } from '../../../src/errors.ts';
import { HttpConnectError } from '../../../src/system/http.ts';
import { fakeHttp } from '../../support/fake-http.ts';
import { setSabotage } from '../../support/failpoints.ts';
import { EARLY_MS, LIFE_MS, worldFixture, type World } from '../../support/keeper-under-test.ts';
import { timesAsMuch } from '../../support/times.ts';
import type { Fault, RetryAfter } from '../../../src/emulator/emulator.ts';

vi.setConfig({ testTimeout: 90_000 * timesAsMuch() });

const makeWorld = worldFixture();

afterEach(() => {
  for (const defence of ['retry-after', 'shared-breaker']) setSabotage(defence, false);
});

/** The greatest number of instants that lie in any second. */
function mostInASecond(instants: readonly number[]): number {
  return Math.max(
    0,
    ...instants.map((from) => instants.filter((at) => at >= from && at < from + 1_000).length),
  );
}

describe('while the access token lives', () => {
  it.each<[string, Fault]>([
    ['hangs', 'hang-before-commit'],
    ['answers 500', { kind: 'server-error', status: 500 }],
    ['answers 504', 'gateway-timeout'],
    ['asks to wait (429)', 'throttled'],
    ['asks to wait (503)', { kind: 'server-error', status: 503, retryAfter: 30 }],
    ['cuts every connection', 'cut-before-commit'],
  ])('callers of a running keeper do not wait for a server that %s', async (_what, fault) => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    world.emulator.faults.always(fault);
    world.first.keeper.start();
    await world.pass(LIFE_MS - EARLY_MS + 6_000);
    // Whoever comes first after the early expiry may wait for a request that hangs; nobody after.
    await world.during(connection.token());
    while (world.clock.now() < grant.expiresAt - 10_000) {
      const served = Array.from({ length: 100 }, () => world.watch(connection.token()));
      await world.quiet();
      expect(new Set(served.map(({ value }) => value?.value))).toEqual(
        new Set([grant.accessToken]),
      );
      await world.pass(7_000);
    }
  });

  it('callers do not wait for a server that cannot be reached', async () => {
    const http = fakeHttp(() => 'unreachable');
    const world = await makeWorld();
    const down = await world.restart({ http });
    const { connection, grant } = await world.add('a', { by: down });
    await world.pass(LIFE_MS - EARLY_MS + 1_000);
    for (let i = 0; i < 50; i++) {
      expect((await connection.token()).value).toBe(grant.accessToken);
      await world.pass(5_000);
    }
    await world.pass(EARLY_MS);
    await expect(world.during(connection.token({ timeoutMs: 500 }))).rejects.toMatchObject({
      code: 'ERR_SERVER_UNREACHABLE',
      retryAt: expect.any(Number) as unknown,
    });
  });
});

describe('a server that asks to wait', () => {
  const HOUR = 3_600_000;
  const cases: readonly [string, RetryAfter | null, number][] = [
    ['60', 60, 60_000],
    ['a date in two minutes', { dateInMs: 120_000 }, 120_000],
    ['0', 0, 1_000],
    ['-1', '-1', 60_000],
    ['abc', 'abc', 60_000],
    ['a billion', 1_000_000_000, HOUR],
    ['a date in the past', { dateInMs: -86_400_000 }, 1_000],
    ['a date in a year', { dateInMs: 365 * 86_400_000 }, HOUR],
    ['nothing', null, 60_000],
  ];

  /** Instants of the requests of three impatient connections whose server asks twice to wait. */
  async function requestsAfter(
    world: World,
    retryAfter: RetryAfter | null,
    waitMs: number,
    rounds = 20,
  ): Promise<number[]> {
    for (let i = 0; i < 3; i++) await world.add(`c${String(i)}`);
    world.first.keeper.start();
    await world.clock.advance(LIFE_MS, () => world.quiet());
    world.emulator.ledger.clear();
    await world.clock.advance(LIFE_MS - 1_000, () => Promise.resolve());
    world.emulator.faults.always({ kind: 'throttled', retryAfter });
    const others = await world.open();
    others.keeper.start();
    for (let i = 0; i < rounds; i++) {
      for (const { keeper } of world.keepers) {
        for (let n = 0; n < 3; n++) {
          const name = `c${String(n)}`;
          void keeper
            .connection(name)
            .token()
            .catch(() => undefined);
          void keeper
            .connection(name)
            .refresh()
            .catch(() => undefined);
        }
      }
      await world.pass(i < 12 ? Math.min(250, waitMs / 8) : waitMs / 4);
    }
    return world.requests().map(({ at }) => at);
  }

  it.each(cases)('by Retry-After %s is left alone so long by all', async (_what, value, wait) => {
    const world = await makeWorld();
    const at = await requestsAfter(world, value, wait);
    expect(at.length).toBeGreaterThan(1);
    // The requests that were under way together do not know of each other's answer.
    const rounds = at.filter((instant, i) => i === 0 || instant - (at[i - 1] ?? 0) > 10);
    expect(rounds.length).toBeGreaterThan(1);
    for (const [i, round] of rounds.slice(1).entries()) {
      const before = at.findLast((instant) => instant < round) ?? rounds[i] ?? 0;
      expect(round - before).toBeGreaterThanOrEqual(wait);
    }
  });

  it('is not left alone by a build that ignores Retry-After', async () => {
    const world = await makeWorld();
    setSabotage('retry-after', true);
    const at = await requestsAfter(world, 60, 60_000, 12);
    const gaps = at.slice(1).map((instant, i) => instant - (at[i] ?? 0));
    expect(gaps.some((gap) => gap > 10 && gap < 60_000)).toBe(true);
  });

  it('costs nobody a turn at writing while it is left alone: no caller that is excused, and no round in the background', async () => {
    const world = await makeWorld();
    const connections = [await world.add('a'), await world.add('b')].map((one) => one.connection);
    await world.clock.advance(LIFE_MS - EARLY_MS + 1_000, () => Promise.resolve());
    world.emulator.faults.always({ kind: 'throttled', retryAfter: 120 });
    const { keeper, store } = world.first;
    const ask = (): Promise<unknown> =>
      Promise.all(connections.map((connection) => world.during(connection.token())));
    await ask();
    const writes = vi.spyOn(store, 'transition');
    const looks = vi.spyOn(store, 'due');
    keeper.start();
    for (let i = 0; i < 10; i++) {
      await ask();
      await world.pass(10_000);
    }
    expect(looks.mock.calls.length).toBeGreaterThan(2);
    expect(writes).not.toHaveBeenCalled();
  });

  it('is left alone although another request was answered in between', async () => {
    const world = await makeWorld();
    const a = await world.add('a');
    const b = await world.add('b');
    const c = await world.add('c');
    await a.connection.refresh();
    world.emulator.faults.next('hold-after-commit', { grantId: b.grant.grantId });
    const slow = b.connection.refresh();
    await world.emulator.ledger.waitFor(1, { held: true });
    world.emulator.faults.next({ kind: 'throttled', retryAfter: 60 });
    await expect(c.connection.refresh({ timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'ERR_SERVER_THROTTLED',
    });
    world.emulator.faults.release();
    await slow;
    const before = world.requestCount();
    await expect(a.connection.refresh({ timeoutMs: 1_000 })).rejects.toThrow();
    expect(world.requestCount()).toBe(before);
    await world.pass(60_000);
    expect((await a.connection.refresh()).generation).toBe(3);
  });

  it('for longer than an hour is asked again after one, and its wait is said to be cut', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    world.emulator.faults.next({ kind: 'throttled', retryAfter: 86_400 });
    await connection.refresh({ timeoutMs: 0 }).catch(() => undefined);
    await world.quiet();
    expect((await connection.explain()).cause).toContain('cut to one hour');
    await world.pass(HOUR + 16_000);
    expect((await connection.token()).generation).toBe(2);
  });
});

describe('an outage of an hour over 500 connections', () => {
  async function addMany(world: World, count: number): Promise<void> {
    for (let i = 0; i < count; i++) await world.add(`c${String(i)}`);
  }

  it('costs at most 150 requests, and 120 s after the first answer all are fresh, soonest-expiring first', async () => {
    const world = await makeWorld();
    // All of them expire in the outage, one after the other.
    for (let i = 0; i < 500; i++) {
      await world.add(`c${String(i)}`);
      await world.clock.advance(1_000, () => Promise.resolve());
    }
    const { keeper } = world.first;
    world.emulator.faults.always({ kind: 'server-error', status: 503 });
    keeper.start();
    await world.pass(0.7 * LIFE_MS);
    const before = world.requests();
    world.emulator.ledger.clear();
    const from = world.clock.now();
    await world.pass(3_600_000);
    const asked = world.requests();
    const during = asked.map(({ at }) => at);
    console.info(`requests in the hour of the outage: ${String(during.length)}`);
    expect(during.length).toBeGreaterThan(5);
    expect(during.length).toBeLessThanOrEqual(150);
    expect(mostInASecond(during)).toBeLessThanOrEqual(10);
    expect(world.clock.now() - from).toBe(3_600_000);

    world.emulator.faults.clear();
    world.emulator.ledger.clear();
    while (world.requestCount({ outcome: 'issued' }) === 0) await world.pass(1_000);
    const worksAt = world.clock.now();
    await world.pass(120_000);
    const stale = (await keeper.list()).filter(({ freshness }) => freshness !== 'fresh');
    expect(stale).toEqual([]);
    const issued = world.requests({ outcome: 'issued' });
    console.info(
      `all fresh after ${String((issued.at(-1)?.at ?? 0) - worksAt)} ms, at most ${String(mostInASecond(issued.map(({ at }) => at)))} requests in a second`,
    );
    expect(mostInASecond(issued.map(({ at }) => at))).toBeLessThanOrEqual(10);
    // Those that were sent ahead in the outage may have to wait a few seconds more than the rest.
    const ahead = new Set([...before, ...asked].map(({ grantId }) => grantId));
    const order = world.emulator.describe().map(({ grantId }) => grantId);
    const places = issued.filter(({ grantId }) => !ahead.has(grantId));
    const refreshed = places.map(({ grantId }) => order.indexOf(grantId ?? ''));
    // Sent side by side, ten a second: neighbours may swap.
    const sorted = refreshed.toSorted((x, y) => x - y);
    for (const [i, place] of refreshed.entries()) {
      expect(Math.abs(sorted.indexOf(place) - i)).toBeLessThan(20);
    }
  });

  it('costs far more in a build whose breaker does not open', async () => {
    const world = await makeWorld();
    setSabotage('shared-breaker', true);
    await addMany(world, 200);
    world.emulator.faults.always({ kind: 'server-error', status: 503 });
    await world.clock.advance(LIFE_MS, () => Promise.resolve());
    world.first.keeper.start();
    await world.pass(40_000);
    expect(world.requestCount()).toBeGreaterThan(150);
  });

  it('is found to be over, though one of them is damaged and can never be asked for', async () => {
    const world = await makeWorld();
    await world.add('damaged');
    await world.pass(1_000);
    const { connection } = await world.add('whole');
    const database = new DatabaseSync(path.join(world.home, 'store', 'evergrant.db'));
    database.exec("UPDATE connection SET refresh_token = zeroblob(99) WHERE name = 'damaged'");
    database.close();
    world.emulator.faults.always({ kind: 'server-error', status: 500 });
    world.first.keeper.start();
    await world.pass(2 * LIFE_MS);
    expect((await world.first.store.endpoints())[0]?.failures).toBeGreaterThanOrEqual(5);
    const before = world.requestCount();
    await world.pass(LIFE_MS);
    expect(world.requestCount() - before).toBeLessThanOrEqual(LIFE_MS / 300_000 + 1);
    world.emulator.faults.clear();
    await world.pass(310_000);
    expect((await connection.status()).freshness).toBe('fresh');
  });

  it('in which 500 expired ones are found at the start makes no burst and starves none', async () => {
    const world = await makeWorld();
    await addMany(world, 500);
    await world.clock.advance(LIFE_MS + 1, () => Promise.resolve());
    const { keeper } = world.first;
    keeper.start();
    await world.pass(120_000);
    const at = world.requests().map((entry) => entry.at);
    expect(at).toHaveLength(500);
    expect(mostInASecond(at)).toBeLessThanOrEqual(10);
    expect((await keeper.list()).every(({ freshness }) => freshness === 'fresh')).toBe(true);
  });
});

describe('three thousand failures in a row', () => {
  it('are each followed by a wait from one second to five minutes', async () => {
    const at: number[] = [];
    const world = await makeWorld();
    const down = await world.restart({
      http: {
        connect: () => {
          at.push(world.clock.now());
          return Promise.reject(new HttpConnectError('down'));
        },
        close: () => undefined,
      },
    });
    const { connection } = await world.add('a', { by: down, withoutAccessToken: true });
    while (at.length < 3_000 * timesAsMuch()) {
      const error = await connection.token({ timeoutMs: 1 }).catch((reason: unknown) => reason);
      const { retryAt } = error as ServerUnavailableError;
      expect(retryAt).toBeGreaterThanOrEqual(world.clock.now());
      await world.clock.advance((retryAt ?? NaN) - world.clock.now(), () => Promise.resolve());
    }
    const gaps = at.slice(1).map((instant, i) => instant - (at[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(300_000);
  });
});
