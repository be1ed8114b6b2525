/*
 * Ways to make the proxy lead elsewhere than it may, as requests. `API` and `ELSEWHERE` stand for the ports of the API and of a listener that
 * nothing may reach; the API is http://127.0.0.1:API.
 */

/** A request that must not lead anywhere. */
export interface OpenProxyCase {
  /** What is tried. */
  readonly what: string;
  /** The bytes. */
  readonly bytes: string;
  /** Whether a reader may take it for a harmless call of the API, as long as nothing else arrives there. */
  readonly mayPass: boolean;
}

const HEAD = 'Host: localhost\r\n';

function line(method: string, target: string, more = ''): string {
  return `${method} ${target} HTTP/1.1\r\n${HEAD}${more}Connection: close\r\n\r\n`;
}

/** Targets that are no path on this server. */
const FORMS: readonly (readonly [string, string])[] = [
  ['GET', 'http://127.0.0.1:ELSEWHERE/'],
  ['GET', 'http://127.0.0.1:API/a'],
  ['GET', 'HTTP://127.0.0.1:ELSEWHERE/'],
  ['GET', 'https://127.0.0.1:ELSEWHERE/'],
  ['GET', 'http://localhost/proxy/it/a'],
  ['GET', 'http://user:pw@127.0.0.1:ELSEWHERE/'],
  ['GET', 'http://localhost@127.0.0.1:ELSEWHERE/proxy/it/a'],
  ['POST', 'http://127.0.0.1:ELSEWHERE/'],
  ['GET', '//127.0.0.1:ELSEWHERE/'],
  ['GET', '///127.0.0.1:ELSEWHERE/'],
  ['GET', '/\\127.0.0.1:ELSEWHERE/'],
  ['GET', '\\\\127.0.0.1:ELSEWHERE/'],
  ['GET', '127.0.0.1:ELSEWHERE'],
  ['GET', '@127.0.0.1:ELSEWHERE/'],
  ['GET', ':ELSEWHERE/'],
  ['GET', 'proxy/it/a'],
  ['GET', '*'],
  ['OPTIONS', '*'],
  ['CONNECT', '127.0.0.1:ELSEWHERE'],
  ['CONNECT', 'localhost:ELSEWHERE'],
  ['CONNECT', '[::1]:ELSEWHERE'],
  ['CONNECT', '127.0.0.1:API'],
  ['CONNECT', '/proxy/it/http://127.0.0.1:ELSEWHERE'],
  ['CONNECT', 'http://127.0.0.1:ELSEWHERE/'],
  ['TRACE', '/proxy/it/a'],
  ['TRACK', '/proxy/it/a'],
  ['PRI', '/proxy/it/a'],
  ['get', '/proxy/it/a'],
  ['GET', '/proxy'],
  ['GET', '/proxy/'],
  ['GET', '/proxy/it'],
  ['GET', '/proxy//a'],
  ['GET', '/PROXY/it/a'],
  ['GET', '/%70roxy/it/a'],
  ['GET', '/./proxy/it/a'],
  ['GET', '/x/../proxy/it/a'],
  ['GET', '/proxy/other/a'],
  ['GET', '/proxy/it%2fa/b'],
  ['GET', '/proxy/../it/a'],
  ['GET', '/proxy/%2e%2e/it/a'],
  ['GET', '/proxy/it%00/a'],
  ['GET', '/proxy/it%zz/a'],
  ['GET', '/proxy/it?/a'],
  ['GET', '/proxy/it/a#b'],
  ['GET', `/proxy/it/${'a'.repeat(9_000)}`],
];

