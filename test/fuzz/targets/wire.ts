import { request, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { AnswerReader } from '../../../src/system/http-answer.ts';
import { AnswerFault } from '../../../src/system/http-head.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileText, mutate } from '../hostile.ts';

/*
 * Bytes on the wire. What our reader of HTTP takes for a whole answer, Node's must take for the same one, however the bytes are cut into
 * pieces; what it refuses, it refuses with its own error.
 */

const MOST_BYTES = 4_096;
const BODY = '{"access_token":"at-1","token_type":"Bearer","refresh_token":"rt-1"}';

interface Reading {
  readonly status: number;
  readonly body: string;
  readonly fields: string;
}

function chunked(dice: Dice, body: string): string {
  const size = 1 + dice.below(body.length);
  const parts = body.match(new RegExp(`[^]{1,${String(size)}}`, 'g')) ?? [];
  const extension = (): string => dice.pick(['', '', '', ';a=b', ';x', ' ', ';', ';"', '\t;a=1']);
  const length = (part: string): string =>
    dice.pick(['', '', '0', '0x', '+', '-', ' ']) + part.length.toString(16);
  const text = parts.map(
    (part) =>
      `${dice.chance(0.1) ? length(part) : part.length.toString(16)}${dice.chance(0.1) ? extension() : ''}\r\n${part}\r\n`,
  );
  const trailers = dice.several(2, () => dice.pick(['x-a: 1\r\n', ' folded\r\n', 'no colon\r\n']));
  return `${text.join('')}0${dice.chance(0.1) ? extension() : ''}\r\n${dice.chance(0.2) ? trailers.join('') : ''}\r\n`;
}

function bytesOf(dice: Dice): Uint8Array {
  const body = dice.pick([BODY, BODY, '', 'x'.repeat(dice.below(6_000)), hostileText(dice)]);
  const status = dice.chance(0.9)
    ? dice.pick(['200 OK', '200', '200 ', '400 Bad Request'])
    : dice.pick(['204 No Content', '304 X', '101 Switching', '100 Continue', '099 x', '999 x']);
  const version = dice.chance(0.95)
    ? 'HTTP/1.1'
    : dice.pick(['HTTP/1.0', 'HTTP/2.0', 'http/1.1', 'ICY']);
  const isChunked = dice.chance(0.4);
  const isOdd = dice.chance(0.3);
  const length = String(Buffer.byteLength(body, 'latin1'));
  const framing = isChunked
    ? [
        isOdd
          ? dice.pick([
              'transfer-encoding: chunked',
              'Transfer-Encoding: chunked',
              'transfer-encoding: gzip, chunked',
              'transfer-encoding:\tchunked ',
              'transfer-encoding : chunked',
              'transfer-encoding: identity',
            ])
          : 'transfer-encoding: chunked',
      ]
    : [
        isOdd
          ? dice.pick([
              `content-length: ${length}`,
              `content-length: ${length}`,
              `Content-Length:${length}`,
              `content-length: +${length}`,
              `content-length: ${length}, ${length}`,
              'content-length: 3',
              'content-length: 0x5',
              '',
            ])
          : `content-length: ${length}`,
      ];
  const more = dice.several(3, () =>
    dice.pick([
      'content-type: application/json',
      `content-length: ${length}`,
      'transfer-encoding: chunked',
      'connection: close',
      ' folded: x',
      'no colon',
      'x-a:\0b',
      'x-a: b\rc',
      'x-\xe4: 1',
      '__proto__: 1',
      'content-encoding: gzip',
      'content-encoding: identity',
      `x-long: ${'y'.repeat(dice.below(20_000))}`,
      `x: ${hostileText(dice).slice(0, 60)}`,
    ]),
  );
  const fields = dice
    .shuffled([...framing, ...(isOdd ? more : ['content-type: application/json'])])
    .filter(Boolean);
  const end = dice.chance(0.95) ? '\r\n' : dice.pick(['\n', '\r', '\r\r\n']);
  const before = dice.chance(0.1)
    ? dice.pick([
        'HTTP/1.1 100 Continue\r\n\r\n',
        'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n',
        '\r\n',
        ' ',
      ])
    : '';
  const after = dice.chance(0.1) ? dice.pick(['HTTP/1.1 200 OK\r\n\r\n', '\r\n', 'x']) : '';
  const head = [`${version} ${status}`, ...fields, '', ''].join(end);
  const text = `${before}${head}${isChunked ? chunked(dice, body) : body}${after}`;
  return mutate(dice, Buffer.from(text, 'latin1'), 0.2);
}

function pieces(dice: Dice, bytes: Uint8Array): Uint8Array[] {
  const cut: Uint8Array[] = [];
  const isFine = dice.chance(0.3);
  for (let at = 0; at < bytes.length;) {
    const size = 1 + dice.below(isFine ? 2 : dice.pick([4, 2_000]));
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

type Read = (bytes: readonly Uint8Array[]) => Reading | 'refused' | 'incomplete';

/** As the connection uses the reader: the first whole answer counts, what follows is dropped. */
const ours: Read = (parts) => {
  const reader = new AnswerReader(MOST_BYTES);
  try {
    for (const part of parts) {
      reader.add(Buffer.from(part));
      if (reader.isDone) break;
    }
    if (!reader.isDone && !reader.end()) return 'incomplete';
    const { status, body, headers } = reader.response();
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    return { status, body: Buffer.from(body).toString('latin1'), fields: fields.sort().join('\n') };
  } catch (error) {
    if (error instanceof AnswerFault) return 'refused';
    throw error;
  }
};

function nodes(bytes: Uint8Array): Promise<Reading | string> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(),
    });
    const outgoing = request({ createConnection: () => socket, maxHeaderSize: 64 * 1024 });
    let answer: IncomingMessage | undefined;
    // An error after the whole answer is about what followed it.
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (answer?.complete !== true) resolve(error.code ?? error.message);
    });
    outgoing.on('response', (incoming) => {
      answer = incoming;
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      incoming.on('end', () => {
        const fields = Object.entries(incoming.headersDistinct).map(
          ([name, values = []]) => `${name}: ${values.join(', ')}`,
        );
        resolve({
          status: incoming.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('latin1'),
          fields: fields.sort().join('\n'),
        });
      });
    });
    outgoing.end();
    socket.push(Buffer.from(bytes));
    socket.push(null);
  });
}

