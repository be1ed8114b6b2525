import 'reflect-metadata';
import { once } from 'node:events';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { HttpConnectError, HttpExchangeError, type Http } from '../../../src/system/http.ts';
import { nodeHttp } from '../../../src/system/node-http.ts';
import { closingServer } from '../../support/closing-server.ts';
import { fakeClock, settle } from '../../support/fake-clock.ts';
import { httpAnswer, rawServer, type RawServer } from '../../support/raw-server.ts';

const post = { method: 'POST', headers: {}, body: 'a=1' } as const;
const limits = { timeoutMs: 10_000, maxBytes: 1024 };

async function open(http: Http, url: string, fresh = true): ReturnType<Http['connect']> {
  return http.connect(new URL(url), { fresh, timeoutMs: 10_000 });
}

async function failureOf(exchange: Promise<unknown>): Promise<HttpExchangeError> {
  const error = await exchange.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof HttpExchangeError) return error;
  throw new Error('the exchange was expected to fail', { cause: error });
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

describe('an exchange', () => {
  it('sends exactly the request and reads the answer', async () => {
    await using server = await rawServer((socket) => {
      socket.write(httpAnswer(201, 'hello', { 'X-One': 'a', 'Set-Cookie': 'c=1' }));
    });
    const connection = await open(nodeHttp(), server.url);
    const answer = await connection.send(
      { ...post, headers: { accept: 'application/json', Host: 'evil.example' } },
      limits,
    );
    expect(answer.status).toBe(201);
    expect(text(answer.body)).toBe('hello');
    expect(answer.headers).toEqual({ 'content-length': '5', 'x-one': 'a', 'set-cookie': 'c=1' });
    expect(server.received).toEqual([
      [
        'POST /tenant/oauth2/v2.0/token HTTP/1.1',
        `host: ${new URL(server.url).host}`,
        'user-agent: evergrant/0.1.0',
        'accept: application/json',
        'accept-encoding: identity',
        'connection: keep-alive',
        'content-length: 3',
        '',
        'a=1',
      ].join('\r\n'),
    ]);
  });

  it('sends nothing before it is told to, and tells when the request is with the kernel', async () => {
    const steps: string[] = [];
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, '')));
    const connection = await open(nodeHttp(), server.url);
    await settle();
    steps.push(...server.received);
    await connection.send(post, { ...limits, onSent: () => steps.push('sent') });
    expect(steps).toEqual(['', 'sent']);
  });

  it('joins header fields that are repeated', async () => {
    await using server = await rawServer((socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-a: 1\r\nX-A: 2\r\nretry-after: 1\r\nretry-after: 2\r\n\r\n',
      ),
    );
    const answer = await (await open(nodeHttp(), server.url)).send(post, limits);
    expect(answer.headers).toMatchObject({ 'x-a': '1, 2', 'retry-after': '1, 2' });
  });

  it('follows no redirect and keeps no cookie', async () => {
    await using server = await rawServer((socket) =>
      socket.write(httpAnswer(307, '', { location: '/elsewhere', 'set-cookie': 'c=1' })),
    );
    const http = nodeHttp();
    for (let i = 0; i < 2; i++)
      expect((await (await open(http, server.url)).send(post, limits)).status).toBe(307);
    expect(server.received.join('')).not.toMatch(/elsewhere|cookie|origin|referer/i);
  });

  it('reads a body in chunks, and one that ends with the connection', async () => {
    for (const rest of [
      'transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
      '\r\nabc',
    ]) {
      await using server = await rawServer((socket) => socket.end(`HTTP/1.1 200 OK\r\n${rest}`));
      const answer = await (await open(nodeHttp(), server.url)).send(post, limits);
      expect(text(answer.body)).toBe('abc');
    }
  });

  it('is done when the answer comes before the request was read', async () => {
    await using server = await rawServer(() => undefined);
    const connection = await open(nodeHttp(), server.url);
    const big = { ...post, body: 'x'.repeat(30_000_000) };
    const answer = connection.send(big, limits);
    await settle();
    for (const socket of server.sockets) socket.pause().write(httpAnswer(413, 'no'));
    expect((await answer).status).toBe(413);
  });

  it('is possible once on a connection', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, '')));
    const connection = await open(nodeHttp(), server.url);
    await connection.send(post, limits);
    await expect(connection.send(post, limits)).rejects.toThrow(TypeError);
  });
});

