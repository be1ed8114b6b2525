import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader } from '../../../src/system/http-answer.ts';
import { AnswerFault } from '../../../src/system/http-head.ts';
import type { HttpResponse } from '../../../src/system/http.ts';

/** What came of an answer: the response, or the kind of fault, or that more was expected. */
type Read = HttpResponse | { readonly fault: string } | 'unfinished';

function readAll(pieces: readonly Buffer[], maxBytes = 1_000): Read {
  const reader = new AnswerReader(maxBytes);
  try {
    for (const piece of pieces) {
      reader.add(piece);
      if (reader.isDone) return reader.response();
    }
    return reader.end() ? reader.response() : 'unfinished';
  } catch (error) {
    if (error instanceof AnswerFault) return { fault: error.failure };
    throw error;
  }
}

function answer(text: string, maxBytes?: number): Read {
  return readAll([Buffer.from(text, 'latin1')], maxBytes);
}

/** A body as chunks. */
function chunked(body: Buffer, sizes: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const size of [...sizes, body.length]) {
    const part = body.subarray(at, at + size);
    at += part.length;
    if (part.length === 0) continue;
    parts.push(Buffer.from(`${part.length.toString(16)};x=1\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\nx-trailer: 1\r\n\r\n')]);
}

const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const token = fc.stringMatching(/^x-[a-z0-9]{1,8}$/);
const fields = fc.array(fc.tuple(token, fc.stringMatching(/^[!-~]{0,10}$/)), { maxLength: 5 });
const status = fc.constantFrom(200, 201, 400, 401, 429, 500, 503, 599);
const interim = fc.constantFrom(
  '',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Hints\r\nx: 1\r\n\r\n',
);

const spoilt = fc.constantFrom('\r', '\n', '\0', ' ', ':', ';', ',', '0', 'f', '5', 'H', '\x80');

/** A well-formed answer and what it says. */
const wellFormed = fc
  .record({
    interim,
    status,
    fields,
    body,
    framing: fc.oneof(
      fc.constantFrom('length', 'end'),
      fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 4 }),
    ),
  })
  .map((made) => {
    const lines = made.fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const how =
      made.framing === 'length'
        ? `content-length: ${String(made.body.length)}\r\n`
        : made.framing === 'end'
          ? ''
          : 'Transfer-Encoding: chunked\r\n';
    const head = `${made.interim}HTTP/1.1 ${String(made.status)} Some words\r\n${lines}${how}\r\n`;
    const rest = typeof made.framing === 'string' ? made.body : chunked(made.body, made.framing);
    return { ...made, bytes: Buffer.concat([Buffer.from(head, 'latin1'), rest]) };
  });

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...at.map((i) => i % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** The same bytes as Node's own parser reads them. */
async function nodeReads(bytes: Buffer): Promise<{ status: number; body: Buffer } | undefined> {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const outgoing = request({ createConnection: () => socket, host: 'a.example', method: 'POST' });
  const failure = new Promise<undefined>((resolve) =>
    outgoing.on('error', () => resolve(undefined)),
  );
  outgoing.on('socket', () =>
    setImmediate(() => {
      socket.push(bytes);
      socket.push(null);
    }),
  );
  outgoing.end('a=1');
  const whole = once(outgoing, 'response').then(async ([response]) => {
    const incoming = response as IncomingMessage;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    return { status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) };
  });
  try {
    return await Promise.race([whole, failure]);
  } catch {
    return undefined;
  } finally {
    outgoing.destroy();
    socket.destroy();
  }
}

describe('reading an answer', () => {
  it('finds status, fields and body, however the bytes are cut', () => {
    fc.assert(
      fc.property(wellFormed, fc.array(fc.nat(), { maxLength: 6 }), (made, cuts) => {
        const read = readAll(cut(made.bytes, cuts));
        if (typeof read === 'string' || 'fault' in read) throw new Error(JSON.stringify(read));
        expect(read.status).toBe(made.status);
        expect(Buffer.from(read.body)).toEqual(made.body);
        for (const [name] of made.fields) {
          const values = made.fields.filter(([other]) => other === name).map(([, value]) => value);
          expect(read.headers[name]).toBe(values.join(', '));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('never fails but by saying what is wrong, and the same however the bytes are cut', () => {
    const bent = fc
      .tuple(
        wellFormed,
        fc.array(fc.tuple(fc.nat(), fc.nat(3), spoilt), {
          minLength: 1,
          maxLength: 4,
        }),
      )
      .map(([{ bytes }, changes]) => {
        const all = [...bytes];
        for (const [at, gone, put] of changes) all.splice(at % all.length, gone, put.charCodeAt(0));
        return Buffer.from(all);
      });
    fc.assert(
      fc.property(fc.oneof(bent, body), fc.array(fc.nat(), { maxLength: 6 }), (bytes, cuts) => {
        expect(readAll(cut(bytes, cuts))).toEqual(readAll([bytes]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no answer that Node would refuse or read differently', async () => {
    await fc.assert(
      fc.asyncProperty(
        wellFormed,
        fc.array(fc.tuple(fc.nat(), fc.nat(2), spoilt), {
          maxLength: 2,
        }),
        async ({ bytes }, changes) => {
          const all = [...bytes];
          for (const [at, gone, put] of changes)
            all.splice(at % all.length, gone, put.charCodeAt(0));
          const read = readAll([Buffer.from(all)]);
          if (typeof read === 'string' || 'fault' in read) return;
          // What follows a whole answer is nobody's; the connection is given up.
          const shorter = readAll([Buffer.from(all.slice(0, -1))]);
          if (isDeepStrictEqual(shorter, read)) return;
          const theirs = await nodeReads(Buffer.from(all));
          expect(theirs).toEqual({ status: read.status, body: Buffer.from(read.body) });
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['two lengths', 'content-length: 1\r\ncontent-length: 1\r\n\r\na'],
    ['a length with a sign', 'content-length: +1\r\n\r\na'],
    [
      'a length beside chunks',
      'content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ],
    ['another coding than chunks', 'transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a folded field', 'x: 1\r\n y: 2\r\ncontent-length: 0\r\n\r\n'],
    ['a space before the colon', 'content-length : 0\r\n\r\n'],
    ['a bare line feed', 'x: 1\ny: 2\r\ncontent-length: 0\r\n\r\n'],
    ['a nul', 'x: \0\r\ncontent-length: 0\r\n\r\n'],
    ['a negative chunk', 'transfer-encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n'],
    ['an endless chunk size', `transfer-encoding: chunked\r\n\r\n${'0'.repeat(400)}`],
    ['a chunk without its end', 'transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n'],
    ['a broken trailer', 'transfer-encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n'],
  ])('refuses %s', (_what, rest) => {
    expect(answer(`HTTP/1.1 200 OK\r\n${rest}`)).toEqual({ fault: 'malformed' });
  });

  it.each(['HTTP/2 200 OK', 'HTTP/1.1 099 No', 'HTTP/1.1 20 OK', 'ICY 200 OK', 'HTTP/1.1 101 Up'])(
    'refuses a head that begins with %s',
    (line) => {
      expect(answer(`${line}\r\ncontent-length: 0\r\n\r\n`)).toEqual({ fault: 'malformed' });
    },
  );

  it('refuses an interim answer of HTTP/1.0, which has none', () => {
    expect(
      answer('HTTP/1.0 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
    ).toEqual({
      fault: 'malformed',
    });
  });

  it('stops at a body, a head or trailers that have no end', () => {
    expect(answer(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(11)}`, 10)).toEqual({ fault: 'too_large' });
    expect(answer(`HTTP/1.1 100 Go\r\n\r\n`.repeat(1_000))).toEqual({ fault: 'too_large' });
    const trailers = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'x: 1\r\n'.repeat(9_000)}`;
    expect(answer(trailers)).toEqual({ fault: 'malformed' });
  });

  it('reads a head of many spaces in no time', () => {
    const spaces = ' '.repeat(16_000);
    for (const line of [`x:${spaces}\0`, `x: a${spaces}b`]) {
      expect(answer(`HTTP/1.1 200 OK\r\n${line}\r\ncontent-length: 0\r\n\r\n`)).toBeDefined();
    }
  });

  it('knows which connection may be used again', () => {
    const isReusable = (text: string): boolean => {
      const reader = new AnswerReader(100);
      reader.add(Buffer.from(text));
      return reader.isReusable;
    };
    expect(isReusable('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')).toBe(true);
    expect(isReusable('HTTP/1.1 204 No\r\n\r\n')).toBe(true);
    expect(isReusable('HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n')).toBe(
      false,
    );
    expect(isReusable('HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n')).toBe(false);
    expect(isReusable('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1')).toBe(false);
    expect(isReusable('HTTP/1.1 200 OK\r\n\r\n')).toBe(false);
  });
});
