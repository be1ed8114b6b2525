import { describe, expect, it } from 'vitest';
import { LIFE_MS, worldFixture } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();
const REASON = new Error('enough');

describe('a signal', () => {
  it('ends an order to renew what is due; the refresh under way goes on, and no other begins', async () => {
    const world = await makeWorld();
    await world.restart({ settings: { requestsPerSecond: 1 } });
    const { connection } = await world.add('a');
    await world.pass(1_000);
    await world.add('b');
    await world.pass(LIFE_MS);
    world.emulator.faults.next('hold-before-commit');
    const ends = new AbortController();
    const order = world.watch(world.first.keeper.refreshDue({ signal: ends.signal }));
    await world.quiet();
    expect(world.requestCount()).toBe(1);
    ends.abort(REASON);
    await world.quiet();
    expect(order.error).toBe(REASON);
    world.emulator.faults.release();
    await world.pass(5_000);
    expect((await connection.status()).generation).toBe(2);
    expect(world.requestCount()).toBe(1);
  });

  it('ends a disconnect; the connection stays stopped, and the next disconnect revokes all', async () => {
    const world = await makeWorld({ revocationEndpoint: true });
    const revocationEndpoint = world.emulator.tokenEndpoint.replace(/token$/, 'revoke');
    const { connection } = await world.add('a', { overrides: { revocationEndpoint } });
    world.emulator.faults.next('hold-after-commit');
    const refreshed = world.watch(connection.refresh());
    await world.quiet();
    const ends = new AbortController();
    const disconnected = world.watch(connection.disconnect({ signal: ends.signal }));
    await world.quiet();
    ends.abort(REASON);
    await world.quiet();
    expect(disconnected.error).toBe(REASON);
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_DISCONNECTED' });
    world.emulator.faults.release();
    await world.during(refreshed.promise.catch(() => undefined));
    expect(await world.during(connection.disconnect())).toMatchObject({ revoked: true });
    expect(world.emulator.describe().some(({ alive }) => alive)).toBe(false);
  });

  it('that has fired lets nothing begin', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    const signal = AbortSignal.abort(REASON);
    const { keeper } = world.first;
    const options = {
      provider: 'generic',
      client: { clientId: 'another' },
      overrides: world.overrides(),
      tokens: { refreshToken: 'rt' },
      signal,
    };
    await expect(keeper.add('b', options)).rejects.toBe(REASON);
    await expect(keeper.refreshDue({ signal })).rejects.toBe(REASON);
    await expect(connection.disconnect({ signal })).rejects.toBe(REASON);
    await expect(connection.refresh({ signal })).rejects.toBe(REASON);
    await expect(connection.fetch('/assets/v3/', { signal })).rejects.toBe(REASON);
    await expect(keeper.connect('b', { ...options, grant: 'client-credentials' })).rejects.toBe(
      REASON,
    );
    expect(await keeper.clients()).toHaveLength(1);
    expect((await connection.status()).state).toBe('active');
    expect(world.emulator.ledger.count({ endpoint: 'api' })).toBe(0);
    await world.pass(LIFE_MS);
    await expect(connection.token({ signal })).rejects.toBe(REASON);
    await world.quiet();
    expect(world.requestCount()).toBe(0);
  });
});
