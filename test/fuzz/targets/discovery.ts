import { inspect } from 'node:util';
import { discover } from '../../../src/authorize/discovery.ts';
import { generic } from '../../../src/providers/generic.ts';
import { resolveProfile } from '../../../src/providers/profile.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { fakeHttp, type FakeAnswer } from '../../support/fake-http.ts';
import type { Canary } from '../../support/leaks.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileJson, hostileText, mutate } from '../hostile.ts';
import { breachOfError } from '../judge.ts';

/*
 * Discovery documents, and issuers as somebody may write them. What is discovered must make a profile that leads to https alone.
 */

const ISSUER = 'https://as.example/tenant';
const PASSWORD = 'canary~password-77aa01';
const CANARIES: readonly Canary[] = [{ kind: 'password in an address', value: PASSWORD }];

const ENDPOINTS = [
  'token_endpoint',
  'authorization_endpoint',
  'device_authorization_endpoint',
  'pushed_authorization_request_endpoint',
  'revocation_endpoint',
  'jwks_uri',
] as const;

function address(dice: Dice): string {
  if (dice.chance(0.85)) return 'https://as.example/x';
  return dice.pick([
    'http://as.example/x',
    'http://127.0.0.1/x',
    'https://169.254.169.254/x',
    `https://u:${PASSWORD}@as.example/`,
    'https://as.example/#fragment',
    'javascript:alert(1)',
    'file:///etc/passwd',
    '/relative',
    'https://as.example/a\nb',
    'ftp://as.example/',
    hostileText(dice),
  ]);
}

function issuerOf(dice: Dice): string {
  if (dice.chance(0.8)) return ISSUER;
  return dice.pick([
    `https://:${PASSWORD}@as.example`,
    `https://u:${PASSWORD}@as.example`,
    'https://as.example\n/x',
    'https://as.exam\tple',
    ' https://as.example',
    'https://as.example?x',
    'https://as.example#x',
    'https://as.example?',
    'https://as.example#',
    'http://as.example',
    'HTTPS://AS.EXAMPLE',
    'https://as.example:443',
    'https://as.example/../x',
    'https://as.example/\u202e',
    address(dice),
    hostileText(dice),
  ]);
}

function document(dice: Dice, issuer: string): FakeAnswer {
  const members: [string, string][] = [
    [
      'issuer',
      JSON.stringify(
        dice.chance(0.85)
          ? issuer
          : dice.pick([
              `${issuer}/`,
              'https://evil.example',
              issuer.toUpperCase(),
              hostileText(dice),
            ]),
      ),
    ],
  ];
  for (const name of ENDPOINTS) {
    if (dice.chance(0.7))
      members.push([name, dice.chance(0.95) ? JSON.stringify(address(dice)) : hostileJson(dice)]);
  }
  const more = dice.several(2, (): [string, string] => [
    dice.pick([
      'authorization_response_iss_parameter_supported',
      'token_endpoint_auth_methods_supported',
      '__proto__',
      'issuer',
      'token_endpoint',
    ]),
    hostileJson(dice),
  ]);
  const text = `{${[...members, ...(dice.chance(0.3) ? more : [])].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
  const bytes = mutate(dice, Buffer.from(text), 0.1);
  const type = dice.chance(0.9)
    ? 'application/json'
    : dice.pick(['text/html', '', 'application/jwt']);
  return {
    status: dice.chance(0.9) ? 200 : dice.pick([201, 302, 404, 500]),
    headers: { 'content-type': type },
    text: Buffer.from(bytes).toString('utf8'),
  };
}

type Make = typeof resolveProfile;

const DEFECTS: Readonly<Record<string, Make>> = {
  'takes any address': (provider, overrides) => ({
    ...provider,
    ...overrides,
    tokenEndpoint: overrides?.tokenEndpoint ?? '',
    insecureLoopback: false,
  }),
  'throws what URL throws': (provider, overrides) => {
    for (const value of Object.values(overrides ?? {}))
      if (typeof value === 'string') new URL(value);
    return resolveProfile(provider, overrides);
  },
};

async function attackOnce(dice: Dice, make: Make): Promise<Sight> {
  const issuer = issuerOf(dice);
  const answers = [document(dice, issuer), document(dice, issuer)];
  const asked: string[] = [];
  const http = fakeHttp(({ url }) => {
    asked.push(url);
    return answers[asked.length - 1] ?? 'unreachable';
  });
  const input = inspect({ issuer, answers });
  try {
    const found = await discover({ clock: fakeClock(), random: systemRandom, http }, issuer);
    const profile = make(generic, found);
    const addresses = [
      profile.issuer,
      profile.tokenEndpoint,
      profile.authorizationEndpoint,
      profile.deviceAuthorizationEndpoint,
      profile.pushedAuthorizationRequestEndpoint,
      profile.revocationEndpoint,
      profile.jwksUri,
    ];
    const bad = addresses.filter((one) => one !== undefined).find((one) => !isSafe(one));
    const breach = profile.issuer === issuer ? bad && `leads to ${inspect(bad)}` : 'another issuer';
    return { met: 'profile', breach: breach ?? breachOfRequests(asked), input };
  } catch (error) {
    return {
      met: 'refused',
      breach: breachOfError(error, CANARIES) ?? breachOfRequests(asked),
      input,
    };
  }
}

function breachOfRequests(asked: readonly string[]): string | undefined {
  if (asked.length > 2) return 'asks more than twice';
  const bad = asked.find((url) => !isSafe(url));
  return bad === undefined ? undefined : `asked ${bad}`;
}

function isSafe(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.hash === '' &&
    !/\p{C}/u.test(text)
  );
}

/** Discovery. */
export const discoveryDocuments: Fuzzer = {
  name: 'discovery-documents',
  trials: 1_500,
  fullTrials: 50_000,
  reaches: ['profile', 'refused'],
  defects: Object.keys(DEFECTS),
  open: async (defect): Promise<Door> => ({
    attack: (dice) => attackOnce(dice, defect === undefined ? resolveProfile : DEFECTS[defect]!),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};
