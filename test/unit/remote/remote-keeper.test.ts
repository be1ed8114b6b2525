import { afterEach, describe, expect, it } from 'vitest';
import {
  AuthorizationRequiredError,
  ConfigurationError,
  NotFoundError,
  ServerUnavailableError,
} from '../../../src/errors.ts';
import type { Keeper } from '../../../src/keeper-api.ts';
import { openRemote } from '../../../src/remote/open-remote.ts';
import { Secret } from '../../../src/secret.ts';
import { homePaths } from '../../../src/system/home.ts';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import { pretendedDaemonFixture } from '../../support/pretended-daemon.ts';

/*
 * The same keeper from afar: what a program sees of it is what it sees of one in its own process.
 */

const start = daemonFixture();
const pretended = pretendedDaemonFixture();
const opened: Keeper[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((keeper) => keeper.close()));
});

async function remote(test: TestDaemon, key?: string): Promise<Keeper> {
  const { daemon, world } = test;
  const option =
    key === undefined
      ? { socket: daemon.socket }
      : { url: daemon.address ?? '', key: new Secret(key) };
  const keeper = await openRemote(option, homePaths(world.home, {}), world.clock);
  opened.push(keeper);
  return keeper;
}

describe('a keeper from afar', () => {
  it('tells of connections and clients what one at home tells', async () => {
    const test = await start();
    for (const name of ['alpha', 'beta', 'gamma']) await test.world.add(name);
    const near = test.world.first.keeper;
    const far = await remote(test);
    // Member for member: whoever prints them tells what is not known from what does not exist.
    expect(await far.list()).toStrictEqual(await near.list());
    const options = { afterName: 'alpha', limit: 1 };
    expect(await far.list(options)).toStrictEqual(await near.list(options));
    expect(await far.clients()).toStrictEqual(await near.clients());
    expect(await far.connection('beta').explain()).toStrictEqual(
      await near.connection('beta').explain(),
    );
  });

  it('hands out the same token, which does not print itself', async () => {
    const test = await start();
    await test.world.add('alpha');
    const near = await test.world.first.keeper.connection('alpha').token();
    const far = await (await remote(test)).connection('alpha').token();
    expect(far).toMatchObject({ value: near.value, type: near.type, expiresAt: near.expiresAt });
    expect(JSON.stringify(far)).not.toContain(near.value);
  });

  it('refreshes, pauses, resumes, renames and disconnects', async () => {
    const test = await start();
    await test.world.add('alpha');
    const keeper = await remote(test);
    const alpha = keeper.connection('alpha');
    expect((await alpha.refresh()).generation).toBe(2);
    await alpha.pause();
    expect((await alpha.status()).state).toBe('paused');
    await alpha.resume();
    await alpha.rename('beta');
    expect((await keeper.connection('beta').disconnect()).message).toContain('removed');
    expect(await keeper.list()).toEqual([]);
  });

  it('removes a connection whose server cannot be told, if it is to be removed anyway', async () => {
    const test = await start();
    await test.world.add('alpha', {
      overrides: { revocationEndpoint: 'http://127.0.0.1:1/revoke' },
    });
    const alpha = (await remote(test)).connection('alpha');
    expect((await alpha.disconnect()).message).toContain('not yet revoked');
    expect((await alpha.status()).state).toBe('disconnected');
    expect((await alpha.disconnect({ anyway: true })).message).toContain('is removed here, though');
    await expect(alpha.status()).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNKNOWN' });
  });

  it('knows no connection whose name is empty, and says so as one at home does', async () => {
    const test = await start();
    const unknown = {
      code: 'ERR_CONNECTION_UNKNOWN',
      message: 'there is no connection whose name is empty; evergrant list shows those there are',
    };
    for (const keeper of [await remote(test), test.world.first.keeper]) {
      const nameless = keeper.connection('');
      await expect(nameless.token()).rejects.toMatchObject(unknown);
      await expect(nameless.status()).rejects.toMatchObject(unknown);
      await expect(nameless.fetch('/assets')).rejects.toMatchObject(unknown);
      await expect(keeper.reconnect('')).rejects.toMatchObject({ code: unknown.code });
    }
  });

  it.each(['.', '..'])(
    'knows no connection of the name %s, which is no segment of an address',
    async (name) => {
      const test = await start();
      const unknown = { code: 'ERR_CONNECTION_UNKNOWN' };
      for (const keeper of [test.world.first.keeper, await remote(test)]) {
        const odd = keeper.connection(name);
        await expect(odd.token()).rejects.toMatchObject(unknown);
        await expect(odd.status()).rejects.toMatchObject(unknown);
        await expect(odd.fetch('/assets')).rejects.toMatchObject(unknown);
      }
    },
  );

  it('imports, connects as the client itself, and manages registrations', async () => {
    const test = await start();
    const { world } = test;
    const keeper = await remote(test);
    const { refreshToken = '' } = await world.emulator.issueGrant({ clientId: 'perspio-demo' });
    const options = {
      provider: 'generic',
      client: { clientId: 'perspio-demo', clientSecret: new Secret('demo~secret+1') },
      overrides: world.overrides(),
    };
    await keeper.add('imported', {
      ...options,
      tokens: { refreshToken: new Secret(refreshToken) },
    });
    expect((await keeper.connection('imported').token()).value).not.toBe('');
    const scope = 'api://perspiotalk/.default';
    await keeper.connect('machine', { ...options, grant: 'client-credentials', scope });
    await keeper.reconnect('machine');
    expect(await keeper.setClientSecret('perspio-demo', 'demo~secret+1')).toBeGreaterThan(0);
    await expect(keeper.removeClient('perspio-demo')).rejects.toThrow(ConfigurationError);
    await expect(keeper.connect('other', { ...options })).rejects.toThrow('a person must consent');
  });

  it('throws the errors that one at home throws', async () => {
    const test = await start();
    await test.world.add('alpha', { withoutAccessToken: true });
    test.world.emulator.revokeUser('demo@perspio.io');
    const keeper = await remote(test);
    const refused = keeper.connection('alpha').token();
    await expect(refused).rejects.toThrow(AuthorizationRequiredError);
    await expect(refused).rejects.toMatchObject({ code: 'ERR_GRANT_REFUSED', connection: 'alpha' });
    await expect(keeper.connection('none').status()).rejects.toThrow(NotFoundError);
    await expect(keeper.connection('alpha').token({ minLifeMs: Number.NaN })).rejects.toThrow(
      'minLifeMs is no duration',
    );
    const due = await keeper.refreshDue();
    expect(due.every(({ error }) => error === undefined || error instanceof Error)).toBe(true);
  });

  it('comes by TCP with a key, as far as the key goes', async () => {
    const test = await start({ listen: '127.0.0.1:0' });
    await test.world.add('alpha');
    const keeper = await remote(test, await test.key({ connections: ['alpha'], verbs: ['token'] }));
    expect((await keeper.connection('alpha').token()).value).not.toBe('');
    await expect(keeper.connection('alpha').status()).rejects.toMatchObject({
      code: 'ERR_ACCESS_FORBIDDEN',
    });
  });

  it('emits what happens at the daemon', async () => {
    const test = await start();
    await test.world.add('alpha');
    const keeper = await remote(test);
    const refreshed: unknown[] = [];
    keeper.on('refreshed', (event) => refreshed.push(event));
    for (let i = 0; i < 200 && refreshed.length === 0; i++) {
      // The stream may not be open yet when the first is recorded.
      if (i % 20 === 10) await test.world.first.keeper.connection('alpha').refresh();
      await test.world.pass(250);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [event] = refreshed as { connection: string; accessExpiresAt: number }[];
    expect(event?.connection).toBe('alpha');
    expect(event?.accessExpiresAt).toBeGreaterThan(test.world.clock.now());
  });
});

describe('a daemon that takes requests and answers none', () => {
  it.each<[string, number, (keeper: Keeper) => Promise<unknown>]>([
    ['a token', 40_000, (keeper) => keeper.connection('alpha').token()],
    ['a token soon', 12_000, (keeper) => keeper.connection('alpha').token({ timeoutMs: 2_000 })],
    ['a refresh', 70_000, (keeper) => keeper.connection('alpha').refresh()],
    ['anything', 300_000, (keeper) => keeper.list()],
  ])('is given up by whoever waits for %s, after %d ms', async (_, limitMs, ask) => {
    const asked = Promise.withResolvers<undefined>();
    const { keeper, clock } = await pretended(() => asked.resolve(undefined));
    let outcome: unknown;
    const over = ask(keeper).catch((error: unknown) => (outcome = error));
    await asked.promise;
    await clock.advance(limitMs - 1);
    expect(outcome).toBe(undefined);
    await clock.advance(1);
    await over;
    expect(outcome).toBeInstanceOf(ServerUnavailableError);
    expect(outcome).toMatchObject({
      code: 'ERR_DEADLINE',
      message: expect.stringContaining(`does not answer within ${String(limitMs / 1_000)} s`),
    });
  });
});

describe('a daemon that is not there', () => {
  it('is told as such, and what to do', async () => {
    const test = await start();
    const keeper = await remote(test);
    await test.world.during(test.daemon.close(0));
    await expect(keeper.list()).rejects.toThrow(ServerUnavailableError);
    await expect(keeper.list()).rejects.toMatchObject({
      code: 'ERR_DAEMON_UNREACHABLE',
      message: expect.stringContaining('evergrant serve'),
    });
  });

  it.each(['http://192.0.2.1:7343', 'http://daemon.example', 'ftp://localhost', 'nothing'])(
    'a key is not sent to %s',
    async (url) => {
      const { world } = await start();
      const paths = homePaths(world.home, {});
      await expect(openRemote({ url, key: 'evk' }, paths, world.clock)).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
      });
    },
  );
});
