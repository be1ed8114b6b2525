import { connect } from 'node:net';
import { parse } from 'node:querystring';
import { inspect } from 'node:util';
import * as oauth from 'oauth4webapi';
import { judgeCallback, type Callback } from '../../../src/authorize/callback.ts';
import { listenOnLoopback } from '../../../src/authorize/loopback.ts';
import { ANSWERED_PAGE, REFUSED_PAGE } from '../../../src/authorize/page.ts';
import { planRedirect } from '../../../src/authorize/redirect-uri.ts';
import type { Canary } from '../../support/leaks.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileText, mutate } from '../hostile.ts';
import { breachOfError } from '../judge.ts';

/*
 * Requests to the listener that waits for a browser: whatever arrives, only who knows the state is heard, and nothing is said back.
 */

const STATE = 'canary.state_5501f0aa-b7';
const CODE = 'canary.code_77aa0192~x';
const ISSUER = 'https://as.example';
const CANARIES: readonly Canary[] = [
  { kind: 'state', value: STATE },
  { kind: 'code', value: CODE },
];
const EXPECTED = { clientId: 'c', state: STATE, issuer: ISSUER, issRequired: true };

function query(dice: Dice): string {
  const sound = [
    `code=${encodeURIComponent(CODE)}`,
    `state=${STATE}`,
    `iss=${encodeURIComponent(ISSUER)}`,
  ];
  const kept = sound.filter(() => dice.chance(0.92));
  const more = dice.several(2, () =>
    dice.pick([
      'state=x',
      `state=${STATE}`,
      'state=',
      `state=${STATE}%00`,
      `STATE=${STATE}`,
      'state[]=x',
      'code=',
      `code=${CODE}`,
      'code=other',
      'iss=https://evil.example',
      `iss=${encodeURIComponent(`${ISSUER}/`)}`,
      'error=access_denied',
      `error=${encodeURIComponent(hostileText(dice).slice(0, 100).toWellFormed())}`,
      `error_description=${encodeURIComponent(hostileText(dice).slice(0, 100).toWellFormed())}`,
      'response=eyJ',
      `x=${encodeURIComponent(hostileText(dice).slice(0, 100).toWellFormed())}`,
    ]),
  );
  return dice
    .shuffled([...kept, ...(dice.chance(0.4) ? more : [])])
    .join(dice.chance(0.97) ? '&' : ';');
}

function requestOf(dice: Dice, port: number): Uint8Array {
  const method = dice.chance(0.9)
    ? 'GET'
    : dice.pick(['POST', 'HEAD', 'OPTIONS', 'get', 'CONNECT', 'DELETE', '']);
  const host = dice.chance(0.9)
    ? `127.0.0.1:${String(port)}`
    : dice.pick([
        'evil.example',
        `localhost:${String(port)}`,
        '127.0.0.1',
        `127.0.0.1.:${String(port)}`,
        `2130706433:${String(port)}`,
        '',
      ]);
  const path = dice.chance(0.9)
    ? '/'
    : dice.pick([
        '//',
        '/x',
        '',
        `http://127.0.0.1:${String(port)}/`,
        'http://evil.example/',
        '/../',
        '/%2f',
        '*',
        `//127.0.0.1:${String(port)}/`,
      ]);
  const fragment = dice.chance(0.97) ? '' : '#x';
  const fields = [
    `Host: ${host}`,
    ...dice.several(2, () =>
      dice.pick([
        'Origin: https://evil.example',
        'Content-Length: 4',
        'Transfer-Encoding: chunked',
        'Expect: 100-continue',
        'Upgrade: websocket',
        `X: ${hostileText(dice).slice(0, 50)}`,
        'Host: evil.example',
        `Cookie: ${'c'.repeat(dice.below(20_000))}`,
      ]),
    ),
  ];
  const text = `${method} ${path}?${query(dice)}${fragment} HTTP/1.1\r\n${(dice.chance(0.3) ? fields : fields.slice(0, 1)).join('\r\n')}\r\nConnection: close\r\n\r\n`;
  return mutate(dice, Buffer.from(text, 'latin1'), 0.15);
}