/** Hosts besides the API's, and spellings of it that a parser would mend. */
const HOSTS: readonly string[] = [
  '127.0.0.1:ELSEWHERE',
  'localhost:ELSEWHERE',
  'localhost:API',
  'LOCALHOST:API',
  '[::1]:ELSEWHERE',
  '[::ffff:127.0.0.1]:ELSEWHERE',
  '[::ffff:7f00:1]:API',
  '[0:0:0:0:0:0:0:1]:ELSEWHERE',
  '[fe80::1%25lo]:ELSEWHERE',
  '2130706433:ELSEWHERE',
  '2130706433:API',
  '0x7f000001:API',
  '0x7f.1:API',
  '017700000001:API',
  '0177.0.0.1:API',
  '127.1:API',
  '127.0.1:API',
  '127.000.000.001:API',
  '127.0.0.1.:API',
  '127.0.0.1:API.',
  '127.0.0.1:0API',
  '127.0.0.1:+API',
  '0:ELSEWHERE',
  '0.0.0.0:ELSEWHERE',
  '0.0.0.0:API',
  '127.0.0.2:API',
  '10.0.0.1',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '100.100.100.200',
  'metadata.google.internal',
  '127.0.0.1:API@127.0.0.1:ELSEWHERE',
  'user@127.0.0.1:API',
  'user:pw@127.0.0.1:API',
  '@127.0.0.1:API',
  ':@127.0.0.1:API',
  '127.0.0.1%3aAPI@127.0.0.1:ELSEWHERE',
  '127.0.0.1:ELSEWHERE%23@127.0.0.1:API',
  '127.0.0.1:ELSEWHERE%2f@127.0.0.1:API',
  '127.0.0.1:ELSEWHERE\\@127.0.0.1:API',
  '127.0.0.1:ELSEWHERE;@127.0.0.1:API',
  '127.0.0.1:API.example.com',
  '127.0.0.1:API,127.0.0.1:ELSEWHERE',
  '%31%32%37.0.0.1:API',
  '127%2e0%2e0%2e1:API',
  '127.0.0.1%00:API',
  '127.0.0.1%09:API',
  '127.0.0.1%0d%0a:API',
  '127.0.0.1%20:API',
  '%E2%91%A0%E2%91%A1%E2%91%A6.0.0.1:API',
  '127%E3%80%820%E3%80%820%E3%80%821:API',
  '127%EF%BC%8E0%EF%BC%8E0%EF%BC%8E1:API',
  '127.0.0.1:API\\',
  '127.0.0.1\\:API',
  '',
  ':API',
  '.:API',
  '127.0.0.1:',
  '127.0.0.1:99999',
  'example.com',
];

const SCHEMES = ['http://', 'https://'];

/** Schemes and slashes that a parser could read as an address. */
const PREFIXES: readonly string[] = [
  'ftp://127.0.0.1:ELSEWHERE/',
  'file:///etc/passwd',
  'gopher://127.0.0.1:ELSEWHERE/',
  'ws://127.0.0.1:ELSEWHERE/',
  'blob:http://127.0.0.1:API/x',
  'view-source:http://127.0.0.1:ELSEWHERE/',
  'HTTP://127.0.0.1:ELSEWHERE/',
  'Https://127.0.0.1:ELSEWHERE/',
  'http:///127.0.0.1:ELSEWHERE/',
  'http:\\\\127.0.0.1:ELSEWHERE/',
  'http%3a//127.0.0.1:ELSEWHERE/',
  'http%3A%2F%2F127.0.0.1:ELSEWHERE/',
  'http:%2f%2f127.0.0.1:ELSEWHERE/',
  '/127.0.0.1:ELSEWHERE/',
  '//127.0.0.1:ELSEWHERE/',
  '\\127.0.0.1:ELSEWHERE/',
  '/http://127.0.0.1:ELSEWHERE/',
  '%2f%2f127.0.0.1:ELSEWHERE/',
  '%5c%5c127.0.0.1:ELSEWHERE/',
  '%09//127.0.0.1:ELSEWHERE/',
];

