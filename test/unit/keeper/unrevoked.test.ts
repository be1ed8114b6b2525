import { describe, expect, it } from 'vitest';
import { LIFE_MS, worldFixture } from '../../support/keeper-under-test.ts';

/*
 * Connections whose server is not told of their end: it has gone, or refuses their client for good.
 */

const makeWorld = worldFixture();
/** Nothing listens there. */
const GONE = { revocationEndpoint: 'http://127.0.0.1:1/revoke' } as const;

describe('a connection whose server cannot be told of its end', () => {
  it('stays, stopped, until it can', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: GONE });
    for (let i = 0; i < 2; i++) {
      expect(await connection.disconnect()).toEqual({
        revoked: false,
        removed: false,
        message: expect.stringMatching(
          /^it is stopped, but not yet revoked \(the server could not be told: .+\); disconnect again to retry, or remove it all the same with evergrant disconnect a --anyway$/,
        ),
      });
      expect(await connection.status()).toMatchObject({ state: 'disconnected' });
    }
  });

  it('says that it is not revoked yet, and both ways to end it', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: GONE });
    await connection.disconnect();
    expect(await connection.explain()).toMatchObject({
      cause: 'Somebody disconnected it, and it is not revoked at the server yet.',
      confidence: 'certain',
      fix: 'evergrant disconnect a; where the server has gone, or refuses the client for good: evergrant disconnect a --anyway',
    });
  });

  it('is removed anyway, by whoever says so, with what that leaves', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: GONE });
    expect(await connection.disconnect({ anyway: true })).toEqual({
      revoked: false,
      removed: true,
      message: expect.stringMatching(
        /^it is removed here, though the server could not be told: .+; its refresh token may stay valid there until it expires unused\. Whoever manages the account can end its sessions$/,
      ),
    });
    expect(await world.first.keeper.list()).toEqual([]);
  });

  it('is not removed while an answer is under way, whatever is said', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: GONE });
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next('hold-after-commit');
    const caller = world.watch(connection.token({ timeoutMs: 86_400_000 }));
    await world.emulator.ledger.waitFor(1, { held: true });
    const asked = world.watch(connection.disconnect({ anyway: true }));
    await world.pass(60_000);
    expect(await asked.promise).toMatchObject({
      message: expect.stringContaining('an answer is still under way'),
    });
    expect(await connection.status()).toMatchObject({ state: 'disconnected' });
    world.emulator.faults.release();
    await expect(caller.promise).rejects.toMatchObject({ code: 'ERR_DISCONNECTED' });
  });
});

it('whoever says anyway of a server that can be told has the refresh token revoked as ever', async () => {
  const world = await makeWorld({ revocationEndpoint: true });
  const revocationEndpoint = world.emulator.tokenEndpoint.replace(/\/token$/, '/revoke');
  const { connection } = await world.add('a', { overrides: { revocationEndpoint } });
  expect(await connection.disconnect({ anyway: true })).toEqual({
    revoked: true,
    removed: true,
    message: 'its refresh token is revoked and it is removed here',
  });
});
