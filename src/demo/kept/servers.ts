import { startEmulator, type Emulator } from '../../emulator/emulator.ts';
import type { World } from '../world.ts';

/** Short, so that something is always under way where a person looks on. */
export const STEADY_LIFE_SECONDS = [60, 90] as const;
const SHAKY_LIFE_SECONDS = [30, 45] as const;

/** The authorization servers of the world that is kept. */
export interface Servers extends AsyncDisposable {
  /** Answers always; it is the world's own. */
  readonly steady: Emulator;
  /** Has bad days. */
  readonly shaky: Emulator;
  /** Honours each refresh token once, and ends the grant when one comes again. */
  readonly strict: Emulator;
}

/** A server's name among them. */
export type ServerName = 'steady' | 'shaky' | 'strict';

/** Who can sign in, and does without a page; each connection has an account of its own. */
const USERS = [
  'demo',
  'fleet',
  'service',
  'yard',
  'crm',
  'archive',
  'fuel',
  'weighbridge',
  'supply',
];

/** How the world's own server begins. */
export const STEADY = {
  accessLifeSeconds: STEADY_LIFE_SECONDS,
  users: USERS.map((name) => ({ username: accountOf(name) })),
};

/** Starts the other servers. */
export async function startServers({ emulator }: World): Promise<Servers> {
  const { users } = STEADY;
  const shaky = await startEmulator({ users, accessLifeSeconds: SHAKY_LIFE_SECONDS });
  const strict = await startEmulator({
    users,
    accessLifeSeconds: SHAKY_LIFE_SECONDS,
    rotation: 'single-use',
  });
  return {
    ...{ steady: emulator, shaky, strict },
    async [Symbol.asyncDispose]() {
      await Promise.all([shaky.close(), strict.close()]);
    },
  };
}

/** A person's account. */
export function accountOf(name: string): string {
  return `${name}@perspio.io`;
}
