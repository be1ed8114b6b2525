import type { Random } from '../system/random.ts';
import { systemClock } from '../system/clock.ts';
import { systemRandom } from '../system/random.ts';
import type {
  ApiLimits,
  EmulatorClient,
  EmulatorOptions,
  EmulatorResource,
  EmulatorUser,
} from './options.ts';
import { seededRandom } from './seeded-random.ts';

/** The options with every default filled in. */
export interface Settings extends Required<
  Omit<
    EmulatorOptions,
    'seed' | 'refreshInSeconds' | 'tokenRequestsPerSecond' | 'autoSignIn' | 'apiLimits'
  >
> {
  readonly accessLifeSeconds: readonly [least: number, most: number];
  readonly refreshInSeconds: number | undefined;
  readonly tokenRequestsPerSecond: number | undefined;
  readonly autoSignIn: string | undefined;
  readonly apiLimits: Required<ApiLimits>;
}

const perspioTalk: EmulatorResource = {
  uri: 'api://perspiotalk',
  scopes: ['access_as_user', 'all_readwrite'],
  roles: ['all_read'],
};

const graph: EmulatorResource = {
  uri: 'https://graph.microsoft.com',
  scopes: ['User.Read', 'Mail.Read', 'Calendars.Read'],
  roles: ['User.Read.All'],
};

const demoClients: readonly EmulatorClient[] = [
  { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
  { clientId: 'perspio-public' },
];

const demoUsers: readonly EmulatorUser[] = [
  { username: 'demo@perspio.io', name: 'Demo User' },
  { username: 'other@perspio.io', name: 'Other User' },
];

const apiLimits: Required<ApiLimits> = {
  rate: 20,
  rateWindowMs: 90_000,
  quota: 10_000,
  quotaWindowMs: 3_600_000,
  bandwidthBytes: 40_000_000,
};

const defaults = {
  host: '127.0.0.1',
  port: 0,
  apiPort: 0,
  tls: false,
  entraTenantId: '7d548d61-6361-4a6e-85e6-509e2c05d05e',
  rotation: 'reusable',
  revokesFamily: true,
  graceMs: 30_000,
  accessLifeSeconds: [3600, 5399],
  refreshInSeconds: undefined,
  commitDelayMs: 0,
  answerDelayMs: 0,
  idleLimitMs: 90 * 86_400_000,
  refreshScopeRequired: false,
  opaqueAccessTokens: false,
  clients: demoClients,
  users: demoUsers,
  resources: [perspioTalk, graph],
  autoSignIn: undefined,
  deviceIntervalSeconds: 5,
  tokenRequestsPerSecond: undefined,
  errorSeparator: 'space',
  announceIss: false,
  revocationEndpoint: false,
  subscriptionKey: 'demo-subscription-key',
  perspioTenantId: 'in-demo',
  clock: systemClock,
  random: systemRandom,
} satisfies Omit<Settings, 'apiLimits'>;

/**
 * Fills in the defaults.
 *
 * @throws RangeError or TypeError naming the option that cannot be used.
 */
export function resolveSettings(options: EmulatorOptions = {}): Settings {
  requireKnownNames(options);
  requireLoopback(options.host ?? defaults.host);
  requireUser(options.autoSignIn, options.users ?? defaults.users);
  const { accessLifeSeconds: life = defaults.accessLifeSeconds } = options;
  const [least, most] = typeof life === 'number' ? [life, life] : life;
  if (!(least >= 0 && most >= least)) {
    throw new RangeError('accessLifeSeconds must be a number of seconds, or [least, most]');
  }
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  return {
    ...defaults,
    ...given,
    clock: options.clock ?? defaults.clock,
    random: chooseRandom(options),
    accessLifeSeconds: [least, most],
    apiLimits: { ...apiLimits, ...options.apiLimits },
  };
}

function requireKnownNames(options: EmulatorOptions): void {
  const known = new Set([...Object.keys(defaults), 'apiLimits', 'seed']);
  const unknown = Object.keys(options).find((name) => !known.has(name));
  if (unknown !== undefined) throw new TypeError(`the emulator has no option named ${unknown}`);
}

function requireLoopback(host: string): void {
  if (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return;
  throw new RangeError(`host ${host} is not a loopback address; use 127.0.0.1, ::1 or localhost`);
}

function requireUser(name: string | undefined, users: readonly EmulatorUser[]): void {
  const names = users.map(({ username }) => username);
  if (name === undefined || names.includes(name)) return;
  throw new TypeError(`autoSignIn names nobody the emulator knows; its users: ${names.join(', ')}`);
}

function chooseRandom(options: EmulatorOptions): Random {
  if (options.seed === undefined) return options.random ?? systemRandom;
  if (options.random !== undefined) throw new TypeError('give either random or seed, not both');
  return seededRandom(options.seed);
}
