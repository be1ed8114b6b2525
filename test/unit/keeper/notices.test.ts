import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Notice } from '../../../src/connection/record.ts';
import { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import {
  LIFE_MS,
  runBeside,
  worldFixture,
  type TestKeeper,
  type World,
} from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();

/** The operator's command: appends what it gets to a file, or fails as long as another file exists. */
async function notifyCommand(world: World): Promise<{
  readonly settings: { readonly notifyCommand: readonly string[] };
  readonly received: () => Promise<Notice[]>;
  readonly broken: string;
}> {
  const script = path.join(world.home, 'notify.sh');
  const inbox = path.join(world.home, 'inbox');
  const broken = path.join(world.home, 'broken');
  await writeFile(script, '[ -e "$2" ] && exit 1; cat >> "$1"; exit 0\n');
  return {
    settings: { notifyCommand: ['/bin/sh', script, inbox, broken] },
    received: async () => {
      const text = await readFile(inbox, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Notice);
    },
    broken,
  };
}

const letGo: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const release of letGo.splice(0)) await release();
});

/** A command that hangs until the test ends; time passes meanwhile. */
async function hangingCommand(
  world: World,
): Promise<{ readonly notifyCommand: readonly string[] }> {
  const held = path.join(world.home, 'held');
  await writeFile(held, '');
  runBeside(1);
  letGo.push(async () => {
    runBeside(-1);
    await rm(held);
  });
  const script = 'while [ -e "$0" ]; do sleep 0.02; done';
  return { notifyCommand: ['/bin/sh', '-c', script, held] };
}

function told({ events }: TestKeeper): string[] {
  return events.flatMap(({ event, detail }) => (event === 'notice' ? [detail.kind] : []));
}

/** More than a look at the outbox takes to end, and an order to come to one. */
const TURNS = 12;

/** Acts after so many turns of promises, and nothing else: an `await` more would be a turn more. */
async function afterTurns(count: number, act: () => void): Promise<void> {
  if (count === 0) return act();
  return Promise.resolve().then(() => afterTurns(count - 1, act));
}

/** Leaves notices of a keeper that ended before it could deliver any. */
async function leaveNotices(world: World, count: number): Promise<void> {
  const other = await world.open();
  other.store.pendingNotices = () => Promise.resolve([]);
  for (let i = 0; i < count; i++) await world.add(`c${String(i)}`, { withoutAccessToken: true });
  world.emulator.revokeUser('demo@perspio.io');
  await world.during(other.keeper.refreshDue());
  await world.close(other);
}

/** Holds the next look at the outbox until it is to find nothing; the one after it finds one notice at most, and those after that none. */
function holdNextLook(store: SqliteStore): {
  readonly begun: Promise<unknown>;
  readonly findNothing: () => void;
} {
  const { pendingNotices } = SqliteStore.prototype;
  const begun = Promise.withResolvers<unknown>();
  const found = Promise.withResolvers<readonly Notice[]>();
  store.pendingNotices = (now) => {
    store.pendingNotices = () => {
      store.pendingNotices = () => Promise.resolve([]);
      return pendingNotices.call(store, now, 1);
    };
    begun.resolve(undefined);
    return found.promise;
  };
  return { begun: begun.promise, findNothing: () => found.resolve([]) };
}

