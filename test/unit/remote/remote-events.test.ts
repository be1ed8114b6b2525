import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigurationError, ServerUnavailableError } from '../../../src/errors.ts';
import type { ConnectionStatus, Keeper, KeeperEvents } from '../../../src/keeper-api.ts';
import { openRemote } from '../../../src/remote/open-remote.ts';
import { followEvents } from '../../../src/remote/remote-events.ts';
import { Transport } from '../../../src/remote/transport.ts';
import { homePaths } from '../../../src/system/home.ts';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import { pretendedDaemonFixture } from '../../support/pretended-daemon.ts';

const start = daemonFixture();
const pretended = pretendedDaemonFixture();
const WAIT = { timeout: 60_000 };
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

async function remote({ daemon, world }: TestDaemon): Promise<Keeper> {
  const { socket } = daemon;
  const keeper = await openRemote({ socket }, homePaths(world.home, {}), world.clock);
  opened.push(keeper);
  return keeper;
}

/** Lets time pass until something is so; `again` makes it happen, for the stream may not be open at the first time. */
async function until(
  { world }: TestDaemon,
  isSo: () => boolean,
  again: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    if (i > 500) throw new Error('it never came to be');
    if (i % 20 === 10) await again();
    await world.pass(250);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Follows the events of a daemon with a way to ask for a connection's status that fails as told. */
function follow(test: TestDaemon, failure: () => Error | undefined): string[] {
  const { daemon, world } = test;
  const transport = new Transport({ socket: daemon.socket }, world.clock);
  const told: string[] = [];
  const ended = new AbortController();
  const statusOf = async (name: string): Promise<ConnectionStatus> => {
    const error = failure();
    if (error !== undefined) throw error;
    return world.first.keeper.connection(name).status();
  };
  const tell = (event: string, detail: { readonly connection?: string | undefined }): void =>
    void told.push(`${event} ${detail.connection ?? ''}`);
  const following = followEvents({ transport, clock: world.clock, statusOf, tell }, ended.signal);
  opened.push({
    close: async () => {
      ended.abort();
      await following;
      await transport.close();
    },
  });
  return told;
}

describe('an event', () => {
  it('that could not be told when the daemon went away is told when it is back', async () => {
    const test = await start();
    await test.world.add('alpha');
    await test.world.add('beta');
    let left = 3;
    const away = new ServerUnavailableError('ERR_DAEMON_UNREACHABLE', 'it went away');
    const told = follow(test, () => (left-- > 0 ? away : undefined));
    const { keeper } = test.world.first;
    let refreshes = 0;
    await until(
      test,
      () => left < 3,
      () => {
        refreshes++;
        return keeper.connection('alpha').refresh();
      },
    );
    await keeper.connection('beta').refresh();
    await until(test, () => told.includes('refreshed beta'));
    expect(told.filter((one) => one === 'warning ')).toHaveLength(3);
    expect(told.indexOf('refreshed alpha')).toBe(3);
    expect(told.filter((one) => one === 'refreshed alpha').length).toBeLessThanOrEqual(refreshes);
  });

  it('whose connection may not be looked at does not hold up the others', async () => {
    const test = await start();
    await test.world.add('alpha');
    await test.world.add('beta');
    let asked = 0;
    const refused = new ConfigurationError('ERR_ARGUMENT', 'no');
    const told = follow(test, () => (++asked === 1 ? refused : undefined));
    const { keeper } = test.world.first;
    await until(
      test,
      () => asked > 0,
      () => keeper.connection('alpha').refresh(),
    );
    await keeper.connection('beta').refresh();
    await until(test, () => told.includes('refreshed beta'));
    expect(told[0]).toBe('warning alpha');
  });

  it('is told to all who listen, whatever one of them throws, and once', async () => {
    const test = await start();
    await test.world.add('alpha');
    const keeper = await remote(test);
    const unhandled: unknown[] = [];
    const collect = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', collect);
    const generations: number[] = [];
    const warnings: string[] = [];
    keeper.on('warning', ({ message }) => void warnings.push(message));
    keeper.on('refreshed', () => {
      throw new Error('a faulty listener');
    });
    keeper.on('refreshed', ({ generation }) => void generations.push(generation));
    const near = test.world.first.keeper.connection('alpha');
    await until(
      test,
      () => generations.length > 0,
      () => near.refresh(),
    );
    const { generation } = await near.refresh();
    await until(test, () => generations.includes(generation));
    process.off('unhandledRejection', collect);
    expect(warnings).toEqual([]);
    expect(new Set(generations).size).toBe(generations.length);
    expect(unhandled).toHaveLength(generations.length);
    expect(unhandled[0]).toMatchObject({ message: 'a faulty listener' });
  });
});

describe('a stream of events', () => {
  it('that has gone silent is opened anew, from the last event on', async () => {
    const asked: (string | undefined)[] = [];
    const { keeper, clock } = await pretended(({ headers }, response) => {
      asked.push(headers['last-event-id'] as string | undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('id: 7\n\n');
    });
    const warnings: string[] = [];
    keeper.on('warning', ({ message }) => warnings.push(message));
    await vi.waitFor(() => expect(asked).toHaveLength(1), WAIT);
    for (let i = 0; warnings.length === 0; i++) {
      if (i > 500) throw new Error('it never noticed');
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(warnings).toEqual(['no events for now: nothing came for 60 s']);
    await clock.advance(2_000);
    await vi.waitFor(() => expect(asked).toEqual([undefined, '7']), WAIT);
  });

  it('says when some of them are not kept any more', async () => {
    const { keeper } = await pretended((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('id: 7\n\nevent: gap\ndata: {}\n\n');
    });
    const warnings: string[] = [];
    keeper.on('warning', ({ message }) => warnings.push(message));
    const message = 'the daemon no longer has some events that were to be told; look at everything';
    await vi.waitFor(() => expect(warnings).toEqual([message]), WAIT);
  });

  it('goes on at the rate of its key', async () => {
    const test = await start({ listen: '127.0.0.1:0' });
    await test.world.add('alpha');
    const secret = await test.key({ rate: { requests: 2, perMs: 60_000 } });
    const place = { url: test.daemon.address ?? '', key: secret };
    const keeper = await openRemote(place, homePaths(test.world.home, {}), test.world.clock);
    opened.push(keeper);
    const generations: number[] = [];
    const warnings: string[] = [];
    keeper.on('refreshed', ({ generation }) => void generations.push(generation));
    keeper.on('warning', ({ message }) => void warnings.push(message));
    const near = test.world.first.keeper.connection('alpha');
    await until(
      test,
      () => generations.length > 0,
      () => near.refresh(),
    );
    await near.refresh();
    const { generation } = await near.refresh();
    await until(test, () => generations.includes(generation));
    expect(generations).toHaveLength(new Set(generations).size);
    expect(warnings).toEqual([]);
  });
});

describe('a warning', () => {
  it('whose listener throws ends neither the events nor the closing', async () => {
    const test = await start();
    const keeper = await remote(test);
    await test.world.during(test.daemon.close(0));
    const unhandled: unknown[] = [];
    const collect = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', collect);
    keeper.on('warning', () => {
      throw new Error('a faulty listener');
    });
    await until(test, () => unhandled.length > 1);
    process.off('unhandledRejection', collect);
    await keeper.close();
  });
});

describe('a notice', () => {
  it('is from afar of the kind that it is at home, and for the same person', async () => {
    const test = await start();
    const { world } = test;
    const { connection } = await world.add('alpha', { overrides: { rotation: 'single-use' } });
    await world.add('beta');
    const [near, far]: KeeperEvents['notice'][][] = [[], []];
    world.first.keeper.on('notice', (notice) => near?.push(notice));
    const keeper = await remote(test);
    let seen = 0;
    keeper.on('refreshed', () => seen++);
    keeper.on('notice', (notice) => far?.push(notice));
    await until(
      test,
      () => seen > 0,
      () => world.first.keeper.connection('beta').refresh(),
    );
    // An answer is lost, which the next makes good; then the client is refused, and at last the person takes back the consent.
    world.emulator.faults.next('cut-before-commit');
    await world.during(connection.refresh()).catch(() => undefined);
    await until(test, () => near?.length === 1);
    await world.during(connection.refresh({ anyway: true }));
    world.emulator.revokeUser('demo@perspio.io');
    await world.during(connection.refresh()).catch(() => undefined);
    await until(test, () => far?.length === 3 && near?.length === 3);
    const plain = (notices: readonly KeeperEvents['notice'][] = []): unknown =>
      notices.map(({ kind, actor, at, message, connection: name }) => ({
        ...{ kind, actor, at, message, name },
      }));
    expect(plain(far)).toEqual(plain(near));
    expect(near?.map(({ kind }) => kind)).toEqual(['uncertain', 'recovered', 'attention']);
  });
});
