import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setSabotage } from '../../support/failpoints.ts';
import { KEY, startFront, TOKEN, type Front } from '../../support/proxy-front.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';

/*
 * Header fields through the proxy, both ways, byte by byte: what a caller sends and what an API answers. The judge has its own list of what must
 * not pass and its own reader of HTTP, which knows one way to write each message.
 */

type Field = readonly [name: string, value: string];

/** What belongs to one connection, to the caller's own door, or to the way that a message took. */
const NOT_UP =
  /^(?:connection|keep-alive|proxy-connection|proxy-auth.*|te|trailers?|transfer-encoding|upgrade|http2-settings|content-length|host|expect|max-forwards|authorization|cookie2?|forwarded|via|proxy|x-(?:forwarded|original-).*|x-(?:real-ip|client-ip|cluster-client-ip|host|http-host-override|rewrite-url)|(?:client|fastly-client|true-client)-ip|cf-.*|sec-fetch-.*|x-evergrant-.*|ocp-apim-subscription-key|tid)$/;
const NOT_DOWN =
  /^(?:connection|keep-alive|proxy-connection|proxy-auth.*|te|trailers?|transfer-encoding|upgrade|http2-settings|content-length|expect|location|set-cookie2?|access-control-.*|cross-origin-.*|x-accel-.*|x-sendfile|refresh|alt-svc|clear-site-data|strict-transport-security|service-worker-allowed|content-security-policy(?:-report-only)?|referrer-policy|x-content-type-options|x-frame-options|nel|report-to|reporting-endpoints|public-key-pins(?:-report-only)?)$/;

const NAMES = [
  ...['Connection', 'connection', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'TE'],
  ...['Trailer', 'Upgrade', 'HTTP2-Settings', 'Expect', 'Max-Forwards', 'Authorization', 'Cookie'],
  ...['Forwarded', 'Via', 'X-Forwarded-For', 'X_Forwarded_Proto', 'x-real_ip', 'X-Original-URL'],
  ...['CF-Ray', 'Sec-Fetch-Site', 'X-Evergrant-Key', 'ocp-apim-subscription-key', 'TID', 'Accept'],
  ...['Transfer-Encoding', 'Content-Length', 'Host', 'Set-Cookie', 'Access-Control-Allow-Origin'],
  ...['Content-Type', 'ETag', 'Link', 'X-Own', 'x_own', 'X-Accel-Redirect', 'Refresh', 'Alt-Svc'],
  ...['WWW-Authenticate', 'Retry-After', 'Proxy-Authenticate', 'Cross-Origin-Opener-Policy', 'A'],
];
const TEXTS = [
  '',
  'a',
  'close',
  'keep-alive',
  'x-own',
  'X-Own, a ,etag',
  'te',
  '100-continue',
  '0',
  '5',
];
const BAIT =
  'HTTP/1.1 200 OK\r\nX-Smuggled: 1\r\nContent-Length: 0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n';

function textOf(dice: Dice): string {
  const bytes = (): string => Buffer.from(dice.bytes(dice.below(12))).toString('latin1');
  const injected = (): string =>
    `a${dice.pick(['\r\n', '\n', '\r', '\0', '\r\n ', '\n\t', '\x85', '\u000b'])}X-Smuggled: 1`;
  const sane = (): string => bytes().replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
  if (dice.chance(0.05)) return injected();
  if (dice.chance(0.05)) return bytes();
  if (dice.chance(0.02)) return 'a'.repeat(dice.below(3_000));
  return dice.chance(0.4) ? sane() : dice.pick(TEXTS);
}

function nameOf(dice: Dice): string {
  if (dice.chance(0.03)) return Buffer.from(dice.bytes(1 + dice.below(6))).toString('latin1');
  const name = dice.pick(NAMES);
  if (dice.chance(0.1)) return name.replaceAll('-', '_');
  return dice.chance(0.02) ? name + dice.pick([' ', '\t', '\0', ':']) : name;
}

