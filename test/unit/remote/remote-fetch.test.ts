import { afterEach, describe, expect, it } from 'vitest';
import type { Connection, Keeper } from '../../../src/keeper-api.ts';
import { perspio } from '../../../src/providers/perspio.ts';
import { openRemote } from '../../../src/remote/open-remote.ts';
import { Secret } from '../../../src/secret.ts';
import { homePaths } from '../../../src/system/home.ts';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';

/*
 * Calls of an API by a daemon's keeper: the same address, answer and error as from a keeper in one's own process.
 */

const start = daemonFixture();
const opened: Keeper[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((keeper) => keeper.close()));
});

async function far({ daemon, world }: TestDaemon, key?: string): Promise<Connection> {
  const option =
    key === undefined
      ? { socket: daemon.socket }
      : { url: daemon.address ?? '', key: new Secret(key) };
  const keeper = await openRemote(option, homePaths(world.home, {}), world.clock);
  opened.push(keeper);
  return keeper.connection('a');
}

/** A body whose source fails. */
function failing(): ReadableStream {
  return new ReadableStream({
    pull: (controller) => controller.error(new Error('the source failed')),
  });
}

describe('fetch through a daemon', () => {
  it.each(['assets/v3/?x=1', '/assets/v3/?x=1', 'WHOLE/assets/v3/?x=1'])(
    'calls %s',
    async (address) => {
      const test = await start();
      const near = await test.world.add('a');
      const input = address.replace('WHOLE', new URL(test.world.emulator.apiBase).origin);
      const [there, here] = [
        await (await far(test)).fetch(input),
        await near.connection.fetch(input),
      ];
      expect([there.status, await there.json()]).toEqual([here.status, await here.json()]);
      expect(test.world.emulator.ledger.count({ endpoint: 'api', status: 200 })).toBe(2);
    },
  );

  it('sends methods, fields and bodies, and takes no Authorization from its caller', async () => {
    const test = await start({ listen: '127.0.0.1:0' });
    await test.world.add('a');
    for (const connection of [await far(test), await far(test, await test.key({}))]) {
      const [{ id }] = (await (await connection.fetch('assets/v3/')).json()) as [{ id: string }];
      const answer = await connection.fetch(`assets/v3/${id}`, {
        method: 'PATCH',
        body: JSON.stringify({ name: 'Crane' }),
        headers: { 'content-type': 'application/json', authorization: 'Bearer mine' },
      });
      expect([answer.status, await answer.json()]).toMatchObject([200, { name: 'Crane' }]);
    }
  });

  it('hands back what the API answers, whatever its status', async () => {
    const test = await start();
    await test.world.add('a');
    expect((await (await far(test)).fetch('nowhere/')).status).toBe(404);
  });

  it('hands back the word to wait, as one at home does', async () => {
    const test = await start();
    const { api } = test.world.overrides();
    const limits = perspio.api?.limits ?? [];
    await test.world.add('a', { ...(api && { overrides: { api: { ...api, limits } } }) });
    test.world.emulator.faults.next('rate-limited');
    const connection = await far(test);
    expect((await connection.fetch('assets/v3/')).status).toBe(429);
    const held = await connection.fetch('assets/v3/');
    expect([held.status, held.headers.get('retry-after')]).toEqual([429, expect.any(String)]);
    expect(test.world.emulator.ledger.count({ endpoint: 'api' })).toBe(1);
  });

  it.each([
    ['https://evil.example/x', 'ERR_ORIGIN_NOT_ALLOWED'],
    ['file:///etc/passwd', 'ERR_ORIGIN_NOT_ALLOWED'],
    ['../../../v1/connections', 'ERR_ORIGIN_NOT_ALLOWED'],
    ['%2e%2e/%2e%2e/v1/connections', 'ERR_ORIGIN_NOT_ALLOWED'],
    ['https://me:secret@evil.example/x', 'ERR_ARGUMENT'],
    [new Request('https://evil.example/') as unknown as string, 'ERR_ARGUMENT'],
  ])('calls nothing for %s', async (input, code) => {
    const test = await start();
    await test.world.add('a');
    await expect((await far(test)).fetch(input)).rejects.toMatchObject({ code });
    expect(test.world.emulator.ledger.count({ endpoint: 'api' })).toBe(0);
  });

  it('throws what one at home throws where no token can be had', async () => {
    const test = await start();
    await test.world.add('a', { withoutAccessToken: true });
    test.world.emulator.revokeUser('demo@perspio.io');
    const call = (await far(test)).fetch('assets/v3/');
    await expect(test.world.during(call)).rejects.toMatchObject({
      name: 'AuthorizationRequiredError',
      code: 'ERR_GRANT_REFUSED',
    });
  });

  it.each<[string, RequestInit]>([
    ['GET with a body', { body: 'x' }],
    ['a method that no fetch sends', { method: 'TRACE' }],
    ['a field name that is none', { headers: { 'not a name': 'x' } }],
    ['a wrong length', { method: 'POST', body: 'abc', headers: { 'content-length': '5' } }],
    ['a body that fails', { method: 'POST', body: failing(), duplex: 'half' }],
  ])('throws what one at home throws for %s, and blames no daemon', async (_, init) => {
    const test = await start();
    const near = (await test.world.add('a')).connection;
    const errors = [];
    for (const connection of [near, await far(test)]) {
      const { body } = init;
      const own = body instanceof ReadableStream ? { ...init, body: failing() } : init;
      errors.push(await connection.fetch('assets/v3/', own).catch((error: unknown) => error));
    }
    expect(errors[0]).toBeInstanceOf(Error);
    expect(errors[1]).toEqual(errors[0]);
  });

  it('says so when no daemon answers, and heeds a signal', async () => {
    const test = await start();
    await test.world.add('a');
    const connection = await far(test);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(connection.fetch('assets/v3/', { signal })).rejects.toThrow('enough');
    await test.daemon.close(0);
    await expect(connection.fetch('assets/v3/')).rejects.toMatchObject({
      code: 'ERR_DAEMON_UNREACHABLE',
    });
  });
});
