import { chmod, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenOnSocket } from '../../../src/daemon/socket.ts';
import { readTls } from '../../../src/daemon/tcp.ts';
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
    expect((await ask('/readyz', { tcp: true })).status).toBe(503);
    await world.pass(61_000);
    await world.quiet();
    expect((await ask('/readyz')).status).toBe(200);
    expect(log.join('\n')).toContain('made again');
  });
});

describe('TCP', () => {
  it.each(['0.0.0.0', '192.0.2.1', '[::]', '128.0.0.1'])('on %s takes TLS', async (host) => {
    await expect(readTls({}, { host, port: 0 })).rejects.toMatchObject({
      code: 'ERR_CONFIGURATION',
      message: expect.stringContaining('TLS is needed'),
    });
  });

  it('takes certificate and key together, and a key that others cannot read', async () => {
    const cert = path.join(folder, 'cert.pem');
    const key = path.join(folder, 'key.pem');
    const at = { host: '0.0.0.0', port: 0 };
    await writeFile(cert, 'c');
    await writeFile(key, 'k', { mode: 0o644 });
    await expect(readTls({ tlsCertificateFile: cert }, at)).rejects.toThrow('go together');
    const both = { tlsCertificateFile: cert, tlsKeyFile: key };
    await expect(readTls(both, at)).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' });
    await chmod(key, 0o600);
    await expect(readTls(both, at)).resolves.toMatchObject({ key: Buffer.from('k') });
  });
});
