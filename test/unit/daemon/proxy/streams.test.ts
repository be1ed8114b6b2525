import { once, type EventEmitter } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createThrowAwayAuthority } from '../../../../src/emulator/tls.ts';
import { systemRandom } from '../../../../src/system/random.ts';
import { startApi } from '../../../support/api-server.ts';
import { startFront, type Front } from '../../../support/proxy-front.ts';

function get(front: Front, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(`${front.url}/${path}`).on('response', resolve).on('error', reject).end();
  });
}

async function nextChunk(message: IncomingMessage): Promise<string> {
  const [chunk] = (await once(message, 'data')) as [Buffer];
  return chunk.toString();
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a stream', () => {
  it('of events comes event by event, and its head before the first', async () => {
    const held = Promise.withResolvers<ServerResponse>();
    await using api = await startApi((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      held.resolve(response);
    });
    await using front = await startFront({ origins: [api.origin] });
    const answer = await get(front, 'events');
    expect(answer.headers['content-type']).toBe('text/event-stream');
    const response = await held.promise;
    for (let i = 0; i < 10; i++) {
      response.write(`data: ${i}\n\n`);
      expect(await nextChunk(answer)).toBe(`data: ${i}\n\n`);
    }
    answer.destroy();
  });

  it('goes both ways at once', async () => {
    await using api = await startApi((incoming, response) => {
      response.flushHeaders();
      incoming.on('data', (chunk: Buffer) => response.write(chunk.toString().toUpperCase()));
      incoming.on('end', () => response.end());
    });
    await using front = await startFront({ origins: [api.origin] });
    const call = request(`${front.url}/echo`, { method: 'POST' });
    call.write('zero');
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    expect(await nextChunk(answer)).toBe('ZERO');
    for (const word of ['one', 'two', 'three']) {
      call.write(word);
      expect(await nextChunk(answer)).toBe(word.toUpperCase());
    }
    call.end();
    answer.resume();
    await once(answer, 'end');
    expect(front.server.listening).toBe(true);
  });

  it('that its reader does not read is not read from the API either', async () => {
    let written = 0;
    await using api = await startApi((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const fill = (): void => {
        while (!response.destroyed && written < 256 * 1024 * 1024) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', fill);
        }
      };
      fill();
    });
    await using front = await startFront({ origins: [api.origin] });
    const answer = await get(front, 'endless');
    answer.pause();
    await standstill(() => written);
    // The buffers of four sockets, and no more.
    expect(written).toBeLessThan(64 * 1024 * 1024);
    answer.destroy();
  });

  it('that the API does not read is not read from the caller either', async () => {
    await using api = await startApi((incoming) => void incoming.pause());
    await using front = await startFront({ origins: [api.origin] });
    const call = request(`${front.url}/sink`, { method: 'POST' });
    call.on('error', () => undefined);
    let taken = 0;
    const chunk = Buffer.alloc(65_536);
    const fill = (): void => {
      while (!call.destroyed && taken < 256 * 1024 * 1024) {
        taken += chunk.length;
        if (!call.write(chunk)) return void call.once('drain', fill);
      }
    };
    fill();
    await standstill(() => taken);
    expect(taken).toBeLessThan(64 * 1024 * 1024);
    call.destroy();
  });
});

/** Waits until a number has not changed for many turns of the event loop. */
async function standstill(figure: () => number): Promise<void> {
  for (let still = 0, before = -1; still < 2_000; still++) {
    await turn();
    if (figure() !== before) still = 0;
    before = figure();
  }
}

describe('a caller that goes away', () => {
  const closed = (stream: EventEmitter): Promise<void> =>
    new Promise((resolve) => stream.once('close', () => resolve()));

  it('while the API thinks ends the request there', async () => {
    const asked = Promise.withResolvers<IncomingMessage>();
    await using api = await startApi((incoming) => asked.resolve(incoming));
    await using front = await startFront({ origins: [api.origin] });
    const call = request(`${front.url}/slow`).on('error', () => undefined);
    call.end();
    const ended = closed((await asked.promise).socket);
    call.destroy();
    await ended;
    expect(front.faults).toEqual([]);
  });

  it('in the middle of an answer ends the answer there', async () => {
    const ended = Promise.withResolvers<boolean>();
    await using api = await startApi((_incoming, response) => {
      response.write('begun');
      response.on('close', () => ended.resolve(response.writableFinished));
    });
    await using front = await startFront({ origins: [api.origin] });
    const answer = await get(front, 'endless');
    await nextChunk(answer);
    answer.destroy();
    expect(await ended.promise).toBe(false);
  });

  it('in the middle of an upload ends the upload there', async () => {
    const upload = Promise.withResolvers<IncomingMessage>();
    await using api = await startApi((incoming) => {
      incoming.once('data', () => upload.resolve(incoming));
    });
    await using front = await startFront({ origins: [api.origin] });
    const call = request(`${front.url}/up`, { method: 'POST' }).on('error', () => undefined);
    call.write('begun');
    const incoming = await upload.promise;
    const end = closed(incoming);
    call.destroy();
    await end;
    expect(incoming.complete).toBe(false);
  });

  it('while a token is got sends nothing', async () => {
    const asked = Promise.withResolvers<undefined>();
    const token = Promise.withResolvers<undefined>();
    await using api = await startApi((_incoming, response) => void response.end());
    await using front = await startFront({
      origins: [api.origin],
      beforeToken: () => {
        asked.resolve(undefined);
        return token.promise;
      },
    });
    const call = request(`${front.url}/a`).on('error', () => undefined);
    call.end();
    await asked.promise;
    const [connection] = await connections(front);
    call.destroy();
    await connection;
    token.resolve(undefined);
    await turn();
    expect(api.seen).toEqual([]);
  });
});