/** What a request says, read by other means; undefined when it is none that may be heard. */
function heard(bytes: Uint8Array, port: number): ReturnType<typeof parse> | undefined {
  const [head = ''] = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^(\r?\n)+/, '')
    .split(/\r?\n\r?\n/);
  const [line = '', ...fields] = head.split(/\r?\n/);
  // As many spaces as there are, RFC 9112 section 3.
  const [, target] = /^GET +(\S+)(?: +HTTP\/\d\.\d)?$/.exec(line) ?? [];
  const hosts = fields
    .filter((field) => /^host:/i.test(field))
    .map((field) => field.slice(5).trim());
  if (target === undefined || hosts[0] !== `127.0.0.1:${String(port)}`) return undefined;
  const [before, search = ''] = [
    target.split('?')[0],
    target.split('#')[0]?.split('?').slice(1).join('?'),
  ];
  const isOurs =
    before === '/' ||
    before === '' ||
    before === `http://127.0.0.1:${String(port)}/` ||
    before === `//127.0.0.1:${String(port)}/` ||
    /^\/(\.\.\/|\.\/)*$/.test(before ?? '');
  return isOurs ? parse(search) : undefined;
}

type Judge = (parameters: URLSearchParams) => Callback;

const sound: Judge = (parameters) => judgeCallback(oauth, EXPECTED, parameters);

const DEFECTS: Readonly<Record<string, Judge>> = {
  'takes the last of two states': (parameters) => {
    const state = parameters.getAll('state').at(-1);
    if (state === undefined) return sound(parameters);
    const other = new URLSearchParams(parameters);
    other.set('state', state);
    return sound(other);
  },
  'does not ask who answered': (parameters) =>
    judgeCallback(oauth, { ...EXPECTED, issuer: undefined, issRequired: false }, parameters),
  'hears those who do not know the state': (parameters) => {
    const code = parameters.get('code');
    const other = new URLSearchParams({
      state: STATE,
      iss: ISSUER,
      ...(code !== null && { code }),
    });
    return sound(other);
  },
};

function judge(said: ReturnType<typeof parse> | undefined, callback: Callback): string | undefined {
  if (said?.['state'] !== STATE) return `heard without the state: ${inspect(callback.kind)}`;
  if (callback.kind === 'failed') return breachOfError(callback.error, CANARIES);
  if (callback.kind !== 'code') return undefined;
  if (said['code'] !== callback.code.reveal()) return 'another code than the one that came';
  return said['iss'] === ISSUER ? undefined : 'a code of another issuer';
}

async function send(port: number, bytes: Uint8Array): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.end(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

function breachOfReply(reply: string): string | undefined {
  const [, ...rest] = reply.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const isConstant =
    ['', '0\r\n\r\n'].includes(body) || body.includes(ANSWERED_PAGE) || body.includes(REFUSED_PAGE);
  const isSilent = CANARIES.every(({ value }) => !reply.includes(value));
  return isConstant && isSilent ? undefined : `said back: ${inspect(reply)}`;
}

async function attackOnce(dice: Dice, judgeIt: Judge): Promise<Sight> {
  const answers: Callback[] = [];
  const listener = await listenOnLoopback(planRedirect('127.0.0.1', {}), (parameters) => {
    const callback = judgeIt(parameters);
    if (callback.kind === 'foreign') return false;
    answers.push(callback);
    return true;
  });
  const port = Number(new URL(listener.redirectUri).port);
  const bytes = requestOf(dice, port);
  const input = inspect(Buffer.from(bytes).toString('latin1'));
  const reply = await send(port, bytes);
  await listener[Symbol.asyncDispose]();
  const [callback, ...more] = answers;
  const breach = breachOfReply(reply) ?? (more.length > 0 ? 'heard twice' : undefined);
  if (callback === undefined) return { met: 'turned away', breach, input };
  return { met: callback.kind, breach: breach ?? judge(heard(bytes, port), callback), input };
}

/** Requests to the listener for the browser. */
export const callbackRequests: Fuzzer = {
  name: 'callback-requests',
  trials: 800,
  fullTrials: 20_000,
  reaches: ['code', 'failed', 'turned away'],
  defects: Object.keys(DEFECTS),
  open: async (defect): Promise<Door> => ({
    attack: (dice) => attackOnce(dice, defect === undefined ? sound : DEFECTS[defect]!),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};