/** Segments that some server takes for a step up, a slash, or an end. */
const SEGMENTS: readonly string[] = [
  '.',
  '..',
  '%2e',
  '%2e%2e',
  '%2E%2E',
  '.%2e',
  '%2e.',
  '..%2f',
  '..%5c',
  '..\\',
  '..;',
  '..;a=b',
  '.;',
  '%2e%2e;',
  '..%3b',
  '..%20',
  '%20..',
  '..%09',
  '%2f',
  'a%2Fb',
  '%5c',
  'a%5Cb',
  '\\',
  'a\\b',
  '%252e%252e',
  '%252f',
  '%255c',
  '%25252e',
  '%25%32%65',
  '%25%32%66',
  '%2%65',
  '%c0%ae%c0%ae',
  '%c0%af',
  '%c1%9c',
  '%e0%80%ae',
  '%f0%80%80%ae',
  '%EF%BC%8E%EF%BC%8E',
  '%EF%BC%8F',
  '%EF%BC%BC',
  '%E2%80%A5',
  '%E2%80%A4%E2%80%A4',
  '%EF%B9%A8',
  '%E2%84%80',
  '%u002e',
  '%00',
  '..%00',
  'a%00b',
  '%0a',
  '%0d%0aX:y',
  '%7f',
  '%C2%85',
  '%ff',
  '%',
  '%2',
  '%zz',
  '"',
  '<',
  '>',
  '^',
  '`',
  '{a}',
  '|',
];

/** Where a bad segment stands. */
const PLACES: readonly ((segment: string) => string)[] = [
  (segment) => `${segment}/b`,
  (segment) => `a/${segment}`,
  (segment) => `http://127.0.0.1:API/a/${segment}/b`,
];

function headers(fields: string, body = ''): string {
  return `POST /proxy/it/a HTTP/1.1\r\n${HEAD}${fields}\r\n\r\n${body}`;
}

const SMUGGLED = 'GET /proxy/it/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
const CHUNKED = '0\r\n\r\n';

