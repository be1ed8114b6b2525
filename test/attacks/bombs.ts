import { once } from 'node:events';
import type { Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { EvergrantError } from '../../src/errors.ts';
import { refreshAccessToken } from '../../src/token-endpoint.ts';
import { Findings } from '../faults/experiments/findings.ts';
import { rawServer } from '../support/raw-server.ts';

/** The cap of an answer, and what the buffers of two kernels and of Node may hold beyond it. */
const MOST_TAKEN_BYTES = 256 * 1024 + 16 * 1024 * 1024;
const HUGE_BYTES = 100 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 'x');

const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const WHOLE = JSON.stringify({ access_token: 'x'.repeat(1_000_000), token_type: 'Bearer' });
const encoded = (coding: string, body: Uint8Array): Uint8Array =>
  Buffer.concat([
    Buffer.from(
      `${JSON_HEAD}content-encoding: ${coding}\r\ncontent-length: ${String(body.length)}\r\n\r\n`,
    ),
    body,
  ]);

/** What the server says first, and what it goes on to say for ever. */
const BOMBS: Readonly<
  Record<string, readonly [begin: Uint8Array | string, more?: Uint8Array | string]>
> = {
  'a body of 100 MB': [`${JSON_HEAD}content-length: ${String(HUGE_BYTES)}\r\n\r\n`, CHUNK],
  'a body of 100 MB of JSON': [
    `${JSON_HEAD}content-length: ${String(HUGE_BYTES)}\r\n\r\n{"access_token":"`,
    CHUNK,
  ],
  'a body without an end': [`${JSON_HEAD}\r\n`, CHUNK],
  'chunks without an end': [
    `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`,
    `10000\r\n${CHUNK.toString()}\r\n`,
  ],
  'tiny chunks without an end': [
    `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`,
    '1\r\nx\r\n'.repeat(10_000),
  ],
  'a chunk of 4 GB': [`${JSON_HEAD}transfer-encoding: chunked\r\n\r\nffffffff\r\n`, CHUNK],
  'a chunk line without an end': [`${JSON_HEAD}transfer-encoding: chunked\r\n\r\n1;`, CHUNK],
  'trailers without an end': [
    `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n0\r\n`,
    'x-a: b\r\n'.repeat(10_000),
  ],
  'header fields without an end': ['HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'.repeat(10_000)],
  'one header field without an end': ['HTTP/1.1 200 OK\r\nx-a: ', CHUNK],
  'a status line without an end': ['HTTP/1.1 200 ', CHUNK],
  'interim answers without an end': ['', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(5_000)],
  'a body in gzip': [encoded('gzip', gzipSync(WHOLE))],
  'a body in brotli': [encoded('br', brotliCompressSync(WHOLE))],
  'a body in gzip, three times': [encoded('gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(WHOLE))))],
  'a body in deflate': [encoded('deflate', Buffer.from('x\x9c\x03\0', 'latin1'))],
  'a coding nobody knows': [encoded('zstd', Buffer.from('{}'))],
  'an access token of 300 kB': [
    `${JSON_HEAD}connection: close\r\n\r\n{"access_token":"${'x'.repeat(300_000)}","token_type":"Bearer"}`,
  ],
};

/** Says as much as is taken. */
async function sayForEver(socket: Socket, more: Uint8Array | string): Promise<void> {
  const closed = once(socket, 'close').catch(() => undefined);
  for (let said = 0; said < HUGE_BYTES && !socket.destroyed; said += more.length) {
    if (socket.write(more)) continue;
    const drained = new Promise((resolve) => socket.once('drain', resolve));
    await Promise.race([drained, closed]);
  }
  socket.end();
}

/** Answers that are too long, in every way there is: each ends in a typed error, and only so much of it is taken. */
export async function throwBombs(): Promise<Findings> {
  const findings = new Findings('bombs', 'no refusal', 'taken');
  for (const [name, [begin, more]] of Object.entries(BOMBS)) {
    // Without its cap a process would be filled by all of them.
    if (findings.violations.length > 0) break;
    const written: number[] = [];
    await using server = await rawServer((socket) => {
      socket.on('close', () => written.push(socket.bytesWritten));
      socket.write(begin);
      if (more === undefined) socket.end();
      else sayForEver(socket, more).catch(() => undefined);
    });
    const error = await refreshAccessToken({
      tokenEndpoint: server.url,
      clientId: 'c',
      refreshToken: 'refresh-token',
      insecureLoopback: true,
    }).catch((reason: unknown) => reason);
    findings.count('bombs');
    findings.check(error instanceof EvergrantError, 'no refusal', `${name}: ${String(error)}`);
    while (server.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
    findings.check(Math.max(...written) < MOST_TAKEN_BYTES, 'taken', `${name}: ${String(written)}`);
  }
  return findings;
}