/** The ends of the connections that a front has now. */
async function connections(front: Front): Promise<[Promise<void>]> {
  const count = (): Promise<number> =>
    new Promise((resolve) => front.server.getConnections((_, number) => resolve(number)));
  const gone = async (): Promise<void> => {
    while ((await count()) > 0) await turn();
  };
  return [gone()];
}

describe('an API that goes away', () => {
  it.each([
    ['with a length', { 'content-length': '100' }],
    ['in chunks', {}],
  ])(
    'in the middle of an answer %s ends it for the caller too, not as a whole one',
    async (_what, headers) => {
      await using api = await startApi((_incoming, response) => {
        response.writeHead(200, headers);
        response.write('half', () => response.destroy());
      });
      await using front = await startFront({ origins: [api.origin] });
      const response = await fetch(`${front.url}/a`);
      await expect(response.text()).rejects.toThrow();
    },
  );

  it('before it answers leaves a problem', async () => {
    await using api = await startApi((incoming) => void incoming.socket.destroy());
    await using front = await startFront({ origins: [api.origin] });
    const response = await fetch(`${front.url}/a`, { method: 'POST', body: 'x' });
    expect(await response.json()).toMatchObject({ code: 'ERR_API_UNREACHABLE' });
  });

  it('and answers before it has the upload ends the upload once the answer is passed on', async () => {
    await using api = await startApi((incoming, response) => {
      incoming.once('data', () => response.writeHead(413).end('too long'));
    });
    await using front = await startFront({ origins: [api.origin] });
    const call = request(`${front.url}/up`, { method: 'POST' }).on('error', () => undefined);
    call.write('a');
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    expect([answer.statusCode, answer.headers.connection]).toEqual([413, 'close']);
    expect(await nextChunk(answer)).toBe('too long');
    await once(call.socket!, 'close');
  });
});

describe('what an API may answer', () => {
  it.each([
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['nothing but headers without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}`],
  ])('does not include %s', async (_what, bytes) => {
    await using api = await startApi(() => undefined);
    api.server.removeAllListeners('connection');
    api.server.on('connection', (socket: Socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    await using front = await startFront({ origins: [api.origin] });
    const response = await fetch(`${front.url}/a`);
    expect(['ERR_RESPONSE_INVALID', 'ERR_API_UNREACHABLE']).toContain(
      ((await response.json()) as { code: string }).code,
    );
    expect(front.faults).toEqual([]);
  });

  it('does not include silence without end', async () => {
    await using api = await startApi(() => undefined);
    await using front = await startFront({ origins: [api.origin], headTimeoutMs: 1 });
    const response = await fetch(`${front.url}/a`);
    expect([response.status, await response.json()]).toMatchObject([504, { code: 'ERR_DEADLINE' }]);
  });

  it('includes nothing that cannot be reached', async () => {
    const api = await startApi(() => undefined);
    await api[Symbol.asyncDispose]();
    await using front = await startFront({ origins: [api.origin] });
    const response = await fetch(`${front.url}/a`);
    expect(await response.json()).toMatchObject({
      code: 'ERR_API_UNREACHABLE',
      detail: expect.stringContaining('nothing was sent'),
    });
  });

  it('includes nothing of a server whose certificate is not believed, and sends it nothing', async () => {
    const { identity } = await createThrowAwayAuthority(systemRandom);
    const heard: unknown[] = [];
    const secure = createSecureServer({ ...identity }, (incoming) => void heard.push(incoming));
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const origin = `https://127.0.0.1:${String((secure.address() as AddressInfo).port)}`;
    await using front = await startFront({ origins: [origin] });
    const response = await fetch(`${front.url}/a`, { method: 'POST', body: 'once' });
    expect(await response.json()).toMatchObject({
      code: 'ERR_API_UNREACHABLE',
      detail: expect.stringMatching(/UNABLE_TO_VERIFY_LEAF_SIGNATURE.*nothing was sent/),
    });
    expect(heard).toEqual([]);
    secure.close();
  });

  it('passes a HEAD, a 204 and a 304 as they are', async () => {
    await using api = await startApi((incoming, response) => {
      const status = Number(incoming.url?.slice(1));
      response.writeHead(status, status === 200 ? { 'content-length': '5' } : { etag: '"1"' });
      response.end();
    });
    await using front = await startFront({ origins: [api.origin] });
    const head = await fetch(`${front.url}/200`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '5']);
    for (const status of [204, 304]) {
      const response = await fetch(`${front.url}/${status}`);
      expect([response.status, await response.text()]).toEqual([status, '']);
    }
  });

  it('leaves an encoded body encoded', async () => {
    const { gzipSync } = await import('node:zlib');
    const body = gzipSync('hello');
    await using api = await startApi((_incoming, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
    });
    await using front = await startFront({ origins: [api.origin] });
    const socket = connect(front.port, '127.0.0.1');
    socket.write('GET /proxy/it/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).includes(body)).toBe(true);
  });
});
