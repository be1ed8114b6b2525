import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createListener, type Handler, type Listener } from '../../../src/daemon/http/listener.ts';
import { createThrowAwayAuthority } from '../../../src/emulator/tls.ts';
import { systemRandom } from '../../../src/system/random.ts';

/*
 * What Node does with messages and connections that are wrong, over sockets as they are: limits are seconds of the machine's own clock.
 */

const SLOW = 180_000;
vi.setConfig({ testTimeout: SLOW, hookTimeout: SLOW });
const listeners: Listener[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(listeners.splice(0).map(({ close }) => close(AbortSignal.abort())));
});

async function listen(handler: Handler, isSecure = false): Promise<Listener> {
  const tls = isSecure ? (await createThrowAwayAuthority(systemRandom)).identity : undefined;
  const material = tls && { cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) };
  const listener = createListener(handler, material);
  listeners.push(listener);
  listener.server.listen(0, '127.0.0.1');
  await once(listener.server, 'listening');
  return listener;
}

function portOf({ server }: Listener): number {
  return (server.address() as AddressInfo).port;
}

interface Client {
  readonly socket: Socket;
  /** All that came, once the server has ended the connection. */
  readonly heard: Promise<string>;
}

function open(listener: Listener, message = '', isSecure = false): Client {
  const where = { port: portOf(listener), host: '127.0.0.1' };
  const socket = isSecure ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
  sockets.push(socket);
  return { socket, heard: hear(socket, message) };
}

function hear(socket: Socket, message: string): Promise<string> {
  let text = '';
  socket.on('error', () => undefined).on('data', (chunk: Buffer) => (text += chunk.toString()));
  if (message !== '') socket.write(message);
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

const HEAD = 'GET / HTTP/1.1\r\nHost: localhost\r\n';
const answer: Handler = (_, response) => response.end('done');

describe('a connection that cannot be taken', () => {
  it.each([false, true])('ends nothing (TLS: %s)', async (isSecure) => {
    const listener = await listen(answer, isSecure);
    const fault = Object.assign(new Error('accept ENFILE'), { code: 'ENFILE', syscall: 'accept' });
    // As Node tells what the system says, which cannot be brought about for one process alone.
    for (let i = 0; i < 2; i++) listener.server.emit('error', fault);
    const { heard } = open(listener, `${HEAD}Connection: close\r\n\r\n`, isSecure);
    expect(await heard).toMatch(/done$/);
  });
});

describe('a message that cannot be understood', () => {
  it.each([
    ['no HTTP', 'HELLO\r\n\r\n', 400],
    ['a head that is too large', `${HEAD}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'extensions of chunks that are too large',
      `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(20_000)}\r\n`,
      413,
    ],
  ])('%s is answered as what it is, and the connection ends', async (_, message, status) => {
    const listener = await listen((request) => void request.resume());
    const heard = await open(listener, message).heard;
    expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(heard.toLowerCase()).toContain('connection: close');
  });

  it('writes nothing into an answer that is under way', async () => {
    const listener = await listen((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 100 });
      response.write('a part');
    });
    const { socket, heard } = open(listener, `${HEAD}\r\n`);
    await once(socket, 'data');
    socket.write('HELLO\r\n\r\n');
    expect(await heard).toMatch(/\r\n\r\na part$/);
  });

  it('a head that does not come is answered with 408, and the connection ends', async () => {
    const heard = await open(await listen(answer), HEAD).heard;
    expect(heard).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('a connection that never becomes a secure one', () => {
  it.each([
    ['because it speaks no TLS', `${HEAD}\r\n`],
    ['because it says nothing', ''],
  ])('is ended %s, and holds no place', async (_, message) => {
    const listener = await listen(answer, true);
    await open(listener, message).heard;
    listener.server.getConnections((error, count) => expect([error, count]).toEqual([null, 0]));
  });
});

describe('closing', () => {
  const never = new AbortController().signal;

  it.each([
    ['nothing was asked yet', false, ''],
    ['a head has only begun', false, HEAD],
    ['a secure connection was asked for and never made', true, ''],
  ])('ends a connection at once on which %s', async (_, isSecure, message) => {
    const listener = await listen(answer, isSecure);
    const accepted = once(listener.server, 'connection');
    const { heard } = open(listener, message);
    const [socket] = (await accepted) as [Socket];
    await vi.waitFor(() => expect(socket.bytesRead).toBe(message.length), SLOW);
    const faults: unknown[] = [];
    listener.server.on('tlsClientError', ({ code }: NodeJS.ErrnoException) => faults.push(code));
    await listener.close(never);
    expect(await heard).toBe('');
    expect(faults).not.toContain('ERR_TLS_HANDSHAKE_TIMEOUT');
  });

  it.each([
    ['a plain', false],
    ['a secure', true],
  ])('ends %s connection at once that has its answer', async (_, isSecure) => {
    const listener = await listen(answer, isSecure);
    const { socket, heard } = open(listener, `${HEAD}\r\n`, isSecure);
    await once(socket, 'data');
    await listener.close(never);
    expect(await heard).toContain('200 OK');
  });

  it.each([
    ['a plain', false],
    ['a secure', true],
  ])('lets %s connection have the answer that has begun, then ends it', async (_, isSecure) => {
    const answers: ServerResponse[] = [];
    const listener = await listen((__, response) => {
      answers.push(response);
      response.write('begun, ');
    }, isSecure);
    const { socket, heard } = open(listener, `${HEAD}\r\n`, isSecure);
    await once(socket, 'data');
    const closed = listener.close(never);
    answers[0]?.end('done');
    await closed;
    expect(await heard).toMatch(/begun, [^]*done[^]*\r\n0\r\n\r\n$/);
  });

  it.each([
    ['a plain', false],
    ['a secure', true],
  ])('ends %s connection when it is late, whatever is under way', async (_, isSecure) => {
    const listener = await listen((__, response) => void response.write('begun'), isSecure);
    const { socket, heard } = open(listener, `${HEAD}\r\n`, isSecure);
    await once(socket, 'data');
    const late = new AbortController();
    const closed = listener.close(late.signal);
    late.abort();
    await closed;
    expect(await heard).toContain('begun');
  });
});
