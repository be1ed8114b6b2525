import { inspect } from 'node:util';
import ts from 'typescript';
import { outcomeError } from '../../../src/oauth/outcome-error.ts';
import type { TokenOutcome } from '../../../src/oauth/outcome.ts';
import { readTokenAnswer } from '../../../src/oauth/token-answer.ts';
import { Secret } from '../../../src/secret.ts';
import type { Canary } from '../../support/leaks.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileJson, hostileText, jsonString, mutate } from '../hostile.ts';
import { breachOfError, breachOfPrototype, breachOfShown } from '../judge.ts';

/*
 * Answers of a token endpoint: made by a grammar of what servers write, then damaged byte by byte.
 */

type Answer = Parameters<typeof readTokenAnswer>[0];
type Read = (answer: Answer, secrets: readonly Secret[]) => TokenOutcome;

/** What the request carried (client secret and refresh token, first), and what the answer issues. */
export const CANARIES: readonly Canary[] = [
  { kind: 'client secret', value: 'canary~client+secret/7f3a91' },
  { kind: 'sent refresh token', value: 'canary.sent-refresh_token~41bd77' },
  { kind: 'access token', value: 'canary.access-token_90cc1e~+/' },
  { kind: 'refresh token', value: 'canary.new-refresh_token~c81f02' },
  { kind: 'id token', value: 'canary.id-token.e30.aa77ff01' },
];
const SENT = CANARIES.slice(0, 2).map(({ value }) => new Secret(value));
const [, , access, refresh, idToken] = CANARIES.map(({ value }) => value) as [
  string,
  string,
  string,
  string,
  string,
];
const NOW = Date.UTC(2026, 5, 1);

const STATUSES = [
  200, 200, 200, 200, 201, 204, 302, 400, 400, 401, 403, 404, 408, 429, 500, 502, 503, 599,
];
const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'text/html',
  'application/x-www-form-urlencoded',
  '',
];

/** A member, with its name and value as JSON. */
type Member = readonly [name: string, json: string];

const GOOD: readonly Member[] = [
  ['access_token', JSON.stringify(access)],
  ['token_type', '"Bearer"'],
  ['expires_in', '3600'],
  ['refresh_token', JSON.stringify(refresh)],
  ['id_token', JSON.stringify(idToken)],
  ['scope', '"a b"'],
];
const FURTHER = [
  'error',
  'error_description',
  'refresh_in',
  'refresh_token_expires_in',
  '__proto__',
  'status',
  'claims',
];

/** A body of a success, or nearly one. */
export function successText(dice: Dice): string {
  const kept = GOOD.filter(() => dice.chance(0.85)).map(([name, json]): Member => {
    return dice.chance(0.15) ? [name, hostileJson(dice)] : [name, json];
  });
  const repeated = dice.chance(0.15) ? [dice.pick(GOOD)] : [];
  const more = dice.several(2, (): Member => {
    const json = dice.chance(0.5) ? hostileJson(dice) : jsonString(dice, echo(dice, CANARIES));
    return [dice.pick(FURTHER), json];
  });
  return bodyOf(dice, dice.shuffled([...kept, ...repeated, ...(dice.chance(0.3) ? more : [])]));
}

function bodyOf(dice: Dice, members: readonly Member[]): string {
  if (dice.chance(0.1)) {
    return members
      .map(([name, json]) => `${name}=${encodeURIComponent(json.replace(/^"|"$/g, ''))}`)
      .join('&');
  }
  const space = dice.pick(['', '', ' ', '\n\t']);
  const text = members.map(([name, json]) => `${jsonString(dice, name)}${space}:${space}${json}`);
  return `{${text.join(`,${space}`)}}`;
}

/** Where servers put what they were sent: whole or cut, plain or encoded. */
function echo(dice: Dice, canaries: readonly Canary[] = CANARIES.slice(0, 2)): string {
  const { value } = dice.pick(canaries);
  const form = dice.pick([
    value,
    encodeURIComponent(value),
    value.replace(/~/g, '%7E').replace(/\+/g, '%2B'),
    Buffer.from(`client:${value}`).toString('base64'),
    `grant_type=refresh_token&refresh_token=${encodeURIComponent(value)}&client_id=x`,
    value.slice(0, 16 + dice.below(8)),
    `${value.slice(0, 14)}\n${value.slice(14)}`,
  ]);
  return `${dice.pick(['', 'bad value: ', hostileText(dice).slice(0, 100)])}${form}${dice.pick(['', '"', hostileText(dice).slice(0, 50)])}`;
}

