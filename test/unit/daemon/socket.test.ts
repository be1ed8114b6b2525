import { chmod, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createListener, type Listener } from '../../../src/daemon/http/listener.ts';
import { OwnSocket } from '../../../src/daemon/own-socket.ts';
import { listenOnSocket } from '../../../src/daemon/socket.ts';
import { silentLog, type Log } from '../../../src/system/log.ts';
import { identityOf } from '../../../src/system/ownership.ts';
import { fakeClock, settle } from '../../support/fake-clock.ts';
import { daemonFixture } from '../../support/daemon-fixture.ts';

let folder: string;
const servers: Server[] = [];
const start = daemonFixture();

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-socket-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true, force: true });
});

function server(): Server {
  const made = createServer();
  servers.push(made);
  return made;
}

/** Whatever a server asks for, the system lets no more wait. */
function longestQueue(): number {
  const most = '/proc/sys/net/core/somaxconn';
  return existsSync(most) ? Number(readFileSync(most, 'utf8')) : 128;
}

/** Leaves a socket at which nobody listens, as a process that is killed does. */
async function leaveDead(at: string): Promise<void> {
  const { execFileSync } = await import('node:child_process');
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', script, at], { stdio: 'ignore' });
  } catch {
    // It killed itself.
  }
  expect((await lstat(at)).isSocket()).toBe(true);
}

describe('the socket', () => {
  it('cannot lie at a path that is too long for the system, which is told so', async () => {
    const long = path.join(folder, 'a'.repeat(100), 's');
    await expect(listenOnSocket(server(), long)).rejects.toMatchObject({
      code: 'ERR_CONFIGURATION',
      message: expect.stringMatching(/bytes are too many for a socket; choose another .* 100/),
    });
  });

  it('is its owner’s alone, in a folder that is too, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await listenOnSocket(server(), path.join(folder, 'run', 's'));
    } finally {
      process.umask(before);
    }
    expect((await lstat(path.join(folder, 'run'))).mode & 0o777).toBe(0o700);
    expect((await lstat(path.join(folder, 'run', 's'))).mode & 0o777).toBe(0o600);
  });

  it('that a crash left is taken over', async () => {
    const at = path.join(folder, 's');
    await leaveDead(at);
    await expect(listenOnSocket(server(), at)).resolves.toMatch(/^\d+:/);
  });

  it('has room for a thousand who come at once', async (context) => {
    context.skip(longestQueue() < 1_000, 'the system has no such queues');
    const at = path.join(folder, 's');
    await listenOnSocket(server(), at);
    // All come in one turn, in which nobody is taken.
    const callers = Array.from({ length: 1_000 }, () => connect(at));
    const refused: string[] = [];
    await Promise.all(
      callers.map((caller) =>
        once(caller, 'connect').catch((why: unknown) => refused.push(String(why))),
      ),
    );
    for (const caller of callers) caller.destroy();
    expect(refused).toEqual([]);
  });

  it('at which another daemon answers is left to it', async () => {
    const at = path.join(folder, 's');
    const identity = await listenOnSocket(server(), at);
    await expect(listenOnSocket(server(), at)).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' });
    const { ino } = await lstat(at, { bigint: true });
    expect(identity.startsWith(`${ino}:`)).toBe(true);
  });

  it.each([
    ['a folder that others can enter', () => chmod(folder, 0o755)],
    ['a plain file in its place', () => writeFile(path.join(folder, 's'), '')],
    ['a link in its place', () => symlink('/dev/null', path.join(folder, 's'))],
    ['a folder in its place', () => mkdir(path.join(folder, 's'))],
  ])('is refused with %s, which stays as it is', async (_, prepare) => {
    await prepare();
    await expect(listenOnSocket(server(), path.join(folder, 's'))).rejects.toMatchObject({
      code: 'ERR_STORE_UNSAFE',
    });
  });

  it('is made again when somebody removes it, and the daemon is not ready until then', async () => {
    const { daemon, ask, world, log } = await start({ listen: '127.0.0.1:0' });
    await rm(daemon.socket);
    for (let i = 0; i < 3; i++) expect((await ask('/readyz', { tcp: true })).status).toBe(503);
    expect(log.filter((line) => line.includes('not ready'))).toHaveLength(1);
    await world.pass(61_000);
    await world.quiet();
    expect((await ask('/readyz')).status).toBe(200);
    expect(log.join('\n')).toContain('made again');
  });

  it('that another daemon has made in its place stays that one’s when this one ends', async () => {
    const { daemon, world, log } = await start();
    await rm(daemon.socket);
    const other = await listenOnSocket(server(), daemon.socket);
    await world.pass(61_000);
    await world.quiet();
    expect(log.join('\n')).toContain('another process has replaced the socket');
    await world.during(daemon.close(0));
    expect(await identityOf(daemon.socket)).toBe(other);
    const client = connect(daemon.socket);
    await once(client, 'connect');
    client.destroy();
    expect(await readdir(path.dirname(daemon.socket))).toEqual([path.basename(daemon.socket)]);
  });

  it.each([
    ['ends', (answer: ServerResponse) => answer.end('done'), 'begun, done'],
    ['lasts too long', (_: ServerResponse, late: AbortController) => late.abort(), 'begun, '],
  ])('that was made again is not closed before what came before it %s', async (_, go, heard) => {
    const at = path.join(folder, 'run', 's');
    const answers: ServerResponse[] = [];
    const newListener = (): Listener =>
      createListener((__, response) => {
        answers.push(response.writeHead(200, { connection: 'close' }));
        response.write('begun, ');
      }, undefined);
    const [clock, warn] = [fakeClock(), vi.fn<Log['warn']>()];
    const own = new OwnSocket({ path: at, newListener, clock, log: { ...silentLog, warn } });
    await own.open();
    const client = connect(at).setEncoding('utf8');
    client.write('GET / HTTP/1.0\r\n\r\n');
    let told = '';
    client.on('data', (text: string) => (told += text)).on('error', () => undefined);
    const ended = once(client, 'close');
    await once(client, 'data');
    await rm(at);
    await clock.advance(60_000);
    await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce(), 60_000);
    const late = new AbortController();
    let isClosed = false;
    const closed = own.close(late.signal).then(() => (isClosed = true));
    await expect.poll(() => lstat(at).catch(() => undefined), { timeout: 60_000 }).toBe(undefined);
    await settle(20);
    expect(isClosed).toBe(false);
    for (const response of answers) go(response, late);
    await closed;
    await ended;
    expect(told.split('\r\n\r\n')[1]).toBe(heard);
  });
});

describe('a daemon that cannot end in good order', () => {
  it('files the draws that wait all the same, and tells why', async () => {
    const close = vi.fn<() => Promise<void>>().mockRejectedValueOnce(new Error('no way'));
    const hooks = { request: () => Promise.reject(new Error('not asked')), close };
    const { daemon, ask, world, store } = await start({}, {}, { hooks });
    await world.add('alpha');
    expect((await ask('/v1/connections/alpha/token')).status).toBe(200);
    await expect(daemon.close(0)).rejects.toThrow('no way');
    expect(await store.access.draws({ limit: 9 })).toHaveLength(1);
  });
});
