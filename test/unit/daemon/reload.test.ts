import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Daemon } from '../../../src/daemon/daemon.ts';
import { createThrowAwayAuthority } from '../../../src/emulator/tls.ts';
import type { DaemonSettings } from '../../../src/settings.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { daemonFixture } from '../../support/daemon-fixture.ts';

/*
 * Settings that are read again while a daemon serves by TCP: what it takes over, and what it says takes a restart.
 */

const start = daemonFixture();
const plain = { listen: '127.0.0.1:0' } as const;
let folder: string;
let secure: DaemonSettings & { readonly tlsCertificateFile: string; readonly tlsKeyFile: string };

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-reload-'));
  const [tlsCertificateFile, tlsKeyFile] = [path.join(folder, 'cert'), path.join(folder, 'key')];
  secure = { ...plain, tlsCertificateFile, tlsKeyFile };
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Puts a certificate in place. @returns that of its authority. */
async function certify(): Promise<string> {
  const { caCertificate, identity } = await createThrowAwayAuthority(systemRandom);
  await writeFile(secure.tlsCertificateFile, identity.cert);
  await writeFile(secure.tlsKeyFile, identity.key);
  await chmod(secure.tlsKeyFile, 0o600);
  return caCertificate;
}

/** Fails when the daemon does not show a certificate of this authority. */
async function meets({ address = '' }: Daemon, ca: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(address).port), ca });
  await once(socket, 'secureConnect');
  socket.destroy();
}

describe('settings that are read again', () => {
  it('are compared with those in force, not with those read last', async () => {
    const { daemon } = await start(plain);
    const other = { listen: '127.0.0.1:1', socket: '/elsewhere' };
    const told = ['daemon.socket', 'daemon.listen'];
    expect(await daemon.reload(other)).toEqual(told);
    expect(await daemon.reload(other)).toEqual(told);
    expect(await daemon.reload(plain)).toEqual([]);
  });

  it.each([
    ['is another', '127.0.0.1:1'],
    ['is none any more', undefined],
  ])('renew certificate and names of the port that serves when the next %s', async (_, listen) => {
    await certify();
    const { daemon } = await start(secure);
    const ca = await certify();
    await expect(meets(daemon, ca)).rejects.toThrow();
    const next = { ...secure, listen, hosts: ['evergrant.example'] };
    expect(await daemon.reload(next)).toEqual(['daemon.listen']);
    await meets(daemon, ca);
  });

  it('renew the names of the port that serves when the next is another', async () => {
    const { daemon, ask } = await start(plain);
    const asked = { tcp: true, headers: { host: 'evergrant.example' } };
    expect((await ask('/healthz', asked)).status).not.toBe(200);
    await daemon.reload({ listen: '127.0.0.1:1', hosts: ['evergrant.example'] });
    expect((await ask('/healthz', asked)).status).toBe(200);
  });

  it('say that TLS that comes or goes takes a restart, and serve as before until then', async () => {
    const ca = await certify();
    const open = await start(plain);
    expect(await open.daemon.reload(secure)).toEqual(['daemon.tlsCertificateFile']);
    expect((await open.ask('/healthz', { tcp: true })).status).toBe(200);
    const closed = await start(secure);
    expect(await closed.daemon.reload(plain)).toEqual(['daemon.tlsCertificateFile']);
    await meets(closed.daemon, ca);
  });
});