const ERRORS = [
  'invalid_grant',
  'invalid_client',
  'invalid_request',
  'invalid_scope',
  'unauthorized_client',
  'temporarily_unavailable',
  'server_error',
  'slow_down',
  'interaction_required',
  'consent_required',
  'nobody_knows',
];

/** A body of a refusal, or nearly one. */
export function errorText(dice: Dice): string {
  const name = dice.chance(0.8) ? dice.pick(ERRORS) : echo(dice);
  const said = dice.chance(0.7) ? echo(dice) : hostileText(dice);
  const shapes: readonly Member[][] = [
    [
      ['error', jsonString(dice, name)],
      ['error_description', jsonString(dice, said)],
    ],
    [['error', `{"code":${jsonString(dice, name)},"message":${jsonString(dice, said)}}`]],
    [['message', jsonString(dice, said)]],
    [
      ['error', hostileJson(dice)],
      ['error_description', hostileJson(dice)],
    ],
  ];
  const more = dice.several(3, (): Member => {
    const member = dice.pick([
      'error_codes',
      'trace_id',
      'correlation_id',
      'suberror',
      'error_uri',
      'timestamp',
    ]);
    return [member, dice.chance(0.5) ? hostileJson(dice) : jsonString(dice, echo(dice))];
  });
  return bodyOf(dice, [...dice.pick(shapes), ...more]);
}

/** An answer around a body, damaged on its way. */
export function answerOf(dice: Dice, text: string): Answer {
  const encoding = dice.pick(['utf8', 'utf8', 'utf8', 'utf8', 'utf16le', 'latin1'] as const);
  return {
    status: dice.pick(STATUSES),
    headers: {
      'content-type': dice.pick(TYPES),
      ...(dice.chance(0.2) && {
        'retry-after': dice.pick(['1', '0', '-1', '9999999999', 'x', hostileText(dice)]),
      }),
    },
    body: mutate(dice, Buffer.from(text, encoding), 0.3),
  };
}

/** What the answer holds, read by other means: by TypeScript's parser for JSON, and by Node's for forms. */
export function heldIn(body: Uint8Array): ReadonlyMap<string, readonly unknown[]> {
  const text = new TextDecoder().decode(body).trim();
  const all = new Map<string, unknown[]>();
  const add = (name: string, value: unknown): void =>
    void all.set(name, [...(all.get(name) ?? []), value]);
  if (!text.startsWith('{')) {
    for (const [name, value] of new URLSearchParams(text)) add(name, value);
    return all;
  }
  const root = ts.parseJsonText('answer.json', text).statements[0]?.expression;
  if (root === undefined || !ts.isObjectLiteralExpression(root)) return all;
  for (const property of root.properties) {
    if (!ts.isPropertyAssignment(property)) continue;
    const { name, initializer } = property;
    if (ts.isStringLiteral(name))
      add(name.text, ts.isStringLiteral(initializer) ? initializer.text : initializer);
  }
  return all;
}

function judge(answer: Answer, outcome: TokenOutcome): string | undefined {
  const pollution = breachOfPrototype();
  if (pollution !== undefined) return pollution;
  if (outcome.kind === 'refreshed') return breachOfTokens(answer, outcome);
  const body = 'body' in outcome ? outcome.body : undefined;
  const isKept = body !== undefined && Buffer.from(body).equals(answer.body);
  if (answer.status >= 200 && answer.status < 300 && !isKept && bringsRefreshToken(answer.body))
    return `lost: ${outcome.kind}`;
  const error = outcomeError(outcome, { nowMs: NOW });
  const refusal = 'refusal' in outcome ? { ...outcome.refusal, claims: undefined } : undefined;
  const secrets = knowable(answer.body);
  return breachOfError(error, secrets) ?? breachOfShown(refusal, secrets);
}

/** What must not be said: what the request carried, and what stands in the answer where tokens do. */
export function knowable(body: Uint8Array): readonly Canary[] {
  if (!isShallow(body)) return CANARIES.slice(0, 2);
  const members = heldIn(body);
  const names = ['access_token', 'refresh_token', 'id_token'];
  const issued = names.flatMap((name) =>
    members.get(name)?.length === 1 ? members.get(name) : [],
  );
  return CANARIES.filter(({ value }, i) => i < 2 || issued.includes(value));
}

