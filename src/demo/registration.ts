import type { Emulator, LedgerEntry } from '../emulator/emulator.ts';
import type { BeginOptions, Connection } from '../keeper-api.ts';
import { perspio } from '../providers/perspio.ts';
import type { World } from './world.ts';

/** What the connection is called in every home of the demo. */
export const NAME = 'perspio';

/** What the emulated API wants beside the token. */
export const API_SETTINGS = {
  subscriptionKey: 'demo-subscription-key',
  perspioTenantId: 'in-demo',
} as const;

/** The client that every emulator knows. */
const DEMO_CLIENT = { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' } as const;

/** Habits of the server that differ from Perspio's. */
type Habits = Pick<NonNullable<BeginOptions['overrides']>, 'rotation'>;

/** The registration at the emulated server: Perspio's profile, with the emulator's addresses in place of the real ones. */
export function registrationAt(
  emulator: Emulator,
  habits: Habits = {},
  client: BeginOptions['client'] = DEMO_CLIENT,
): BeginOptions {
  const { issuer, tokenEndpoint, authorizationEndpoint, jwksUri, apiBase } = emulator;
  return {
    provider: perspio.name,
    client,
    ...API_SETTINGS,
    overrides: {
      ...{ issuer, tokenEndpoint, authorizationEndpoint, jwksUri },
      api: { ...perspio.api, origins: [apiBase], base: apiBase },
      insecureLoopback: true,
      ...habits,
    },
  };
}

/** A connection that a scene begins with. */
export interface Granted {
  /** The connection, in the world's keeper. */
  readonly connection: Connection;
  /** Its access token. */
  readonly accessToken: string;
  /** Life of its access token. */
  readonly lifeMs: number;
  /** The requests that the token endpoint has seen for it, oldest first. */
  requests(): readonly LedgerEntry[];
}

/** Connects somebody who has just signed in, by importing the tokens. */
export async function connectAtOnce(world: World, habits?: Habits): Promise<Granted> {
  const { emulator } = world;
  const { grantId, accessToken, refreshToken, expiresIn, expiresAt } = await emulator.issueGrant();
  if (refreshToken === undefined) throw new TypeError('the emulator granted no refresh token');
  const keeper = await world.keeper();
  const connection = await keeper.add(NAME, {
    ...registrationAt(emulator, habits),
    tokens: { accessToken, refreshToken, accessExpiresAt: expiresAt },
  });
  return {
    connection,
    accessToken,
    lifeMs: expiresIn * 1000,
    requests: () => emulator.ledger.entries({ endpoint: 'token', grantId }),
  };
}
