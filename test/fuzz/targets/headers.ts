import { inspect } from 'node:util';
import { AccessToken } from '../../../src/access-token.ts';
import { parseRetryAfter } from '../../../src/oauth/retry-after.ts';
import { callApi } from '../../../src/resource/call.ts';
import type { ApiFinding } from '../../../src/resource/exchange.ts';
import { newApiMemory } from '../../../src/resource/memory.ts';
import type { Fetch } from '../../../src/system/fetch.ts';
import type { Canary } from '../../support/leaks.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileText } from '../hostile.ts';
import { breachOfError, breachOfShown } from '../judge.ts';

/*
 * Header fields: those of an API's answers (WWW-Authenticate, Retry-After, Location), and those that a caller asks to be sent.
 */

const ORIGIN = 'https://api.example';
const TOKEN = 'canary.access-token_90cc1e';
const CANARIES: readonly Canary[] = [{ kind: 'access token', value: TOKEN }];
const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;

interface Call {
  readonly answers: readonly { readonly status: number; readonly headers: Headers }[];
  readonly given: readonly (readonly [string, string])[];
}

/** What a field may hold at all: everything else Node refuses before it is sent or handed out. */
function fieldText(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').trim();
}

function challenge(dice: Dice): string {
  const parameter = (): string => {
    const name = dice.pick([
      'error',
      'claims',
      'scope',
      'realm',
      'error_description',
      hostileText(dice),
    ]);
    const value = dice.pick([
      'invalid_token',
      'insufficient_scope',
      'insufficient_claims',
      'eyJhIjoxfQ==',
      hostileText(dice),
      'a\\"b',
      TOKEN,
    ]);
    return dice.pick([
      `${name}="${value}"`,
      `${name}=${value}`,
      `${name} = "${value}`,
      name,
      `"${value}"`,
    ]);
  };
  const one = (): string =>
    `${dice.pick(['Bearer', 'bearer', 'Basic', 'DPoP', 'AzureApiManagementKey', hostileText(dice)])} ${dice.several(4, parameter).join(dice.pick([', ', ',', ' ', ',,']))}`;
  return dice.several(4, one).join(dice.pick([', ', ',', ' ']));
}

function retryAfter(dice: Dice): string {
  return dice.pick([
    String(dice.below(100_000)),
    '0',
    '-1',
    '1e3',
    '99999999999',
    '0x10',
    '٣',
    new Date(NOW + dice.below(9 * DAY_MS)).toUTCString(),
    'Fri, 31 Feb 2026 25:61:61 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    hostileText(dice),
  ]);
}

function location(dice: Dice): string {
  return dice.pick([
    '/next',
    'next',
    `${ORIGIN}/next`,
    `${ORIGIN}:444/`,
    'http://api.example/',
    '//evil.example/',
    `${ORIGIN}@evil.example/`,
    `https://user:pw@api.example/`,
    'https://api.example.evil.example/',
    '\\\\evil.example',
    'https:evil.example',
    'blob:https://api.example/x',
    'javascript:alert(1)',
    `https://evil.example/${TOKEN}`,
    hostileText(dice),
  ]);
}

function callOf(dice: Dice): Call {
  const answers = Array.from({ length: 9 }, () => {
    const headers = new Headers();
    if (dice.chance(0.6)) headers.set('www-authenticate', fieldText(challenge(dice)));
    if (dice.chance(0.3)) headers.set('retry-after', fieldText(retryAfter(dice)));
    if (dice.chance(0.6)) headers.set('location', fieldText(location(dice)));
    return {
      status: dice.pick([200, 401, 401, 401, 403, 429, 503, 301, 302, 303, 307, 308]),
      headers,
    };
  });
  const name = (): string =>
    dice.pick([
      'x-a',
      'accept',
      'authorization',
      'Host',
      'cookie',
      'x y',
      'transfer-encoding',
      hostileText(dice),
    ]);
  return { answers, given: dice.several(2, () => [name(), hostileText(dice)] as const) };
}

interface Seen {
  readonly url: URL;
  readonly headers: Headers;
}

