import { describe, expect, it } from 'vitest';
import type { AddOptions } from '../../../src/keeper-api.ts';
import { Secret } from '../../../src/secret.ts';
import { worldFixture, type World } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();

async function refused(
  world: World,
  given: Partial<AddOptions['tokens']> & Pick<AddOptions, 'subscriptionKey' | 'perspioTenantId'>,
  replace = false,
): Promise<unknown> {
  const { subscriptionKey, perspioTenantId, ...tokens } = given;
  return world.first.keeper
    .add('a', {
      provider: 'generic',
      client: { clientId: 'another', clientSecret: 'hush' },
      overrides: world.overrides(),
      tokens: { refreshToken: 'rt-abc', ...tokens },
      ...(subscriptionKey !== undefined && { subscriptionKey }),
      ...(perspioTenantId !== undefined && { perspioTenantId }),
      replace,
    })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
}

const SPOILT: readonly [string, string][] = [
  ['rt-secret\n', 'holds a line break'],
  ['rt-sec\r\nret', 'holds a line break'],
  [' rt-secret', 'begins or ends with a space'],
  ['rt-secret\t', 'begins or ends with a space'],
  ['rt-\u0000secret', 'holds a control character'],
  ['rt-\u007fsecret', 'holds a control character'],
  ['rt-sécret', 'holds a character that is not ASCII'],
  ['\ufeffrt-secret', 'holds a character that is not ASCII'],
  ['rt-secret\u2028', 'holds a character that is not ASCII'],
];

describe('a token that no header field can carry', () => {
  it.each(SPOILT)('(%j) is refused by name, and nothing is stored', async (value, fault) => {
    const world = await makeWorld();
    for (const option of ['refreshToken', 'accessToken', 'subscriptionKey'] as const) {
      for (const given of [value, new Secret(value)]) {
        const error = await refused(world, {
          [option]: given,
          ...(option === 'accessToken' && { accessExpiresAt: world.clock.now() + 60_000 }),
        });
        expect(error).toMatchObject({ name: 'ConfigurationError', code: 'ERR_ARGUMENT' });
        expect(String(error)).toContain(`${option} ${fault}`);
        expect(String(error)).not.toMatch(/s[eé]c/);
      }
    }
    expect(await world.first.keeper.list()).toEqual([]);
    expect(await world.first.keeper.clients()).toEqual([]);
  });

  it('leaves the connection that it was to replace as it is', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    const before = await connection.status();
    expect(await refused(world, { refreshToken: 'x\n' }, true)).toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    expect(await connection.status()).toEqual(before);
    expect((await connection.token()).value).toBe(grant.accessToken);
  });
});

describe('what else cannot be right', () => {
  it.each([
    [{ accessToken: 'at' }, 'accessExpiresAt is missing'],
    [{ accessToken: 'at', accessExpiresAt: NaN }, 'accessExpiresAt is no instant'],
    [{ accessToken: 'at', accessExpiresAt: 1e300 }, 'accessExpiresAt is no instant'],
    [{ refreshToken: '' }, 'refreshToken is empty'],
    [{ perspioTenantId: 'in\ndemo' }, 'perspioTenantId holds a line break'],
    [{ perspioTenantId: '' }, 'perspioTenantId is empty'],
  ])('(%j) is refused, and nothing is stored', async (given, message) => {
    const world = await makeWorld();
    expect(String(await refused(world, given))).toContain(message);
    expect(await world.first.keeper.clients()).toEqual([]);
  });

  it.each(['client_id', 'client_secret', 'client_assertion'])(
    '(%s among the extra parameters) would prove the client twice, and nothing is stored',
    async (name) => {
      const world = await makeWorld();
      const overrides = { tokenParameters: { [name]: 'another-secret' } };
      const error: unknown = await world.add('a', { overrides }).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'ERR_CONFIGURATION' });
      expect(String(error)).toContain(name);
      expect(String(error)).not.toContain('another-secret');
      expect(await world.first.keeper.clients()).toEqual([]);
    },
  );

  it.each([NaN, Infinity, 'soon'])('(%j) is no instant at which a secret ends', async (given) => {
    const world = await makeWorld();
    const { keeper } = world.first;
    await world.add('a');
    const clientSecretExpiresAt = given as number;
    const client = { clientId: 'b', clientSecret: 'hush', clientSecretExpiresAt };
    const added = keeper.add('b', {
      ...{ provider: 'generic', client, overrides: world.overrides() },
      tokens: { refreshToken: 'rt' },
    });
    await expect(added).rejects.toThrow('clientSecretExpiresAt is no instant');
    const options = { expiresAt: clientSecretExpiresAt };
    const replaced = keeper.setClientSecret('perspio-demo', 'other', options);
    await expect(replaced).rejects.toThrow('expiresAt is no instant');
    expect(await keeper.clients()).toMatchObject([{ secretExpiresAt: undefined }]);
  });

  it('is a number of a provider that is none, in whatever way the connection begins', async () => {
    const world = await makeWorld();
    const overrides = world.overrides({ rotation: 'grace', graceMs: NaN });
    const client = { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' };
    const { keeper } = world.first;
    const refusal = {
      name: 'ConfigurationError',
      code: 'ERR_CONFIGURATION',
      message: expect.stringContaining('provider generic: graceMs must be a number') as unknown,
    };
    const tokens = { refreshToken: 'rt-abc' };
    const added = keeper.add('a', { provider: 'generic', client, overrides, tokens });
    await expect(added).rejects.toMatchObject(refusal);
    await expect(world.connect('a', { overrides })).rejects.toMatchObject(refusal);
    expect(await keeper.clients()).toEqual([]);
    expect(world.requestCount()).toBe(0);
  });
});

