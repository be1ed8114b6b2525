import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import { setSabotage } from '../../support/failpoints.ts';

/*
 * What browsers can be made to send, and what two readers of a message could understand differently, against a daemon that listens on TCP. A
 * good key goes along everywhere, so that nothing but the rule under test can refuse.
 */

const start = daemonFixture();

/** Sends bytes as they are. @returns all that comes back until the daemon closes. */
async function raw(test: TestDaemon, message: string): Promise<string> {
  const { hostname, port } = new URL(test.daemon.address ?? '');
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(message);
  return text(socket);
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
}

async function started(): Promise<TestDaemon & { readonly secret: string; readonly port: string }> {
  const test = await start({ listen: '127.0.0.1:0', hosts: ['tokens.example:8443'] });
  await test.world.add('alpha');
  const { port } = new URL(test.daemon.address ?? '');
  return { ...test, secret: await test.key({}), port };
}

const GOOD_HOSTS = [
  '127.0.0.1:PORT',
  'localhost:PORT',
  'LOCALHOST:PORT',
  '[::1]:PORT',
  'tokens.example:8443',
];
const BAD_HOSTS = [
  'evil.example',
  'evil.example:PORT',
  'localhost',
  '127.0.0.1',
  'localhost.:PORT',
  'localhost.evil.example:PORT',
  '2130706433:PORT',
  '0x7f.1:PORT',
  '127.1:PORT',
  '0.0.0.0:PORT',
  '127.0.0.1:1',
  '[::ffff:127.0.0.1]:PORT',
  'tokens.example',
  'tokens.example:PORT',
  'user@localhost:PORT',
  'localhost:PORT@evil.example',
  ' ',
  '',
];
const GOOD_ORIGINS = [undefined, 'http://127.0.0.1:PORT', 'http://localhost:PORT'];
const BAD_ORIGINS = [
  'null',
  'http://evil.example',
  'https://localhost:PORT',
  'http://localhost',
  'http://localhost.evil.example:PORT',
  'http://localhost:PORT.evil.example',
  'file://',
  'http://127.0.0.1:PORT/',
];
const METHODS = ['GET', 'POST', 'DELETE', 'TRACE'];
const COOKIES = [undefined, 'session=whatever'];

interface Case {
  readonly host: string;
  readonly origin: string | undefined;
  readonly method: string;
  readonly cookie: string | undefined;
  readonly isGood: boolean;
}

function cases(): Case[] {
  const all: Case[] = [];
  for (const host of [...GOOD_HOSTS, ...BAD_HOSTS])
    for (const origin of [...GOOD_ORIGINS, ...BAD_ORIGINS])
      for (const method of METHODS)
        for (const cookie of COOKIES) {
          const isGood =
            GOOD_HOSTS.includes(host) && GOOD_ORIGINS.includes(origin) && method === 'GET';
          all.push({ host, origin, method, cookie, isGood });
        }
  return all;
}

