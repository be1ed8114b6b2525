import { describe, expect, it, vi } from 'vitest';
import { LIFE_MS, worldFixture } from '../../support/keeper-under-test.ts';
import { timesAsMuch } from '../../support/times.ts';

vi.setConfig({ testTimeout: 90_000 * timesAsMuch() });

const makeWorld = worldFixture();

describe('one refresh an expiry', () => {
  it('makes one request for 500 callers, over 200 expiries', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    for (let expiry = 1; expiry <= 200; expiry++) {
      await world.clock.advance(LIFE_MS);
      const tokens = await Promise.all(Array.from({ length: 500 }, () => connection.token()));
      expect(new Set(tokens.map(({ value }) => value)).size).toBe(1);
      expect(tokens[0]?.expiresAt).toBe(world.clock.now() + LIFE_MS);
      expect(world.requestCount()).toBe(expiry);
    }
    expect(world.requestCount({ replay: true })).toBe(0);
  });

  it('makes one request for the callers of two keepers of one home', async () => {
    const world = await makeWorld();
    const second = await world.open();
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    const other = second.keeper.connection('a');
    for (let expiry = 1; expiry <= 20; expiry++) {
      await world.clock.advance(LIFE_MS);
      const callers = Array.from({ length: 50 }, (_, i) => (i % 2 ? connection : other).token());
      const tokens = await world.during(Promise.all(callers), 5);
      expect(new Set(tokens.map(({ value }) => value)).size).toBe(1);
      expect(world.requestCount()).toBe(expiry);
    }
    expect(world.requestCount({ replay: true })).toBe(0);
  });
});

describe('a keeper that waits for the refresh of another', () => {
  it('writes nothing, whatever else is written to the store meanwhile, and serves what the other stored', async () => {
    const world = await makeWorld();
    const second = await world.open();
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    const { connection: busy } = await world.add('b');
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next('hold-after-commit');
    const asking = connection.token();
    await world.emulator.ledger.waitFor(1, { held: true });
    const waiting = world.watch(second.keeper.connection('a').token());
    await world.pass(50);
    const writes = vi.spyOn(second.store, 'transition');
    for (let i = 0; i < 5; i++) {
      await busy.pause();
      await busy.resume();
      await world.pass(20);
    }
    expect(waiting.state).toBe('pending');
    world.emulator.faults.release();
    const token = await asking;
    await world.pass(30);
    expect((await waiting.promise).value).toBe(token.value);
    expect(writes).not.toHaveBeenCalled();
    expect(world.requestCount()).toBe(1);
  });
});

describe('callers that stop waiting', () => {
  it('do not end the refresh when they abort: it is recorded and served to the next', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next('hold-after-commit');
    const leaving = new AbortController();
    const callers = Array.from({ length: 20 }, () => connection.token({ signal: leaving.signal }));
    const staying = world.watch(connection.token());
    await world.emulator.ledger.waitFor(1, { held: true });
    leaving.abort(new Error('the caller left'));
    const outcomes = await Promise.allSettled(callers);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'the caller left' } });
    }
    expect(staying.state).toBe('pending');
    world.emulator.faults.release();
    const token = await staying.promise;
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
    expect(await connection.token()).toMatchObject({ value: token.value });
    expect(world.requestCount()).toBe(1);
  });

  it('do not end the refresh when their time is up, and are told that it goes on', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next('hold-after-commit');
    const hasty = world.watch(connection.token({ timeoutMs: 1_000 }));
    const patient = world.watch(connection.token({ timeoutMs: 60_000 }));
    await world.emulator.ledger.waitFor(1, { held: true });
    await world.pass(999);
    expect(hasty.state).toBe('pending');
    await world.pass(1);
    expect(hasty.error).toMatchObject({ code: 'ERR_DEADLINE' });
    expect(patient.state).toBe('pending');
    world.emulator.faults.release();
    expect((await patient.promise).generation).toBe(2);
    expect(world.requestCount()).toBe(1);
  });

  it('with no time at all are told so, and the refresh they asked for is made', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await world.clock.advance(LIFE_MS);
    await expect(connection.token({ timeoutMs: 0 })).rejects.toMatchObject({
      code: 'ERR_DEADLINE',
    });
    await world.quiet();
    expect((await connection.token({ timeoutMs: 0 })).generation).toBe(2);
    expect(world.requestCount()).toBe(1);
  });

  it('do not keep later callers from waiting as long as they may', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await world.pass(LIFE_MS - 60_000);
    world.emulator.faults.next('hold-before-commit');
    const leaving = new AbortController();
    const left = world.watch(connection.token({ signal: leaving.signal }));
    await world.quiet();
    leaving.abort(new Error('the caller left'));
    await world.quiet();
    expect(left.error).toMatchObject({ message: 'the caller left' });
    const hasty = await world.during(connection.token({ timeoutMs: 100 }), 50);
    expect(hasty.generation).toBe(1);
    const waiting = world.watch(connection.token());
    await world.quiet();
    expect(waiting.state).toBe('pending');
    world.emulator.faults.release();
    expect((await waiting.promise).generation).toBe(2);
  });
});

describe('different connections', () => {
  it('do not wait for each other, even of one client at one server', async () => {
    const world = await makeWorld();
    const a = await world.add('a', { overrides: { rotation: 'single-use' } });
    const b = await world.add('b', { overrides: { rotation: 'single-use' } });
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next('hold-after-commit', { grantId: a.grant.grantId });
    const slow = world.watch(a.connection.token());
    await world.emulator.ledger.waitFor(1, { held: true });
    const quick = await world.during(b.connection.token(), 100);
    expect(world.emulator.isAccessTokenAlive(quick.value)).toBe(true);
    expect(slow.state).toBe('pending');
    world.emulator.faults.release();
    const late = await slow.promise;
    expect(late.value).not.toBe(quick.value);
  });

  it('get their own tokens when 100 of them are refreshed at once', async () => {
    const world = await makeWorld();
    const added = [];
    for (let i = 0; i < 100; i++) {
      added.push(await world.add(`c${String(i)}`, { overrides: { rotation: 'single-use' } }));
    }
    for (let expiry = 1; expiry <= timesAsMuch(); expiry++) {
      await world.clock.advance(LIFE_MS);
      const tokens = await world.during(
        Promise.all(added.map(({ connection }) => connection.token())),
      );
      for (const [i, { grant }] of added.entries()) {
        const alive = world.emulator.describe().find(({ grantId }) => grantId === grant.grantId);
        const row = world.requests({ grantId: grant.grantId }).at(-1);
        expect(alive?.accessTokensAlive).toEqual([row?.accessTokenFingerprint]);
        expect(world.emulator.isAccessTokenAlive(tokens[i]?.value ?? '')).toBe(true);
      }
      expect(new Set(tokens.map(({ value }) => value)).size).toBe(100);
      expect(world.requestCount()).toBe(100 * expiry);
    }
  });
});

describe('a name', () => {
  it('that changes while callers wait does not cost them their token', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('before');
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next('hold-after-commit');
    const waiting = connection.token();
    await world.emulator.ledger.waitFor(1, { held: true });
    await connection.rename('after');
    // Another connection takes the name that became free: its tokens are nobody's business here.
    const other = await world.add('before');
    world.emulator.faults.release();
    const token = await waiting;
    expect(token.value).not.toBe(other.grant.accessToken);
    expect(await world.first.keeper.connection('after').token()).toMatchObject({
      value: token.value,
    });
    expect(world.requestCount()).toBe(1);
  });
});