/** Messages that two readers could cut in different places. */
const CUTS: readonly (readonly [what: string, bytes: string])[] = [
  ['both lengths', headers(`Content-Length: 4\r\nTransfer-Encoding: chunked`, CHUNKED + SMUGGLED)],
  [
    'both lengths, turned',
    headers(`Transfer-Encoding: chunked\r\nContent-Length: 4`, CHUNKED + SMUGGLED),
  ],
  ['two lengths', headers(`Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}`, SMUGGLED)],
  ['two lengths alike', headers('Content-Length: 0\r\nContent-Length: 0', SMUGGLED)],
  ['a list of lengths', headers('Content-Length: 0, 0', SMUGGLED)],
  ['a signed length', headers('Content-Length: +0', SMUGGLED)],
  ['a negative length', headers('Content-Length: -1', SMUGGLED)],
  ['a length in hex', headers('Content-Length: 0x0', SMUGGLED)],
  ['a length with a space', headers('Content-Length: 0 0', SMUGGLED)],
  ['an empty length', headers('Content-Length: ', SMUGGLED)],
  ['a length with a NUL', headers('Content-Length: 0\0', SMUGGLED)],
  ['a huge length', headers('Content-Length: 99999999999999999999999', SMUGGLED)],
  ['a space before the colon', headers('Transfer-Encoding : chunked', CHUNKED + SMUGGLED)],
  ['a length with a space before the colon', headers('Content-Length : 0', SMUGGLED)],
  ['a folded coding', headers('Transfer-Encoding:\r\n chunked', CHUNKED + SMUGGLED)],
  ['a folded field', headers('X: a\r\n b\r\nContent-Length: 0', SMUGGLED)],
  ['a folded field by tab', headers('X: a\r\n\tb\r\nContent-Length: 0', SMUGGLED)],
  ['another coding', headers('Transfer-Encoding: xchunked', CHUNKED + SMUGGLED)],
  ['the identity coding', headers('Transfer-Encoding: identity', SMUGGLED)],
  ['chunked and identity', headers('Transfer-Encoding: chunked, identity', CHUNKED + SMUGGLED)],
  ['identity and chunked', headers('Transfer-Encoding: identity, chunked', CHUNKED + SMUGGLED)],
  ['gzip and chunked', headers('Transfer-Encoding: gzip, chunked', CHUNKED + SMUGGLED)],
  ['chunked twice', headers('Transfer-Encoding: chunked, chunked', CHUNKED + SMUGGLED)],
  [
    'chunked in two fields',
    headers('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', CHUNKED + SMUGGLED),
  ],
  [
    'chunked and something',
    headers('Transfer-Encoding: chunked\r\nTransfer-Encoding: x', CHUNKED + SMUGGLED),
  ],
  ['a quoted coding', headers('Transfer-Encoding: "chunked"', CHUNKED + SMUGGLED)],
  ['a coding with a parameter', headers('Transfer-Encoding: chunked;x', CHUNKED + SMUGGLED)],
  ['a coding behind a vertical tab', headers('Transfer-Encoding:\x0bchunked', CHUNKED + SMUGGLED)],
  ['an empty coding', headers('Transfer-Encoding: ', SMUGGLED)],
  ['bare line feeds', headers('Content-Length: 0', SMUGGLED).replaceAll('\r\n', '\n')],
  ['a bare line feed between fields', headers('X: y\nContent-Length: 0', SMUGGLED)],
  ['a bare carriage return', headers('X: y\rContent-Length: 0', SMUGGLED)],
  ['a NUL in a value', headers('X: y\0\r\nContent-Length: 0', SMUGGLED)],
  ['a NUL in a name', headers('X\0: y\r\nContent-Length: 0', SMUGGLED)],
  ['a space in a name', headers('X Y: z\r\nContent-Length: 0', SMUGGLED)],
  ['a field without a colon', headers('XY\r\nContent-Length: 0', SMUGGLED)],
  ['an empty name', headers(': x\r\nContent-Length: 0', SMUGGLED)],
  [
    'a space before the first field',
    `POST /proxy/it/a HTTP/1.1\r\n Host: localhost\r\n\r\n${SMUGGLED}`,
  ],
  ['no host', `GET /proxy/it/a HTTP/1.1\r\nX: y\r\n\r\n${SMUGGLED}`],
  ['two hosts', `GET /proxy/it/a HTTP/1.1\r\n${HEAD}Host: 127.0.0.1:ELSEWHERE\r\n\r\n`],
  ['another host', 'GET /proxy/it/a HTTP/1.1\r\nHost: 127.0.0.1:ELSEWHERE\r\n\r\n'],
  [
    'a host with credentials',
    'GET /proxy/it/a HTTP/1.1\r\nHost: localhost@127.0.0.1:ELSEWHERE\r\n\r\n',
  ],
  ['HTTP/0.9', 'GET /proxy/it/a\r\n\r\n'],
  ['HTTP/2.0', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
  ['HTTP/1.2', `GET /proxy/it/a HTTP/1.2\r\n${HEAD}\r\n`],
  ['HTTP/9', `GET /proxy/it/a HTTP/9\r\n${HEAD}\r\n`],
  ['a space in the target', `GET /proxy/it/a b HTTP/1.1\r\n${HEAD}\r\n`],
  ['a tab in the target', `GET /proxy/it/a\tHTTP/1.1\r\n${HEAD}\r\n`],
  ['a bare LF in the target', `GET /proxy/it/a\nX: y HTTP/1.1\r\n${HEAD}\r\n`],
  ['latin1 in the target', `GET /proxy/it/\xe4 HTTP/1.1\r\n${HEAD}\r\n`],
  [
    'a chunked GET',
    `GET /proxy/it/a HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${CHUNKED}${SMUGGLED}`,
  ],
  [
    'a GET with a body',
    `GET /proxy/it/a HTTP/1.1\r\n${HEAD}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a HEAD with a body',
    `HEAD /proxy/it/a HTTP/1.1\r\n${HEAD}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  ['an upgrade', line('GET', '/proxy/it/a', 'Upgrade: websocket\r\nConnection: Upgrade\r\n')],
  [
    'an upgrade to h2c',
    line('GET', '/proxy/it/a', 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n'),
  ],
  ['an expectation', headers('Expect: 200-ok\r\nContent-Length: 0')],
  [
    'another method by a field',
    line('POST', '/proxy/it/a', 'X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n'),
  ],
  [
    'another method by another field',
    line('POST', '/proxy/it/a', 'X_Method_Override: DELETE\r\nContent-Length: 0\r\n'),
  ],
];

/** Bodies in chunks of which the size can be read in two ways. */
const CHUNKS: readonly string[] = [
  '0x5\r\nhello\r\n0\r\n\r\n',
  '+5\r\nhello\r\n0\r\n\r\n',
  '-5\r\nhello\r\n0\r\n\r\n',
  ' 5\r\nhello\r\n0\r\n\r\n',
  '5\nhello\r\n0\r\n\r\n',
  '5\r\nhello0\r\n\r\n',
  '5\r\nhello\n0\r\n\r\n',
  '5\rhello\r\n0\r\n\r\n',
  '5;a\nb\r\nhello\r\n0\r\n\r\n',
  '5;a\rb\r\nhello\r\n0\r\n\r\n',
  'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  '5g\r\nhello\r\n0\r\n\r\n',
  '\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello!\r\n0\r\n\r\n',
].map((body) => body + SMUGGLED);

/** What a resolver may say of a name whose origin is on the list. */
export const REBINDINGS: readonly (readonly string[])[] = [
  ['127.0.0.1'],
  ['127.8.8.8'],
  ['0.0.0.0'],
  ['10.0.0.1'],
  ['100.64.0.1'],
  ['169.254.169.254'],
  ['172.16.0.1'],
  ['172.31.255.255'],
  ['192.0.0.1'],
  ['192.168.1.1'],
  ['198.18.0.1'],
  ['224.0.0.1'],
  ['240.0.0.1'],
  ['255.255.255.255'],
  ['::1'],
  ['::'],
  ['::ffff:127.0.0.1'],
  ['::ffff:a9fe:a9fe'],
  ['::127.0.0.1'],
  ['64:ff9b::7f00:1'],
  ['64:ff9b:1::1'],
  ['2002:7f00:1::'],
  ['2001::1'],
  ['fc00::1'],
  ['fd00:ec2::254'],
  ['fe80::1'],
  ['ff02::1'],
  ['8.8.8.8', '127.0.0.1'],
  ['127.0.0.1', '8.8.8.8'],
  ['2606:4700::1111', '::1'],
  ['not an address'],
  [],
];

/** All of them. */
export const OPEN_PROXY_CASES: readonly OpenProxyCase[] = [
  ...FORMS.map(([method, target]) =>
    refused(`${method} ${target.slice(0, 80)}`, line(method, target)),
  ),
  ...HOSTS.flatMap((host) =>
    SCHEMES.map((scheme) => {
      const target = `/proxy/it/${scheme}${host}/a`;
      return refused(target, line('GET', target));
    }),
  ),
  ...PREFIXES.map((prefix) => refused(prefix, line('GET', `/proxy/it/${prefix}`))),
  ...SEGMENTS.flatMap((segment) =>
    PLACES.map((place) => {
      const target = `/proxy/it/${place(segment)}`;
      return refused(target, line('GET', target));
    }),
  ),
  ...CUTS.map(([what, bytes]) => ({ what, bytes, mayPass: true })),
  ...CHUNKS.map((body) => ({
    what: `chunks ${JSON.stringify(body.slice(0, 20))}`,
    bytes: headers('Transfer-Encoding: chunked', body),
    mayPass: true,
  })),
];

function refused(what: string, bytes: string): OpenProxyCase {
  return { what, bytes, mayPass: false };
}