describe('host, origin, method and cookie', () => {
  it('let in the exact good ones alone, of 2,000 and more', async () => {
    const test = await started();
    const wrong: unknown[] = [];
    let tried = 0;
    for (const one of cases()) {
      const { host, origin, method, cookie, isGood } = one;
      const put = (value: string): string => value.replace('PORT', test.port);
      const lines = [
        `${method} /v1/connections/alpha/token HTTP/1.1`,
        `Host: ${put(host)}`,
        `Authorization: Bearer ${test.secret}`,
        ...(origin === undefined ? [] : [`Origin: ${put(origin)}`]),
        ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
        'Connection: close',
      ];
      const answer = await raw(test, `${lines.join('\r\n')}\r\n\r\n`);
      const isIn = statusOf(answer) === 200 && answer.includes('accessToken');
      const isOut = statusOf(answer) >= 400 && !answer.includes('accessToken');
      if (isGood ? !isIn : !isOut) wrong.push({ ...one, status: statusOf(answer) });
      tried++;
    }
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThanOrEqual(200);
  }, 180_000);

  it.each(['cross-site', 'same-site', 'anything'])(
    'and a fetch that is %s is refused',
    async (site) => {
      const { ask, secret } = await started();
      const headers = { 'sec-fetch-site': site };
      expect((await ask('/v1/connections', { tcp: true, key: secret, headers })).status).toBe(403);
    },
  );

  it('and this notices when the names are not checked', async () => {
    const { ask, secret } = await started();
    const headers = { host: 'evil.example' };
    setSabotage('daemon-host-check', true);
    const answer = await ask('/v1/connections', { tcp: true, key: secret, headers });
    setSabotage('daemon-host-check', false);
    expect(answer.status).toBe(200);
  });

  it('and this notices when the origin is not checked', async () => {
    const { ask, secret } = await started();
    const headers = { origin: 'http://evil.example' };
    setSabotage('origin-check', true);
    const answer = await ask('/v1/connections', { tcp: true, key: secret, headers });
    setSabotage('origin-check', false);
    expect(answer.status).toBe(200);
  });
});

describe('messages that two readers could understand differently', () => {
  const inner =
    'GET /v1/connections/alpha/token HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer KEY\r\n\r\n';

  it.each([
    [
      'a GET with chunks',
      'GET /healthz HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a GET with a length',
      `GET /healthz HTTP/1.1\r\nHost: HOST\r\nContent-Length: ${inner.length}\r\n\r\n`,
    ],
    [
      'length and chunks',
      'POST /v1/refresh-due HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two lengths',
      'POST /v1/refresh-due HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n',
    ],
    [
      'an odd coding',
      'POST /v1/refresh-due HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two codings',
      'POST /v1/refresh-due HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two hosts', 'GET /healthz HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n\r\n'],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['an absolute target', 'GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: HOST\r\n\r\n'],
    ['two slashes', 'GET //evil.example/healthz HTTP/1.1\r\nHost: HOST\r\n\r\n'],
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n'],
    [
      'an upgrade',
      'GET /healthz HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    ],
    ['a folded field', 'GET /healthz HTTP/1.1\r\nHost: HOST\r\nX-A: b\r\n c\r\n\r\n'],
    ['a bare line feed', 'GET /healthz HTTP/1.1\nHost: HOST\n\n'],
    ['a space before the colon', 'GET /healthz HTTP/1.1\r\nHost : HOST\r\n\r\n'],
    [
      'a POST that nobody reads',
      'POST /healthz HTTP/1.1\r\nHost: HOST\r\nContent-Length: 9999\r\n\r\n',
    ],
  ])('%s: refused, and nothing behind it is believed', async (_, message) => {
    const test = await started();
    const fill = (part: string): string =>
      part.replaceAll('HOST', `127.0.0.1:${test.port}`).replaceAll('KEY', test.secret);
    const answer = await raw(test, fill(message) + fill(inner));
    expect(answer).not.toContain('accessToken');
    expect(answer).not.toContain('200 OK');
  });

  it('a GET with a body behind it gets through when that is not checked, so this would notice', async () => {
    const test = await started();
    const host = `127.0.0.1:${test.port}`;
    setSabotage('bodiless', true);
    const answer = await raw(
      test,
      `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    setSabotage('bodiless', false);
    expect(answer).toContain('200 OK');
  });

  it('bodies that are no JSON, too long or of another type are refused', async () => {
    const { ask } = await started();
    const post = (headers: Record<string, string>, body: unknown): ReturnType<typeof ask> =>
      ask('/v1/refresh-due', { method: 'POST', body, headers });
    expect((await post({ 'content-type': 'text/plain' }, {})).status).toBe(415);
    expect((await post({ 'content-type': 'application/x-www-form-urlencoded' }, {})).status).toBe(
      415,
    );
    expect((await post({}, { long: 'x'.repeat(70_000) })).status).toBe(413);
    expect((await post({}, [])).status).toBe(400);
  });
});
