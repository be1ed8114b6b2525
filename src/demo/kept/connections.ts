import type { Keeper } from '../../keeper-api.ts';
import { systemClock } from '../../system/clock.ts';
import { signIn } from '../person.ts';
import { registrationAt } from '../registration.ts';
import { accountOf, type ServerName, type Servers } from './servers.ts';

const DAY_MS = 86_400_000;

/** A client whose secret is about to end, and one whose secret has ended. */
const REPORTING = { clientId: 'reporting-app', clientSecret: 'reporting~secret' } as const;
const ARCHIVE = { clientId: 'archive-app', clientSecret: 'archive~secret' } as const;
const REPORTING_ENDS_IN_MS = 9 * DAY_MS;

/** Name, server and person of those that a person granted. */
const GRANTED: readonly (readonly [string, ServerName, string])[] = [
  ['fleet-telematics', 'steady', 'fleet'],
  ['maintenance-plan', 'steady', 'service'],
  ['yard-gate', 'steady', 'yard'],
  ['crm-import', 'steady', 'crm'],
  ['test-tenant', 'steady', 'demo'],
  ['fuel-cards', 'shaky', 'fuel'],
  ['weighbridge', 'shaky', 'weighbridge'],
  ['driver-hours', 'shaky', 'fleet'],
  ['supplier-portal', 'strict', 'supply'],
];

/** Connects all that the world has besides the first, and brings some of them into trouble. */
export async function makeConnections(
  keeper: Keeper,
  servers: Servers,
  signal: AbortSignal,
): Promise<void> {
  for (const [name, server, person] of GRANTED) {
    const emulator = servers[server];
    emulator.signInAs(accountOf(person));
    const habits = server === 'strict' ? ({ rotation: 'single-use' } as const) : {};
    await keeper.connect(name, {
      ...registrationAt(emulator, habits),
      prompt: { authorize: ({ url }) => signIn(url, signal) },
      signal,
    });
    emulator.signInAs(undefined);
  }
  await makeClients(keeper, servers, signal);
  await keeper.connection('test-tenant').pause();
  servers.steady.revokeUser(accountOf('crm'));
  for (const name of ['crm-import', 'invoice-archive']) await fail(keeper, name);
}

/** One that needs nobody, whose client's secret ends soon; and one whose client the server has begun to refuse. */
async function makeClients(
  keeper: Keeper,
  { steady }: Servers,
  signal: AbortSignal,
): Promise<void> {
  const secretExpiresAt = systemClock.now() + REPORTING_ENDS_IN_MS;
  steady.registerClient({ ...REPORTING, secretExpiresAt });
  steady.registerClient(ARCHIVE);
  await keeper.connect('nightly-report', {
    ...registrationAt(steady, {}, REPORTING),
    grant: 'client-credentials',
    signal,
  });
  await keeper.setClientSecret(REPORTING.clientId, REPORTING.clientSecret, {
    expiresAt: secretExpiresAt,
  });
  await keeper.connect('invoice-archive', {
    ...registrationAt(steady, {}, ARCHIVE),
    prompt: {
      authorize: ({ url }) => {
        steady.signInAs(accountOf('archive'));
        return signIn(url, signal);
      },
    },
    signal,
  });
  steady.signInAs(undefined);
  steady.expireClientSecret(ARCHIVE.clientId);
}

/** Lets a refresh find out what the server has against it. */
async function fail(keeper: Keeper, name: string): Promise<void> {
  await keeper
    .connection(name)
    .refresh()
    .catch(() => undefined);
}