describe('a notice', () => {
  it('reaches the operator\u2019s command and the listeners once, within a second', async () => {
    const world = await makeWorld();
    const { settings, received } = await notifyCommand(world);
    const { keeper } = await world.restart({ settings });
    await world.add('a');
    await world.add('b');
    await world.pass(LIFE_MS / 2);
    keeper.start();
    world.emulator.revokeUser('demo@perspio.io');
    const refreshed = keeper.connection('a').refresh();
    await expect(refreshed).rejects.toMatchObject({ code: 'ERR_GRANT_REFUSED' });
    await world.quiet();
    expect(await received()).toMatchObject([
      {
        kind: 'attention',
        connection: 'a',
        actor: 'owner',
        message: expect.any(String) as unknown,
      },
    ]);
    await world.pass(86_400_000);
    const kinds = (await received()).map(({ connection }) => connection);
    expect(kinds.toSorted()).toEqual(['a', 'b']);
    expect(told(world.first)).toEqual(['attention', 'attention']);
  });

  it('that the command refuses is kept, told as a warning, and delivered once it works', async () => {
    const world = await makeWorld();
    const { settings, received, broken } = await notifyCommand(world);
    await writeFile(broken, '');
    const { keeper } = await world.restart({ settings });
    keeper.start();
    const { connection } = await world.add('a');
    await world.pass(LIFE_MS / 2);
    world.emulator.revokeUser('demo@perspio.io');
    await connection.refresh().catch(() => undefined);
    await world.pass(600_000);
    expect(await received()).toEqual([]);
    expect(told(world.first)).toEqual([]);
    const warnings = world.first.events.filter(({ event }) => event === 'warning');
    expect(warnings.length).toBeGreaterThan(1);
    expect(JSON.stringify(warnings[0])).toContain('kept and tried again');
    await rm(broken);
    await world.pass(120_000);
    expect(await received()).toHaveLength(1);
    expect(told(world.first)).toEqual(['attention']);
    await world.pass(600_000);
    expect(await received()).toHaveLength(1);
  });

  it('does not make callers wait for a slow command', async () => {
    const world = await makeWorld();
    const slow = await world.restart({
      settings: { notifyCommand: ['/bin/sh', '-c', 'sleep 0.3'] },
    });
    const { connection } = await world.add('a', { withoutAccessToken: true });
    world.emulator.revokeUser('demo@perspio.io');
    await connection.token().catch(() => undefined);
    expect(told(slow)).toEqual([]);
    await world.close(slow);
    expect(told(slow)).toEqual(['attention']);
  });

  it('keeps nothing from being renewed while the command hangs', async () => {
    const world = await makeWorld();
    const { keeper } = await world.restart({ settings: await hangingCommand(world) });
    await world.add('a');
    keeper.start();
    await world.pass(LIFE_MS / 2);
    world.emulator.faults.next(70008);
    await expect(keeper.connection('a').refresh()).rejects.toMatchObject({
      code: 'ERR_GRANT_REFUSED',
    });
    await world.add('b', { withoutAccessToken: true });
    await world.pass(60_000);
    expect((await keeper.connection('b').status()).generation).toBe(2);
  });

  it('keeps no keeper from closing while the command hangs, and is delivered by the next', async () => {
    const world = await makeWorld();
    const { keeper } = await world.restart({ settings: await hangingCommand(world) });
    const { connection } = await world.add('a', { withoutAccessToken: true });
    keeper.start();
    world.emulator.revokeUser('demo@perspio.io');
    await connection.token().catch(() => undefined);
    const before = world.clock.now();
    await world.close(world.first);
    expect(world.clock.now() - before).toBeLessThanOrEqual(30_000);
    const next = await world.open();
    next.keeper.start();
    await world.pass(120_000);
    expect(told(next)).toEqual(['attention']);
  });

  it('of a keeper that died while it delivered is delivered by another, a minute later', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { withoutAccessToken: true });
    world.emulator.revokeUser('demo@perspio.io');
    const { store } = world.first;
    // Whoever reserves it first is gone with it.
    const { reserveNotice } = store;
    store.reserveNotice = async (...args) => {
      await reserveNotice.apply(store, args);
      return false;
    };
    await connection.token().catch(() => undefined);
    await world.quiet();
    store.reserveNotice = reserveNotice.bind(store);
    const other = await world.open();
    other.keeper.start();
    await world.pass(59_000);
    expect(told(other)).toEqual([]);
    await world.pass(32_000);
    expect(told(other)).toEqual(['attention']);
  });

  it('is delivered by one of two keepers', async () => {
    const world = await makeWorld();
    const other = await world.open();
    for (let i = 0; i < 10; i++) await world.add(`c${String(i)}`, { withoutAccessToken: true });
    world.emulator.revokeUser('demo@perspio.io');
    world.first.keeper.start();
    other.keeper.start();
    await world.pass(60_000);
    expect(world.requestCount()).toBe(10);
    expect([...told(world.first), ...told(other)]).toHaveLength(10);
  });

  it('is looked for once more when the order comes just as nothing was found, in whatever turn', async () => {
    const world = await makeWorld();
    await leaveNotices(world, 2 * TURNS);
    const { keeper, store } = world.first;
    const timer = vi.spyOn(world.clock, 'timer');
    let [delivered, hasCome] = [0, false];
    const meet = async (act: (order: () => void, end: () => void) => Promise<void>) => {
      const look = holdNextLook(store);
      const orders = [keeper.refreshDue()];
      await look.begun;
      await act(() => orders.push(keeper.refreshDue()), look.findNothing);
      await Promise.all(orders);
      expect(told(world.first)).toHaveLength(++delivered);
    };
    for (let count = 0; count < TURNS; count++) {
      await meet((order, end) => {
        end();
        return afterTurns(count, order);
      });
      await meet((order, end) => {
        const timers = timer.mock.calls.length;
        order();
        return afterTurns(count, () => {
          hasCome = timer.mock.calls.length > timers;
          end();
        });
      });
    }
    // Who waits for a delivery sets a timer. So the last order came to it before the look had ended, and no turn was left out.
    expect(hasCome).toBe(true);
  });

  it('holds no secret', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a', { withoutAccessToken: true });
    world.emulator.revokeUser('demo@perspio.io');
    await connection.token().catch(() => undefined);
    await world.quiet();
    const text = JSON.stringify(world.first.events);
    expect(text).toContain('attention');
    expect(text).not.toContain(grant.refreshToken);
    expect(text).not.toContain('demo~secret+1');
  });
});
