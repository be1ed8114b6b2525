import { describe, expect, it } from 'vitest';
import { EARLY_MS, LIFE_MS, worldFixture, type World } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();

describe('a connection of client credentials', () => {
  it('is renewed by another request, one an expiry, however many ask', async () => {
    const world = await makeWorld();
    const connection = await world.connect('cc');
    expect(await connection.status()).toMatchObject({
      beginning: 'client_credentials',
      rotation: 'none',
      hasRefreshToken: false,
      state: 'active',
    });
    for (let expiry = 1; expiry <= 10; expiry++) {
      await world.pass(LIFE_MS);
      const tokens = await Promise.all(Array.from({ length: 50 }, () => connection.token()));
      expect(new Set(tokens.map(({ value }) => value)).size).toBe(1);
      expect(world.requestCount()).toBe(expiry + 1);
    }
    const grants = world.requests().map(({ grantType }) => grantType);
    expect(new Set(grants)).toEqual(new Set(['client_credentials']));
  });

  it('is renewed in the background', async () => {
    const world = await makeWorld();
    const connection = await world.connect('cc');
    world.first.keeper.start();
    await world.pass(LIFE_MS * 5);
    expect(await connection.status()).toMatchObject({
      freshness: expect.stringMatching(/fresh|due/) as unknown,
    });
    expect(world.requestCount()).toBeGreaterThanOrEqual(6);
    expect(world.requestCount()).toBeLessThanOrEqual(9);
  });

  it('repeats a lost request without asking anybody, whatever the provider does to refresh tokens', async () => {
    const world = await makeWorld();
    const connection = await world.connect('cc', {
      overrides: world.overrides({ rotation: 'single-use' }),
    });
    await world.pass(LIFE_MS);
    world.emulator.faults.next('cut-after-commit');
    await expect(connection.token()).rejects.toMatchObject({ name: 'ServerUnavailableError' });
    const token = await world.during(connection.token());
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
    expect((await connection.status()).state).toBe('active');
  });

  it('keeps no refresh token, should one come', async () => {
    const world = await makeWorld();
    const connection = await world.connect('cc');
    await world.pass(LIFE_MS);
    world.emulator.faults.next({ kind: 'members', members: { refresh_token: 'unasked-for' } });
    await connection.token();
    expect((await connection.status()).hasRefreshToken).toBe(false);
  });

  it('stops when its client is refused, and resumes with another secret', async () => {
    const world = await makeWorld();
    const connection = await world.connect('cc');
    await world.pass(LIFE_MS);
    world.emulator.expireClientSecret('perspio-demo');
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    expect(world.requestCount()).toBe(2);
    const secret = world.emulator.resetClientSecret('perspio-demo');
    await world.first.keeper.setClientSecret('perspio-demo', secret);
    expect((await connection.token()).generation).toBe(2);
  });
});

describe('a connection that lost its refresh token', () => {
  async function without(world: World): Promise<ReturnType<World['add']>> {
    const added = await world.add('a');
    const { id } = await added.connection.status();
    const other = await world.open();
    await other.store.transition(
      id,
      ({ connection: { tokens } }) => ({
        result: true,
        ...(tokens && { connection: { tokens: { ...tokens, refreshToken: undefined } } }),
      }),
      { durable: true },
    );
    await world.close(other);
    await world.pass(1_000);
    return added;
  }

  it('serves its token to the true end, and then says what is missing', async () => {
    const world = await makeWorld();
    const { connection, grant } = await without(world);
    world.first.keeper.start();
    await world.pass(LIFE_MS - EARLY_MS);
    expect((await connection.token()).value).toBe(grant.accessToken);
    await world.pass(EARLY_MS);
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_REFRESH_TOKEN_MISSING' });
    await expect(connection.refresh({ anyway: true })).rejects.toMatchObject({
      code: 'ERR_REFRESH_TOKEN_MISSING',
    });
    expect(world.requestCount()).toBe(0);
  });
});