describe('an exchange that fails says how, and keeps what came of the answer', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n';

  async function failing(server: RawServer): Promise<HttpExchangeError> {
    return failureOf((await open(nodeHttp(), server.url)).send(post, limits));
  }

  it('when the connection ends before an answer', async () => {
    await using server = await rawServer((socket) => socket.end());
    expect(await failing(server)).toMatchObject({
      failure: 'reset',
      status: undefined,
      partial: undefined,
    });
  });

  it('when the connection is reset', async () => {
    await using server = await rawServer((socket) => socket.resetAndDestroy());
    expect(await failing(server)).toMatchObject({ failure: 'reset' });
  });

  it('when the answer is cut off', async () => {
    await using server = await rawServer((socket) => socket.end(`${head}{"access_token":"at`));
    const error = await failing(server);
    expect(error).toMatchObject({ failure: 'reset', status: 200 });
    expect(text(error.partial)).toBe('{"access_token":"at');
    expect(JSON.stringify(error)).not.toContain('partial');
  });

  it('when it takes too long', async () => {
    await using server = await rawServer((socket) => socket.write(`${head}part`));
    const connection = await open(nodeHttp(), server.url);
    const error = await failureOf(connection.send(post, { ...limits, timeoutMs: 300 }));
    expect(error.failure).toBe('timeout');
    expect(error.message).toBe('no complete answer within 300 ms');
  });

  it('when the caller gives up', async () => {
    const controller = new AbortController();
    await using server = await rawServer(() => controller.abort());
    const connection = await open(nodeHttp(), server.url);
    const error = await failureOf(connection.send(post, { ...limits, signal: controller.signal }));
    expect(error.failure).toBe('aborted');
  });

  it('when the body exceeds the cap, whatever its length field says', async () => {
    await using server = await rawServer((socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n800\r\n${'x'.repeat(2048)}\r\n`,
      ),
    );
    const error = await failing(server);
    expect(error.failure).toBe('too_large');
    expect(error.partial).toHaveLength(limits.maxBytes);
  });

  it('but not when the body just fits', async () => {
    await using server = await rawServer((socket) =>
      socket.write(httpAnswer(200, 'x'.repeat(1024))),
    );
    const answer = await (await open(nodeHttp(), server.url)).send(post, limits);
    expect(answer.body).toHaveLength(1024);
  });

  it('when the header exceeds 16 KiB', async () => {
    await using server = await rawServer((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
    );
    expect(await failing(server)).toMatchObject({ failure: 'too_large' });
  });

  it('when the answer is no HTTP', async () => {
    await using server = await rawServer((socket) => socket.write('SSH-2.0-demo\r\n'));
    expect(await failing(server)).toMatchObject({ failure: 'malformed' });
  });

  it('when chunks are broken, after a part of the body', async () => {
    await using server = await rawServer((socket) =>
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n'),
    );
    const error = await failing(server);
    expect(error.failure).toBe('malformed');
    expect(text(error.partial)).toBe('ab');
  });

  it('when the answer is compressed, since the cap could not hold', async () => {
    await using server = await rawServer((socket) =>
      socket.write(httpAnswer(200, 'zip', { 'content-encoding': 'gzip' })),
    );
    const error = await failing(server);
    expect(error).toMatchObject({ failure: 'malformed', status: 200 });
    expect(text(error.partial)).toBe('zip');
  });
});

describe('a connection that is gone before anything was sent', () => {
  it('is a failure to connect', async () => {
    await using server = await rawServer(() => undefined);
    const connection = await open(nodeHttp(), server.url);
    connection.close();
    await expect(connection.send(post, limits)).rejects.toThrow(TypeError);
  });

  it('is told from a lost answer', async () => {
    await using server = await rawServer(() => undefined);
    const http = nodeHttp();
    const given = AbortSignal.abort();
    const connection = await open(http, server.url);
    await expect(connection.send(post, { ...limits, signal: given })).rejects.toThrow(
      HttpConnectError,
    );
    await settle();
    expect(server.received).toEqual(['']);
  });

  it('is one whose server spoke unasked', async () => {
    await using server = await rawServer(() => undefined);
    const connection = await open(nodeHttp(), server.url);
    await settle();
    for (const socket of server.sockets) socket.write(httpAnswer(200, 'unasked'));
    await expect(connection.send(post, limits)).rejects.toThrow(HttpConnectError);
    expect(server.received).toEqual(['']);
  });

  it('is told from a lost answer, too, when it was gone while this process was busy', async () => {
    for (const isUsedBefore of [false, true]) {
      await using server = await closingServer();
      const http = nodeHttp();
      if (isUsedBefore) await (await open(http, server.url)).send(post, limits);
      const connection = await open(http, server.url, false);
      server.endAllMeanwhile();
      await expect(connection.send(post, limits)).rejects.toThrow(HttpConnectError);
    }
  });
});

describe('connecting', () => {
  it.each<[string, string, RegExp]>([
    ['nobody listens', 'http://127.0.0.1:1/', /ECONNREFUSED/],
    ['the name does not resolve', 'http://no-such-host.invalid/', /ENOTFOUND/],
    ['the scheme is unknown', 'ftp://127.0.0.1/', /ftp:/],
  ])('fails when %s', async (_why, url, reason) => {
    const lookup: NonNullable<Parameters<typeof nodeHttp>[0]>['lookup'] = (host, _options, done) =>
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '', 4);
    const failed = open(nodeHttp({ lookup }), url);
    await expect(failed).rejects.toThrow(HttpConnectError);
    await expect(failed).rejects.toThrow(reason);
  });

  it('fails when TLS is not answered in time', async () => {
    await using server = await rawServer(() => undefined);
    const url = new URL(server.url.replace('http:', 'https:'));
    const failed = nodeHttp().connect(url, { fresh: true, timeoutMs: 300 });
    await expect(failed).rejects.toThrow(HttpConnectError);
    await expect(failed).rejects.toThrow('none within 300 ms');
  });

  it('fails when the caller has given up, before or meanwhile', async () => {
    await using server = await rawServer(() => undefined);
    const url = new URL(server.url.replace('http:', 'https:'));
    const early = nodeHttp().connect(url, {
      fresh: true,
      timeoutMs: 9000,
      signal: AbortSignal.abort(),
    });
    await expect(early).rejects.toThrow(HttpConnectError);
    const controller = new AbortController();
    const late = nodeHttp().connect(url, {
      fresh: true,
      timeoutMs: 9000,
      signal: controller.signal,
    });
    const gone = expect(late).rejects.toThrow(HttpConnectError);
    await settle();
    controller.abort();
    await gone;
  });
});

describe('an idle connection', () => {
  async function exchangeOn(http: Http, server: RawServer, fresh: boolean): Promise<void> {
    await (await open(http, server.url, fresh)).send(post, limits);
    await settle();
  }

  it('is taken again where that is allowed, and leaves no listener behind', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, 'ok')));
    const http = nodeHttp();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    for (let i = 0; i < 30; i++) await exchangeOn(http, server, false);
    process.off('warning', onWarning);
    expect(server.received).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('is never taken where a fresh one was asked for', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, 'ok')));
    const http = nodeHttp();
    for (let i = 0; i < 3; i++) await exchangeOn(http, server, true);
    expect(server.received).toHaveLength(3);
  });

  it('counts as fresh only where the server has kept one for half a second, and for less than that', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, 'ok')));
    const clock = fakeClock();
    const http = nodeHttp({ clock });
    const url = new URL(server.url);
    await exchangeOn(http, server, true);
    expect(http.atHand?.(url), 'before it was proven').toBeUndefined();
    await clock.advance(500);
    expect(http.atHand?.(url), 'too old itself').toBeUndefined();
    await exchangeOn(http, server, true);
    await http.atHand?.(url)?.send(post, limits);
    expect(server.received).toHaveLength(2);
    http.atHand?.(url)?.close();
    await clock.advance(499);
    await http.atHand?.(url)?.send(post, limits);
    await clock.advance(500);
    expect(http.atHand?.(url)).toBeUndefined();
    expect(server.received).toHaveLength(2);
    expect(server.received[1]?.match(/POST/g)).toHaveLength(3);
  });

  it('that was just used counts as fresh however many older ones are kept', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, 'ok')));
    const clock = fakeClock();
    const http = nodeHttp({ clock });
    const url = new URL(server.url);
    for (let i = 0; i < 40; i++) await exchangeOn(http, server, true);
    await clock.advance(500);
    await exchangeOn(http, server, true);
    expect(http.atHand?.(url)).toBeDefined();
  });

  it('neither counts as fresh nor is taken when the machine was suspended since', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, 'ok')));
    const clock = fakeClock();
    const http = nodeHttp({ clock });
    const url = new URL(server.url);
    await exchangeOn(http, server, true);
    await clock.advance(500);
    await exchangeOn(http, server, true);
    clock.setWall(clock.now() + 8 * 3_600_000);
    expect(http.atHand?.(url)).toBeUndefined();
    await exchangeOn(http, server, false);
    expect(server.received).toHaveLength(3);
  });

  it('no longer counts as fresh at a server that has ended one early, or in the middle of an exchange', async () => {
    for (const isAsked of [false, true]) {
      let mayAnswer = true;
      await using server = await rawServer((socket) => {
        if (mayAnswer) socket.write(httpAnswer(200, 'ok'));
        else socket.destroy();
      });
      const clock = fakeClock();
      const http = nodeHttp({ clock });
      const url = new URL(server.url);
      await exchangeOn(http, server, true);
      await clock.advance(500);
      await exchangeOn(http, server, true);
      await exchangeOn(http, server, true);
      mayAnswer = false;
      const used = http.atHand?.(url);
      if (used === undefined) throw new Error('the server had proven that it keeps connections');
      if (isAsked) await failureOf(used.send(post, limits));
      else {
        used.close();
        const ended = [...server.sockets].at(-1);
        if (ended === undefined) throw new Error('no connection is open');
        const closed = once(ended, 'close');
        ended.end();
        await closed;
        await settle();
      }
      mayAnswer = true;
      await exchangeOn(http, server, true);
      expect(http.atHand?.(url)).toBeUndefined();
    }
  });

  it('is dropped when the server closes it or speaks out of turn', async () => {
    for (const disturb of ['end', 'write'] as const) {
      await using server = await rawServer((socket) => socket.write(httpAnswer(200, 'ok')));
      const http = nodeHttp();
      await exchangeOn(http, server, false);
      const [socket] = server.sockets;
      if (socket === undefined) throw new Error('the connection was not kept');
      const closed = once(socket, 'close');
      if (disturb === 'end') socket.end();
      else socket.write(httpAnswer(200, 'unasked'));
      await closed;
      await exchangeOn(http, server, false);
      expect(server.received).toHaveLength(2);
    }
  });

  it('is not kept when the server says close', async () => {
    await using server = await rawServer((socket) =>
      socket.write(httpAnswer(200, 'ok', { connection: 'close' })),
    );
    const http = nodeHttp();
    for (let i = 0; i < 2; i++) await exchangeOn(http, server, false);
    expect(server.received).toHaveLength(2);
  });

  it('is closed with the whole, and so is one that was in use then', async () => {
    await using server = await rawServer((socket) => socket.write(httpAnswer(200, 'ok')));
    const http = nodeHttp();
    await exchangeOn(http, server, false);
    const second = await open(http, server.url);
    const closed = [...server.sockets].map((socket) => once(socket, 'close'));
    http.close();
    await second.send(post, limits);
    await Promise.all(closed);
    expect(server.sockets.size).toBe(0);
  });
});

describe('https', () => {
  let identity: TlsOptions & { cert: string };
  beforeAll(async () => {
    x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=demo',
      keys,
      signingAlgorithm: algorithm,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
      extensions: [
        new x509.BasicConstraintsExtension(true),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
      ],
    });
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString(
      'base64',
    );
    identity = {
      cert: certificate.toString('pem'),
      key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    };
  });

  async function tlsServer(options: TlsOptions = {}): Promise<{ url: string } & AsyncDisposable> {
    const server = createTlsServer({ ...identity, ...options }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.end(
          httpAnswer(200, `${String(socket.getProtocol())} ${String(socket.alpnProtocol)}`),
        ),
      );
    });
    server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
      url: `https://localhost:${String(port)}/token`,
      [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
    };
  }

  it('works with an authority that was added', async () => {
    await using server = await tlsServer({ ALPNProtocols: ['http/1.1'] });
    const connection = await open(nodeHttp({ ca: [identity.cert] }), server.url);
    const answer = await connection.send(post, limits);
    expect(text(answer.body)).toBe('TLSv1.3 http/1.1');
  });

  it('refuses a certificate that nobody vouches for', async () => {
    await using server = await tlsServer();
    await expect(open(nodeHttp(), server.url)).rejects.toThrow(/SELF_SIGNED/);
  });

  it('refuses it whatever the environment says', async () => {
    await using server = await tlsServer();
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    try {
      await expect(open(nodeHttp(), server.url)).rejects.toThrow(/SELF_SIGNED/);
      const url = server.url.replace('localhost', '127.0.0.1');
      const failed = open(nodeHttp({ ca: [identity.cert] }), url);
      await expect(failed).rejects.toThrow(/ERR_TLS_CERT_ALTNAME_INVALID/);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('refuses a certificate for another host', async () => {
    await using server = await tlsServer();
    const url = server.url.replace('localhost', '127.0.0.1');
    const failed = open(nodeHttp({ ca: [identity.cert] }), url);
    await expect(failed).rejects.toThrow(/ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  it('refuses anything older than TLS 1.2', async () => {
    await using server = await tlsServer({
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await expect(open(nodeHttp({ ca: [identity.cert] }), server.url)).rejects.toThrow(
      HttpConnectError,
    );
  });

  it('refuses a server that speaks plain http', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    connectTcp(port, '127.0.0.1').destroy();
    await expect(open(nodeHttp(), `https://127.0.0.1:${String(port)}/`)).rejects.toThrow(
      HttpConnectError,
    );
    server.close();
  });
});
