import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { failureOf } from '../../../src/remote/failure.ts';
import { openRemote } from '../../../src/remote/open-remote.ts';
import { Secret } from '../../../src/secret.ts';
import { homePaths } from '../../../src/system/home.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/*
 * Addresses at which no daemon can be: to ask again helps with none of them.
 */

const way = {
  address: { url: new URL('https://daemon.example:7343'), key: new Secret('k'), ca: undefined },
  clock: fakeClock(),
  closed: new AbortController().signal,
};

/** What is told of a daemon at an address. */
async function toldOf(url: string): Promise<unknown> {
  await using keeper = await openRemote({ url, key: 'evk' }, homePaths('/', {}), fakeClock());
  return await keeper.list().catch((error: unknown) => error);
}

it.each(['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])(
  'a host that cannot be reached, by %s, is told as an address to look at',
  (code) => {
    expect(failureOf(Object.assign(new Error('no'), { code }), way, undefined)).toMatchObject({
      code: 'ERR_DAEMON_UNREACHABLE',
      message: `https://daemon.example:7343 cannot be reached (${code}); look at the address, and at the network`,
    });
  },
);

it('a host that does not exist is told so', async () => {
  // Says EAI_AGAIN where there is no network.
  expect(await toldOf('https://nowhere.invalid:7343')).toMatchObject({
    code: 'ERR_DAEMON_UNREACHABLE',
    message: expect.stringMatching(
      /^https:\/\/nowhere\.invalid:7343 cannot be reached \((ENOTFOUND|EAI_AGAIN)\); look at the address/,
    ),
  });
});

it('a port that does not speak TLS is told as that', async () => {
  const server = createServer((_request, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `https://127.0.0.1:${String(port)}`;
  try {
    expect(await toldOf(origin)).toMatchObject({
      code: 'ERR_DAEMON_UNREACHABLE',
      message: `what answers at ${origin} does not speak TLS; look at the address, and at the daemon's tlsCertificateFile`,
    });
  } finally {
    server.close();
  }
});

it('a connection of TLS that breaks later is told as a daemon that went away', () => {
  const cause = Object.assign(new Error('bad record mac'), { code: 'EPROTO' });
  expect(failureOf(cause, way, undefined)).toMatchObject({
    message: expect.stringContaining('went away before it had answered (EPROTO)'),
  });
});

const url = 'http://127.0.0.1:1';

it.each<[string, unknown]>([
  ['a key from a file, with its newline', { url, key: 'evk_secret\n' }],
  ['a key with a space', { url, key: new Secret(' evk_secret') }],
  ['an empty key', { url, key: '' }],
  ['no key', { url }],
  ['a key that is a number', { url, key: 5 }],
])('%s is told as an argument to change, before anything is sent', async (_what, daemon) => {
  const opening = openRemote(
    daemon as { url: string; key: string },
    homePaths('/', {}),
    fakeClock(),
  );
  await expect(opening).rejects.toMatchObject({
    name: 'ConfigurationError',
    code: 'ERR_ARGUMENT',
    message:
      'daemon.key is no key; give what evergrant key-for printed, without the newline at its end',
  });
});

it.each([false, null, 'socket', { socket: '' }, { socket: 5 }, { socket: undefined }])(
  'the daemon %j is none, and what it may be is told',
  async (daemon) => {
    const opening = openRemote(daemon as unknown as true, homePaths('/', {}), fakeClock());
    await expect(opening).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'daemon is true, or an object with socket, or one with url and key',
    });
  },
);
