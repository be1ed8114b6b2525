import { inspect } from 'node:util';
import { obtainByDevice } from '../../../src/authorize/device.ts';
import { EvergrantError } from '../../../src/errors.ts';
import type { ConsentPrompt } from '../../../src/keeper-api.ts';
import { generic } from '../../../src/providers/generic.ts';
import { resolveProfile } from '../../../src/providers/profile.ts';
import type { Clock } from '../../../src/system/clock.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { fakeHttp, type FakeAnswer } from '../../support/fake-http.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import type { Canary } from '../../support/leaks.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileJson, hostileText, mutate } from '../hostile.ts';
import { breachOfError, breachOfMessage } from '../judge.ts';

/*
 * A sign-in at another device: the answer of the device authorization endpoint, and the answers to the polls after it.
 */

const NOW = Date.UTC(2026, 5, 1);
const DEVICE_CODE = 'canary.device-code_81ab02cc';
const ACCESS = 'at-legitimate-1';
/** Shorter ones occur in innocent words. */
const SHORTEST_CODE = 12;

/** After so many polls the person declines, so that every sign-in ends. */
const MOST_POLLS = 40;
/** No server means a shorter interval, whatever it says. */
const LEAST_INTERVAL_MS = 1_000;

const profile = resolveProfile(generic, {
  tokenEndpoint: 'https://as.example/token',
  deviceAuthorizationEndpoint: 'https://as.example/device',
});

function codes(dice: Dice): FakeAnswer {
  const good: Record<string, string> = {
    device_code: JSON.stringify(DEVICE_CODE),
    user_code: '"ABCD-EFGH"',
    verification_uri: '"https://as.example/go"',
    expires_in: '900',
    interval: '5',
  };
  const members = Object.entries(good)
    .filter(() => dice.chance(0.97))
    .map(([name, json]) => [name, dice.chance(0.15) ? hostileJson(dice) : json] as const);
  if (dice.chance(0.3))
    members.push(['interval', dice.pick(['0', '0.0001', '1e9', '"0"', '-5', '3000000'])]);
  if (dice.chance(0.2)) members.push(['expires_in', dice.pick(['0', '1', '315360000', '-1'])]);
  if (dice.chance(0.2))
    members.push(['verification_uri_complete', JSON.stringify(hostileText(dice))]);
  if (dice.chance(0.1))
    members.push([
      'verification_uri',
      JSON.stringify(
        dice.pick([
          'javascript:alert(1)',
          'file:///x',
          'http://u:p@as.example/',
          hostileText(dice),
        ]),
      ),
    ]);
  if (dice.chance(0.1)) members.push(['user_code', JSON.stringify(hostileText(dice))]);
  const unique = new Map(members);
  const text = `{${[...unique].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
  const bytes = mutate(dice, Buffer.from(text), 0.1);
  return {
    status: dice.pick([200, 200, 200, 200, 400, 500]),
    text: Buffer.from(bytes).toString('utf8'),
  };
}

function poll(dice: Dice, sent: string): FakeAnswer {
  const error = (name: string): FakeAnswer => ({
    status: 400,
    json: { error: name, error_description: `${sent} is odd` },
  });
  return dice.pick<() => FakeAnswer>([
    () => error('authorization_pending'),
    () => error('authorization_pending'),
    () => error('authorization_pending'),
    () => error('slow_down'),
    () => 'lost',
    () => 'unreachable',
    () => ({ status: 503, headers: { 'retry-after': dice.pick(['0', '99999999', 'x']) } }),
    () => ({ json: { access_token: ACCESS, token_type: 'Bearer', expires_in: 3600 } }),
    () => ({ status: dice.pick([200, 400, 500]), text: hostileJson(dice) }),
    () => error(dice.pick(['access_denied', 'expired_token', 'invalid_client', hostileText(dice)])),
  ])();
}

interface Watch {
  readonly polls: number[];
  readonly shown: string[];
  /** The device code of the polls. */
  sent: string;
}

function judge({ polls, shown }: Watch): string | undefined {
  const early = polls.findIndex((at, i) => at - (polls[i - 1] ?? 0) < LEAST_INTERVAL_MS);
  if (early >= 0)
    return `poll ${String(early)} came at once: ${polls.slice(0, early + 1).join(', ')}`;
  if (polls.length > MOST_POLLS + 1) return 'polls after the end';
  const odd = shown.map(breachOfMessage).find((breach) => breach !== undefined);
  if (odd !== undefined) return `shown to a person: ${odd}`;
  const addresses = shown.filter((text, i) => i % 3 !== 0 && text !== '');
  const bad = addresses.find((address) => !/^https?:\/\/[^@/]*(\/|$)/.test(address));
  return bad === undefined ? undefined : `sends a person to ${bad}`;
}

function canariesOf({ sent }: Watch): readonly Canary[] {
  const access = { kind: 'access token', value: ACCESS };
  return sent.length < SHORTEST_CODE ? [access] : [access, { kind: 'device code', value: sent }];
}

async function attackOnce(dice: Dice, defect: string | undefined): Promise<Sight> {
  const clock = hastyClock(NOW);
  const watch: Watch = { polls: [], shown: [], sent: DEVICE_CODE };
  const first = codes(dice);
  const http = fakeHttp(({ url, form }) => {
    if (url.endsWith('/device')) return first;
    watch.sent = form.get('device_code') ?? '';
    watch.polls.push(clock.monotonic());
    return watch.polls.length > MOST_POLLS
      ? { status: 400, json: { error: 'access_denied' } }
      : poll(dice, watch.sent);
  });
  const prompt: ConsentPrompt = {
    authorize: () => undefined,
    deviceCode({ userCode, verificationUri, verificationUriComplete = '' }) {
      watch.shown.push(userCode, verificationUri, verificationUriComplete);
    },
  };
  const swift: Clock = {
    ...clock,
    timer: (_delay, callback, options) => clock.timer(0, callback, options),
  };
  const deps = {
    clock: defect === 'does not wait between polls' ? swift : clock,
    random: systemRandom,
    http,
  };
  const request = {
    profile,
    clientId: 'c',
    authentication: { method: 'none' },
    scopes: ['a'],
    prompt,
  } as const;
  const input = inspect(first);
  try {
    const { tokens } = await obtainByDevice(deps, request);
    const isHeld = tokens.accessToken.reveal() === ACCESS;
    return { met: 'obtained', breach: isHeld ? judge(watch) : 'served what was not held', input };
  } catch (error) {
    const shown =
      defect === 'repeats the device code'
        ? new EvergrantError('ERR_ARGUMENT', DEVICE_CODE)
        : error;
    return {
      met: 'refused',
      breach: breachOfError(shown, canariesOf(watch)) ?? judge(watch),
      input,
    };
  }
}

/** Sign-ins at another device. */
export const deviceAnswers: Fuzzer = {
  name: 'device-answers',
  trials: 600,
  fullTrials: 20_000,
  reaches: ['obtained', 'refused'],
  defects: ['does not wait between polls', 'repeats the device code'],
  open: async (defect): Promise<Door> => ({
    attack: (dice) => attackOnce(dice, defect),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};