describe('what is of another type than JavaScript can tell', () => {
  const client = { clientId: 'numbered', clientSecret: 'hush' };

  it.each<[string, object, string]>([
    [
      'a client id that is a number',
      { client: { ...client, clientId: 5 } },
      'clientId is no string',
    ],
    ['a missing client id', { client: { clientSecret: 'hush' } }, 'clientId is missing'],
    ['an empty client id', { client: { ...client, clientId: '' } }, 'clientId is empty'],
    ['a client id with a newline', { client: { ...client, clientId: 'a\n' } }, 'clientId holds a'],
    ['a missing client', { client: undefined }, 'client is no object'],
    ['a client that is a string', { client: 'numbered' }, 'client is no object'],
    [
      'a method that nobody knows',
      { client: { ...client, authentication: 'secret' } },
      'authentication is none of none, client_secret_post',
    ],
    ['a tenant that is a number', { perspioTenantId: 7 }, 'perspioTenantId is no string'],
    ['missing tokens', { tokens: undefined }, 'tokens is no object'],
    ['a token that is a number', { tokens: { refreshToken: 7 } }, 'refreshToken is no secret'],
    ['a missing token', { tokens: {} }, 'refreshToken is missing'],
    ['a scope that is a number', { scope: 7 }, 'scope is neither a string nor a list of strings'],
    ['a scope of numbers', { scope: [7] }, 'scope is neither a string nor a list of strings'],
    ['overrides that are a string', { overrides: 'none' }, 'overrides is no object'],
  ])('(%s) is refused by name, and the home stays readable', async (_what, given, message) => {
    const world = await makeWorld();
    const { keeper } = world.first;
    await world.add('a');
    const options = {
      ...{ provider: 'generic', client, overrides: world.overrides() },
      tokens: { refreshToken: 'rt-abc' },
      ...given,
    };
    const refusal = { name: 'ConfigurationError', code: 'ERR_ARGUMENT' };
    const error: unknown = await keeper.add('b', options as AddOptions).catch((it: unknown) => it);
    expect(error).toMatchObject(refusal);
    expect(String(error)).toContain(message);
    if (!('tokens' in given)) {
      const connected = keeper.connect('b', {
        ...(options as AddOptions),
        grant: 'client-credentials',
      });
      await expect(connected).rejects.toMatchObject(refusal);
    }
    expect(await keeper.list()).toHaveLength(1);
    expect(await keeper.clients()).toHaveLength(1);
  });

  it('(no options at all) is refused as well', async () => {
    const { keeper } = (await makeWorld()).first;
    const none = undefined as unknown as AddOptions & { readonly grant: 'code' };
    await expect(keeper.add('b', none)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(keeper.connect('b', none)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
