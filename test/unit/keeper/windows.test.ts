import { describe, expect, it } from 'vitest';
import { EARLY_MS, LIFE_MS, worldFixture, type World } from '../../support/keeper-under-test.ts';

/*
 * A keeper that has just looked at its clocks and its store serves on for a moment without looking again. Nobody may notice.
 */

const makeWorld = worldFixture();

/** Asks each millisecond, from shortly before the early expiry on, until there is a newer token. @returns the last one of the old. */
async function lastServed(world: World, from: number, meanwhile: (ms: number) => void) {
  const { connection } = await world.add('a');
  const begun = world.clock.monotonic();
  await world.pass(LIFE_MS - EARLY_MS - from);
  for (let ms = 0; ; ms++) {
    meanwhile(ms);
    const servedAt = world.clock.monotonic() - begun;
    if ((await connection.token()).generation > 1) return servedAt - 1;
    await world.clock.advance(1, () => Promise.resolve());
  }
}

describe('within a moment of the last look at the clocks', () => {
  it.each([501, 600, 749, 750, 751, 1_000])(
    'a clock set back does not prolong the service of a token: %d ms before its early expiry',
    async (from) => {
      const world = await makeWorld();
      const last = await lastServed(world, from, (ms) => {
        if (ms === 100) world.first.skewMs = -200;
      });
      expect(last).toBeLessThan(LIFE_MS - EARLY_MS);
    },
  );

  it('a token ends to the millisecond, however often it was just served', async () => {
    const world = await makeWorld();
    expect(await lastServed(world, 1_000, () => undefined)).toBe(LIFE_MS - EARLY_MS - 1);
  });

  it('a machine that was suspended serves no token that has expired meanwhile', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    for (let i = 0; i < 3; i++) await connection.token();
    world.first.skewMs = LIFE_MS;
    expect((await connection.token()).generation).toBe(2);
  });

  it('a clock set ahead and back again serves what lives', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    for (const skewMs of [0, 300, 0, -300, -100, 0]) {
      world.first.skewMs = skewMs;
      expect((await connection.token()).value).toBe(grant.accessToken);
    }
    expect(world.requestCount()).toBe(0);
  });
});

describe('although its token was served just now', () => {
  it('a connection is unknown once it was renamed or disconnected', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    for (let i = 0; i < 3; i++) await connection.token();
    await connection.rename('b');
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
    const renamed = world.first.keeper.connection('b');
    for (let i = 0; i < 3; i++) await renamed.token();
    await renamed.disconnect();
    await expect(renamed.token()).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
  });

  it('a rename by another keeper keeps no caller from the answer that it waits for', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    for (let i = 0; i < 3; i++) await connection.token();
    await world.pass(LIFE_MS);
    const other = await world.open();
    world.emulator.faults.next('hold-after-commit');
    const waiting = world.watch(connection.token());
    await world.emulator.ledger.waitFor(1, { held: true });
    await other.keeper.connection('a').rename('b');
    world.emulator.faults.release();
    await world.quiet();
    expect(waiting.value?.generation).toBe(2);
  });

  it('a refresh is seen at once', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    for (let i = 0; i < 3; i++) await connection.token();
    await connection.refresh();
    expect((await connection.token()).generation).toBe(2);
  });

  it('what another keeper did is seen within a second', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    const other = await world.open();
    for (let i = 0; i < 3; i++) await connection.token();
    await other.keeper.connection('a').disconnect();
    await world.clock.advance(999, () => Promise.resolve());
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
  });

  it('a closed keeper serves nothing', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    for (let i = 0; i < 3; i++) await connection.token();
    const { keeper } = world.first;
    await world.close(world.first);
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_KEEPER_CLOSED' });
    const another = keeper.connection('a');
    await expect(another.token()).rejects.toMatchObject({ code: 'ERR_KEEPER_CLOSED' });
  });
});

it('of very many connections none is withheld its living token by a store that cannot be read', async () => {
  const world = await makeWorld();
  const { connection, grant } = await world.add('first');
  await connection.token();
  for (let i = 0; i < 100; i++) {
    const { connection: next } = await world.add(`next-${String(i)}`);
    await next.token();
  }
  const { store } = world.first;
  store.read = () => Promise.reject(new Error('the disk is gone'));
  store.find = () => Promise.reject(new Error('the disk is gone'));
  await world.pass(LIFE_MS - EARLY_MS + 1);
  expect((await connection.token()).value).toBe(grant.accessToken);
  expect((await connection.token({ minLifeMs: 1_000 })).value).toBe(grant.accessToken);
  await world.pass(EARLY_MS);
  await expect(connection.token()).rejects.toThrow('the disk is gone');
});