/** Most fields are such as may pass: else nearly every message would be refused. */
function fieldsOf(dice: Dice, cut: RegExp): Field[] {
  const framing = /^(?:transfer.encoding|content.length|host|upgrade|expect)/i;
  return dice
    .several(8, (): Field => [nameOf(dice), textOf(dice)])
    .filter(([name]) => !framing.test(name) || dice.chance(0.05))
    .filter(([name]) => !name.includes('smuggle') && (!cut.test(name) || dice.chance(0.8)));
}

const write = (fields: readonly Field[]): string =>
  fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');

interface Message {
  readonly start: string;
  readonly fields: readonly Field[];
  readonly body: string;
  /** What follows. */
  readonly rest: string;
}

/** Reads one message strictly; undefined while it is incomplete, an error for what nobody should have written. */
function readMessage(bytes: string): Message | Error | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [start = '', ...lines] = bytes.slice(0, end).split('\r\n');
  const fields: Field[] = [];
  for (const line of lines) {
    const [, name, value] =
      /^([\w!#$%&'*+.^`|~-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      return new Error(`a line ${JSON.stringify(line)}`);
    fields.push([name, trimmed(value)]);
  }
  const after = bytes.slice(end + 4);
  const get = (name: string): string[] =>
    fields.flatMap(([each, value]) => (each.toLowerCase() === name ? [value] : []));
  const [lengths, codings] = [get('content-length'), get('transfer-encoding')];
  if (lengths.length + codings.length > 1) return new Error('its length is told twice');
  if (codings.length > 0) return readChunks({ start, fields }, after);
  const length = /^HTTP\/1\.1 (?:1\d\d|204|304)/.test(start) ? 0 : Number(lengths[0] ?? 0);
  if (after.length < length) return undefined;
  return { start, fields, body: after.slice(0, length), rest: after.slice(length) };
}

function readChunks(
  head: Pick<Message, 'start' | 'fields'>,
  bytes: string,
): Message | Error | undefined {
  let [body, rest] = ['', bytes];
  for (;;) {
    const [line, size = ''] = /^([0-9a-f]+)\r\n/i.exec(rest) ?? [];
    if (line === undefined) return rest.length < 10 ? undefined : new Error('a broken chunk');
    const from = line.length;
    const to = from + Number.parseInt(size, 16);
    if (rest.length < to + 2) return undefined;
    if (rest.slice(to, to + 2) !== '\r\n') return new Error('a chunk of another length');
    body += rest.slice(from, to);
    rest = rest.slice(to + 2);
    if (to === from) return { ...head, body, rest };
  }
}

/** Fields as they stand on the wire, where a value may have begun another line. */
function onWire(fields: readonly Field[]): Field[] {
  const lines = write(fields).split('\r\n').slice(0, -1);
  return lines.map((line): Field => {
    const [, name = '', value = ''] = /^([^:]*):?(.*)$/s.exec(line) ?? [];
    return [name, value];
  });
}

/** What must arrive of some fields, whatever their order. */
function expected(fields: readonly Field[], hidden: RegExp): string[] {
  const named = new Set(
    fields
      .filter(([name]) => /^connection$/i.test(name))
      .flatMap(([, value]) => value.split(','))
      .map((name) => canonical(name.trim())),
  );
  return fields
    .filter(([name]) => !hidden.test(canonical(name)) && !named.has(canonical(name)))
    .map(([name, value]) => `${name.toLowerCase()}: ${trimmed(value)}`)
    .sort();
}

const canonical = (name: string): string => name.toLowerCase().replaceAll('_', '-');
const trimmed = (value: string): string => value.replace(/^[\t ]+|[\t ]+$/g, '');

function without(fields: readonly Field[], ours: RegExp): string[] {
  return fields
    .filter(([name, value]) => !ours.test(`${name}: ${value}`))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .sort();
}

const OURS_UP = new RegExp(
  `^(?:host: 127\\.0\\.0\\.1:\\d+|connection: (?:keep-alive|close)|content-length: \\d+|authorization: Bearer ${TOKEN}\\d+|Ocp-Apim-Subscription-Key: ${KEY}|tid: in-1)$`,
);
const OURS_DOWN =
  /^(?:connection: (?:keep-alive|close)|keep-alive: .*|transfer-encoding: chunked|content-length: \d+|date: .*|content-security-policy: sandbox; .*|cross-origin-resource-policy: same-origin|referrer-policy: no-referrer|x-content-type-options: nosniff)$/i;

interface Script {
  readonly method: string;
  readonly up: readonly Field[];
  readonly body: string;
  readonly answers: readonly {
    readonly down: readonly Field[];
    readonly body: string;
    readonly bytes: string;
  }[];
}

function scriptOf(dice: Dice): Script {
  const method = dice.pick(['GET', 'POST', 'PUT', 'DELETE']);
  const body = method === 'GET' ? '' : dice.pick(['', 'x', BAIT]);
  const answers = [0, 1].map(() => {
    const down = fieldsOf(dice, /^(?:retry.after)$/i);
    const status = dice.pick([200, 200, 200, 201, 204, 301, 304, 400, 401, 403, 500]);
    const sent = status === 204 || status === 304 ? '' : dice.pick(['', 'y', BAIT]);
    const framed = dice.pick([
      `Content-Length: ${sent.length}\r\n\r\n${sent}`,
      sent === ''
        ? 'Content-Length: 0\r\n\r\n'
        : `Transfer-Encoding: chunked\r\n\r\n${sent.length.toString(16)}\r\n${sent}\r\n0\r\n\r\n`,
    ]);
    const early = dice.chance(0.1)
      ? `HTTP/1.1 103 Early\r\n${write(fieldsOf(dice, /^$/))}\r\n`
      : '';
    return {
      down: onWire(down),
      body: sent,
      bytes: `${early}HTTP/1.1 ${status} A\r\nConnection: close\r\n${write(down)}${framed}`,
    };
  });
  return { method, up: fieldsOf(dice, /^$/), body, answers };
}

interface Api {
  readonly server: Server;
  readonly port: number;
  /** Bytes of each connection since the script began. */
  received: string[];
  answers: Script['answers'];
  asked: number;
}

async function startApi(): Promise<Api> {
  const server = createServer((socket) => {
    const at = api.received.push('') - 1;
    const { received } = api;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received[at] = (received[at] ?? '') + chunk.toString('latin1');
      if (readMessage(received[at]) === undefined) return;
      const answer = api.answers[Math.min(api.asked++, api.answers.length - 1)];
      socket.end(answer?.bytes ?? '', 'latin1');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const api: Api = { server, port, received: [], answers: [], asked: 0 };
  return api;
}

async function attackOnce(dice: Dice, front: Front, api: Api): Promise<Sight> {
  const script = scriptOf(dice);
  Object.assign(api, { received: [], answers: script.answers, asked: 0 });
  front.faults.length = 0;
  const length = script.body === '' ? '' : `Content-Length: ${script.body.length}\r\n`;
  const head = `${script.method} /proxy/it/a HTTP/1.1\r\nHost: localhost\r\n`;
  const received = await exchange(
    front.port,
    `${head}${write(script.up)}${length}\r\n${script.body}`,
    isCutShort(script),
  );
  const input = JSON.stringify(script);
  const { met, breach } = judgeDown(received, script, api.asked);
  return { met, breach: breach ?? judgeUp(api.received, script) ?? faultOf(front), input };
}

/** Whether a body is announced that never comes: whoever waits for it would wait for ever, so the caller goes away. */
function isCutShort({ up, body }: Script): boolean {
  return onWire(up).some(
    ([name, value]) => /^content-length$/i.test(name) && Number(value) > body.length,
  );
}

function faultOf(front: Front): string | undefined {
  return front.faults.length === 0 ? undefined : `a fault: ${String(front.faults[0])}`;
}

/** Sends bytes; resolves with all that comes until a final answer is there or the other side closes. */
function exchange(port: number, bytes: string, isCut: boolean): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const message = readMessage(received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''));
      // What was smuggled comes at once, if it comes.
      if (message !== undefined) setImmediate(() => setImmediate(() => socket.destroy()));
    });
    socket.write(bytes, 'latin1');
    if (isCut) socket.end();
  });
}

