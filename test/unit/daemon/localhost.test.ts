import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Keeper } from '../../../src/keeper-api.ts';
import { openRemote } from '../../../src/remote/open-remote.ts';
import { homePaths } from '../../../src/system/home.ts';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import { setSabotage } from '../../support/failpoints.ts';

/*
 * `localhost` is two addresses. Whoever of this machine holds the one that a daemon left free is asked first by browsers, and is told what was
 * meant for the daemon.
 */

const start = daemonFixture();
const strangers: Server[] = [];

afterEach(() => {
  setSabotage('both-families', false);
  for (const stranger of strangers.splice(0)) {
    stranger.closeAllConnections();
    stranger.close();
  }
});

/** Somebody else at this machine, with what was asked there. */
async function stranger(host: string, port: number): Promise<{ readonly told: string[] }> {
  const told: string[] = [];
  const server = createServer(({ headers }, response) => {
    told.push(headers.authorization ?? '');
    response.end('{}');
  });
  strangers.push(server.listen(port, host));
  await once(server, 'listening');
  return { told };
}

const portOf = ({ daemon }: TestDaemon): number => Number(new URL(daemon.address ?? '').port);

async function statusAt(host: string, port: number): Promise<number | undefined> {
  const asked = get({ host, port, path: '/healthz', agent: false });
  const [{ statusCode }] = (await once(asked, 'response')) as [{ statusCode?: number }];
  asked.destroy();
  return statusCode;
}

/** A machine may have no IPv6; then nobody can stand behind that half of the name. */
const hasBoth = async (): Promise<boolean> => {
  try {
    await stranger('::1', 0);
    return true;
  } catch {
    return false;
  }
};

/** A port that is free at both. */
async function freePort(): Promise<number> {
  await stranger('127.0.0.1', 0);
  const server = strangers.pop();
  const { port } = server?.address() as AddressInfo;
  await new Promise((resolve) => server?.close(resolve));
  return port;
}

describe('a daemon that listens at localhost', () => {
  it('is whoever is reached by that name, in both families', async () => {
    const test = await start({ listen: 'localhost:0' });
    const port = portOf(test);
    expect(test.daemon.address).toBe(`http://localhost:${String(port)}`);
    expect(await statusAt('127.0.0.1', port)).toBe(200);
    if (await hasBoth()) {
      expect(await statusAt('::1', port)).toBe(200);
      await expect(stranger('::1', port)).rejects.toThrow('EADDRINUSE');
    }
    await test.daemon.close(0);
    await expect(once(connect({ host: '127.0.0.1', port }), 'connect')).rejects.toThrow();
  });

  it('does not start while another holds half of the name', async ({ skip }) => {
    skip(!(await hasBoth()), 'this machine has no IPv6');
    const port = await freePort();
    await stranger('::1', port);
    await expect(start({ listen: `localhost:${String(port)}` })).rejects.toThrow(
      `cannot listen on [::1]:${String(port)} (EADDRINUSE)`,
    );
    await stranger('127.0.0.1', port);
  });

  it('and this notices when it takes half of the name', async () => {
    setSabotage('both-families', true);
    const test = await start({ listen: 'localhost:0' });
    if (await hasBoth()) await stranger('::1', portOf(test));
    expect(await statusAt('127.0.0.1', portOf(test))).toBe(200);
  });
});

describe('a daemon that listens at 127.0.0.1', () => {
  it.each(['publicUrl', 'hosts'])('sends nobody to localhost at its port by %s', async (option) => {
    const port = await freePort();
    const name = `localhost:${String(port)}`;
    const named = option === 'hosts' ? { hosts: [name] } : { publicUrl: `http://${name}` };
    const listen = `127.0.0.1:${String(port)}`;
    const refusal = `daemon.${option} names localhost`;
    await expect(start({ listen, ...named })).rejects.toThrow(refusal);
    const test = await start({ listen });
    await expect(test.daemon.reload({ listen, ...named })).rejects.toThrow(refusal);
    await test.daemon.close(0);
    expect((await start({ listen: name, ...named })).daemon.address).toBe(`http://${name}`);
  });
});

describe('a keeper of the daemon at http://localhost', () => {
  it('reaches it', async () => {
    const test = await start({ listen: '127.0.0.1:0' });
    const { world, key } = test;
    await world.add('a');
    await using keeper = await remote(test, portOf(test), await key({}));
    expect(await keeper.connection('a').status()).toMatchObject({ name: 'a' });
    expect((await keeper.connection('a').fetch('assets/v3/')).status).toBe(200);
  });

  it('tells its key to nobody else when the daemon is gone', async ({ skip }) => {
    skip(!(await hasBoth()), 'this machine has no IPv6');
    const test = await start();
    const port = await freePort();
    const { told } = await stranger('::1', port);
    await using keeper = await remote(test, port, 'evk-none');
    // What the name leads to is the machine's to say, so the address counts that is named.
    const message = expect.stringContaining(`at http://127.0.0.1:${String(port)};`) as string;
    const gone = { code: 'ERR_DAEMON_UNREACHABLE', message };
    await expect(keeper.list()).rejects.toMatchObject(gone);
    await expect(keeper.connection('a').fetch('assets/v3/')).rejects.toMatchObject(gone);
    expect(told).toEqual([]);
  });
});

function remote({ world }: TestDaemon, port: number, key: string): Promise<Keeper> {
  const option = { url: `http://localhost:${String(port)}`, key };
  return openRemote(option, homePaths(world.home, {}), world.clock);
}
