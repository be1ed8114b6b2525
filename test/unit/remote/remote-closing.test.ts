import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openRemote } from '../../../src/remote/open-remote.ts';
import { homePaths } from '../../../src/system/home.ts';
import { daemonFixture } from '../../support/daemon-fixture.ts';
import { pretendedDaemonFixture } from '../../support/pretended-daemon.ts';

/*
 * A closed keeper asks nothing and keeps nothing open.
 */

const start = daemonFixture();
const pretended = pretendedDaemonFixture();

async function allClosed(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map(async (one) => one.destroyed || once(one, 'close')));
}

describe('a keeper from afar that is closed', () => {
  it('refuses what one at home refuses, by handles that were held as well', async () => {
    const { daemon, world } = await start();
    await world.add('alpha');
    const near = (await world.open()).keeper;
    const far = await openRemote({ socket: daemon.socket }, homePaths(world.home, {}), world.clock);
    for (const keeper of [near, far]) {
      const held = keeper.connection('alpha');
      await held.token();
      await world.during(keeper.close());
      const later = keeper.connection('alpha');
      const refused = [
        () => keeper.list(),
        () => keeper.clients(),
        () => keeper.refreshDue(),
        () => keeper.reconnect('alpha'),
        async () => keeper.start(),
        ...[held, later].flatMap((connection) => [
          () => connection.token(),
          () => connection.fetch('/assets'),
          () => connection.refresh(),
          () => connection.status(),
          () => connection.explain(),
          () => connection.pause(),
          () => connection.rename('beta'),
          () => connection.disconnect(),
        ]),
      ];
      for (const call of refused)
        await expect(call(), String(call)).rejects.toMatchObject({ code: 'ERR_KEEPER_CLOSED' });
      await keeper.close();
    }
  });

  it.each(['GET', 'POST'])('does not ask again with %s what was under way', async (method) => {
    const asked = Promise.withResolvers<undefined>();
    let count = 0;
    const { keeper, sockets } = await pretended(() => {
      count++;
      asked.resolve(undefined);
    });
    const call = method === 'GET' ? keeper.list() : keeper.connection('alpha').refresh();
    const refused = expect(call).rejects.toMatchObject({ code: 'ERR_KEEPER_CLOSED' });
    await asked.promise;
    await keeper.close();
    await refused;
    expect(count).toBe(1);
    await allClosed(sockets);
  });

  it('ends while the daemon owes an answer about an event', async () => {
    const asked = Promise.withResolvers<undefined>();
    const { keeper } = await pretended(({ url }, response) => {
      if (url !== '/v1/events') return asked.resolve(undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = { id: 7, at: 1, event: 'refreshed', connection: 'alpha', generation: 2 };
      response.write(`id: 7\nevent: refreshed\ndata: ${JSON.stringify(event)}\n\n`);
    });
    keeper.on('refreshed', () => undefined);
    await asked.promise;
    await keeper.close();
  });

  it('keeps no connection of its calls open, and breaks none off', async () => {
    const first = Promise.withResolvers<() => void>();
    const { keeper, sockets } = await pretended((_request, response) => {
      response.writeHead(200, { 'keep-alive': 'timeout=600', connection: 'keep-alive' });
      response.write('begun, ');
      first.resolve(() => response.end('and ended'));
    });
    const response = await keeper.connection('alpha').fetch('/assets');
    await keeper.close();
    (await first.promise)();
    expect(await response.text()).toBe('begun, and ended');
    await allClosed(sockets);
  });
});