function judgeUp(received: readonly string[], script: Script): string | undefined {
  const up = onWire(script.up);
  const wanted = expected(
    up.some(([name]) => canonical(name) === 'accept' && !isNamed(up, 'accept'))
      ? up
      : [...up, ['accept', 'application/json']],
    NOT_UP,
  );
  if (isNamed(up, 'accept') && !wanted.includes('accept: application/json'))
    wanted.push('accept: application/json');
  if (received.filter((bytes) => bytes !== '').length > 2) return 'more than two requests arrived';
  for (const bytes of received) {
    const message = readMessage(bytes);
    if (message instanceof Error) return `the API got ${message.message}`;
    if (message === undefined) continue;
    const { start, fields, body, rest } = message;
    if (start !== `${script.method} /a HTTP/1.1`) return `the API got ${start}`;
    if (rest !== '') return 'the API got more than one message on a connection';
    if (body !== script.body) return 'the API got another body';
    if (fields.filter(([name]) => /^authorization$/i.test(name)).length !== 1)
      return 'the API did not get one authorization';
    const got = without(fields, OURS_UP).join('\n');
    if (got !== wanted.sort().join('\n')) return `the API got ${got} for ${wanted.join('\n')}`;
  }
  return undefined;
}

function isNamed(fields: readonly Field[], name: string): boolean {
  return fields.some(
    ([each, value]) =>
      /^connection$/i.test(each) && value.split(',').some((one) => canonical(one.trim()) === name),
  );
}