function judgeSent(seen: readonly Seen[], given: Call['given']): string | undefined {
  if (seen.length > 12) return `${String(seen.length)} requests for one call`;
  for (const { url, headers } of seen) {
    const value = headers.get('authorization');
    if (url.origin !== ORIGIN || url.username !== '') return `the token went to ${url.href}`;
    if (value !== `Bearer ${TOKEN}`) return `authorization is ${inspect(value)}`;
    const names = new Set([
      'accept',
      'authorization',
      ...given.map(([name]) => name.toLowerCase()),
    ]);
    const smuggled = [...headers.keys()].find((name) => !names.has(name));
    if (smuggled !== undefined) return `smuggled ${smuggled}`;
  }
  return undefined;
}

function judgeFindings(findings: readonly ApiFinding[]): string | undefined {
  for (const finding of findings) {
    if (finding.kind !== 'throttled') continue;
    if (!(finding.until >= NOW && finding.until <= NOW + DAY_MS))
      return `waits until ${String(finding.until)}`;
  }
  return undefined;
}

/** Mistakes in what lies below, as another HTTP library or version could make them. */
const DEFECTS: Readonly<Record<string, (fetch: Fetch) => Fetch>> = {
  'follows redirects by itself': (fetch) => async (input, init) => {
    const response = await fetch(input, init);
    const next = URL.parse(response.headers.get('location') ?? '', String(input));
    const isRedirect = response.status >= 300 && response.status < 400 && next !== null;
    return isRedirect ? fetch(next, init) : response;
  },
  'throws at a challenge it does not know': (fetch) => async (input, init) => {
    const response = await fetch(input, init);
    if (response.headers.get('www-authenticate')?.includes('DPoP') === true)
      throw new RangeError('no such scheme');
    return response;
  },
};

function fetchOf(call: Call, seen: Seen[]): Fetch {
  return async (input, init) => {
    const { status, headers } = call.answers[seen.length % call.answers.length]!;
    seen.push({ url: new URL(String(input)), headers: new Headers(init?.headers) });
    return new Response('{}', { status, headers });
  };
}

async function attackOnce(dice: Dice, defect: string | undefined): Promise<Sight> {
  const call = callOf(dice);
  const seen: Seen[] = [];
  const findings: ApiFinding[] = [];
  const sound = fetchOf(call, seen);
  let generation = 0;
  const deps = {
    token: async () => {
      generation++;
      return new AccessToken(TOKEN, {
        type: 'Bearer',
        scope: [],
        expiresAt: NOW + DAY_MS,
        generation,
      });
    },
    api: { origins: [ORIGIN], base: `${ORIGIN}/v1/` },
    settings: {},
    transport: defect === undefined ? sound : DEFECTS[defect]!(sound),
    clock: fakeClock(NOW),
    memory: newApiMemory(),
    report: (finding: ApiFinding) => void findings.push(finding),
  };
  const input = inspect({ given: call.given, answers: call.answers.slice(0, 2) }, { depth: 4 });
  try {
    const response = await callApi(deps, 'x', { headers: call.given.map(([...pair]) => pair) });
    const breach = judgeSent(seen, call.given) ?? judgeFindings(findings) ?? breachOfWait(call);
    return { met: `status ${String(response.status)}`, breach, input };
  } catch (error) {
    // What no header field can hold is refused by `Headers`, as `fetch` does; nothing was sent then.
    const isRefused = error instanceof TypeError && seen.length === 0;
    const breach = isRefused ? breachOfShown(error, CANARIES) : breachOfError(error, CANARIES);
    return { met: isRefused ? 'refused' : 'error', breach, input };
  }
}

/** A wait is a number, and where Node can read the date as well, it is the same. */
function breachOfWait({ answers }: Call): string | undefined {
  for (const { headers } of answers) {
    const text = headers.get('retry-after') ?? undefined;
    const wait = parseRetryAfter(text, NOW);
    if (wait === undefined) continue;
    if (!(wait >= 0 && Number.isFinite(wait))) return `waits ${String(wait)} for ${inspect(text)}`;
    const date = new Date(text ?? '');
    const isExact = date.toString() !== 'Invalid Date' && date.toUTCString() === text;
    if (isExact && wait !== Math.max(0, date.getTime() - NOW))
      return `waits ${String(wait)} for ${inspect(text)}`;
  }
  return undefined;
}

/** Header fields. */
export const headerFields: Fuzzer = {
  name: 'header-fields',
  trials: 2_000,
  fullTrials: 50_000,
  reaches: ['status 200', 'status 401', 'status 429', 'status 302', 'refused', 'error'],
  defects: Object.keys(DEFECTS),
  open: async (defect): Promise<Door> => ({
    attack: (dice) => attackOnce(dice, defect),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};