const DEFECTS: Readonly<Record<string, Read>> = {
  'takes the first of two lengths': (parts) => {
    const text = Buffer.concat(parts).toString('latin1');
    return ours([
      Buffer.from(
        text
          .replace(/(content-length: *\d+), \d+/i, '$1')
          .replace(/(content-length:[^\r]*\r\n[^]*?)content-length:[^\r]*\r\n/i, '$1'),
        'latin1',
      ),
    ]);
  },
  'serves an answer that was cut': (parts) => {
    const read = ours(parts);
    if (read !== 'incomplete') return read;
    const text = Buffer.concat(parts).toString('latin1');
    const [head = '', body] = text.split('\r\n\r\n');
    return body === undefined
      ? read
      : { status: Number(/ (\d{3})/.exec(head)?.[1]), body, fields: '' };
  },
  'reads pieces one by one': (parts) =>
    ours(parts.filter((part) => !/^[\r\n]$/.test(Buffer.from(part).toString('latin1')))),
};

async function attackOnce(dice: Dice, read: Read): Promise<Sight> {
  const bytes = bytesOf(dice);
  const input = inspect(Buffer.from(bytes).toString('latin1'));
  const whole = read([bytes]);
  const cut = read(pieces(dice, bytes));
  if (inspect(whole) !== inspect(cut))
    return { met: 'read', breach: `in pieces: ${inspect(cut)}, whole: ${inspect(whole)}`, input };
  if (typeof whole === 'string') return { met: whole, input };
  // These end with their head; Node takes what follows for the next answer.
  if (whole.status === 204 || whole.status === 304) return { met: 'without a body', input };
  const other = await nodes(bytes);
  const isSame = typeof other !== 'string' && inspect(other) === inspect(whole);
  return {
    met: 'read',
    breach: isSame ? undefined : `ours ${inspect(whole)}, Node's ${inspect(other)}`,
    input,
  };
}

/** HTTP answers as bytes. */
export const wireBytes: Fuzzer = {
  name: 'wire-bytes',
  trials: 3_000,
  fullTrials: 200_000,
  reaches: ['read', 'refused', 'incomplete'],
  defects: Object.keys(DEFECTS),
  open: async (defect): Promise<Door> => ({
    attack: (dice) => attackOnce(dice, defect === undefined ? ours : DEFECTS[defect]!),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};