function judgeDown(
  received: string,
  { answers }: Script,
  asked: number,
): { readonly met: string; readonly breach?: string | undefined } {
  const message = readMessage(received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''));
  // Node's own parser closes without a word where it cannot even answer.
  if (message === undefined)
    return { met: 'closed', breach: received === '' ? undefined : 'half an answer' };
  if (message instanceof Error)
    return { met: 'broken', breach: `the caller got ${message.message}` };
  const { start, fields, body, rest } = message;
  const status = start.slice(9, 12);
  if (rest !== '') return { met: status, breach: 'the caller got more than one message' };
  if (received.includes(TOKEN) || received.includes(KEY))
    return { met: status, breach: 'a secret' };
  const isOurs = body.includes('"type":"urn:evergrant:') || (body === '' && asked === 0);
  if (isOurs) return { met: asked === 0 ? 'refused' : `problem ${status}` };
  const given = answers.find(
    (answer) =>
      answer.body === body &&
      expected(answer.down, NOT_DOWN).join('\n') === without(fields, OURS_DOWN).join('\n'),
  );
  const got = without(fields, OURS_DOWN).join('\n');
  const breach = given === undefined ? `the caller got ${status} with ${got}` : undefined;
  return { met: `status ${status}`, breach };
}

const DEFECT = 'passes on what belongs to one connection';

/** Fields through the proxy. */
export const proxyFields: Fuzzer = {
  name: 'proxy-fields',
  trials: 5_000,
  fullTrials: 100_000,
  reaches: ['status 200', 'status 401', 'status 403', 'status 304', 'refused', 'problem 502'],
  defects: [DEFECT],
  async open(defect): Promise<Door> {
    const api = await startApi();
    const front = await startFront({ origins: [`http://127.0.0.1:${String(api.port)}`] });
    if (defect !== undefined) setSabotage('hop-by-hop', true);
    return {
      attack: (dice) => attackOnce(dice, front, api),
      async [Symbol.asyncDispose]() {
        setSabotage('hop-by-hop', false);
        await front[Symbol.asyncDispose]();
        api.server.close();
      },
    };
  },
};