/** Whether the answer issues a refresh token, as others read it. */
export function bringsRefreshToken(body: Uint8Array): boolean {
  return isShallow(body) && heldIn(body).get('refresh_token')?.includes(refresh) === true;
}

/** What TypeScript's parser can read without an end to its stack. */
export function isShallow(body: Uint8Array): boolean {
  let depth = 0;
  let deepest = 0;
  for (const byte of body) {
    if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return deepest < 50;
}

function breachOfTokens(
  answer: Answer,
  { tokens }: Extract<TokenOutcome, { kind: 'refreshed' }>,
): string | undefined {
  const shown = breachOfShown(tokens, CANARIES);
  if (shown !== undefined) return shown;
  if (!isShallow(answer.body)) return undefined;
  const members = heldIn(answer.body);
  const one = (name: string): unknown => {
    const [value, ...more] = members.get(name) ?? [];
    return more.length === 0 ? value : 'several';
  };
  const served = tokens.accessToken.reveal();
  if (one('access_token') !== served) return `served what was not held: ${inspect(served)}`;
  const given = tokens.refreshToken?.reveal();
  if (given !== undefined && one('refresh_token') !== given) return 'another refresh token';
  const faulty = members
    .get('error')
    ?.some((value) => typeof value === 'string' && value.trim() !== '');
  return faulty === true ? 'served in spite of an error' : undefined;
}

const sound: Read = (answer, secrets) => readTokenAnswer(answer, {}, NOW, secrets);

/** Mistakes that readers of answers have made. */
const DEFECTS: Readonly<Record<string, Read>> = {
  'throws where expires_in is no number': (answer, secrets) => {
    const outcome = sound(answer, secrets);
    if (outcome.kind === 'refreshed') BigInt(outcome.tokens.accessLifeMs ?? NaN);
    return outcome;
  },
  'takes the last of two access tokens': (answer, secrets) => {
    const outcome = sound(answer, secrets);
    try {
      const members: unknown = JSON.parse(Buffer.from(answer.body).toString());
      const again = sound({ ...answer, body: Buffer.from(JSON.stringify(members)) }, secrets);
      return again.kind === 'refreshed' ? again : outcome;
    } catch {
      return outcome;
    }
  },
  'repeats what the server said': (answer) => sound(answer, []),
  'drops what it cannot read': (answer, secrets) => {
    const outcome = sound(answer, secrets);
    return outcome.kind === 'ambiguous' ? { ...outcome, body: undefined } : outcome;
  },
  'goes round for ever on a deep answer': (answer, secrets) => {
    while (!isShallow(answer.body));
    return sound(answer, secrets);
  },
  'merges members into an object': (answer, secrets) => {
    const names = Buffer.from(answer.body).toString('latin1').includes('"__proto__"');
    if (names) Object.assign(Object.prototype, { polluted: true });
    return sound(answer, secrets);
  },
};

function openOn(make: (dice: Dice) => string): (defect?: string) => Promise<Door> {
  return async (defect) => {
    const read = defect === undefined ? sound : DEFECTS[defect]!;
    return {
      attack(dice): Sight {
        const answer = answerOf(dice, make(dice));
        const outcome = read(answer, SENT);
        const breach = judge(answer, outcome);
        return {
          met: outcome.kind,
          breach,
          input: inspect(Buffer.from(answer.body).toString('latin1')),
        };
      },
      async [Symbol.asyncDispose]() {
        Reflect.deleteProperty(Object.prototype, 'polluted');
      },
    };
  };
}

/** Token answers. */
export const tokenAnswers: Fuzzer = {
  name: 'token-answers',
  trials: 2_000,
  fullTrials: 100_000,
  reaches: ['refreshed', 'ambiguous', 'request_refused', 'throttled', 'unnamed_refusal'],
  defects: Object.keys(DEFECTS).filter((defect) => !defect.startsWith('repeats')),
  open: openOn(successText),
};

/** Error answers. */
export const errorAnswers: Fuzzer = {
  name: 'error-answers',
  trials: 2_000,
  fullTrials: 100_000,
  reaches: [
    'grant_refused',
    'client_refused',
    'request_refused',
    'throttled',
    'ambiguous',
    'unnamed_refusal',
  ],
  defects: ['repeats what the server said'],
  open: openOn(errorText),
};
