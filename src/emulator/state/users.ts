import { guidOf } from '../fingerprint.ts';
import type { EmulatorUser } from '../options.ts';

/** Of a user for whom none was given. */
export const DEFAULT_PASSWORD = 'demo-password';

/** A person in the emulated directory. */
export interface DirectoryUser {
  readonly username: string;
  readonly password: string;
  readonly name: string;
  /** Object id, the `oid` claim. */
  readonly oid: string;
  disabled: boolean;
  /** Refresh tokens issued before this instant are dead; undefined until the first mass revocation. */
  tokensValidFromAt: number | undefined;
  /** Scopes consented to, by client id. */
  readonly consents: Map<string, Set<string>>;
}

/** The people of the directory. */
export interface Users {
  /** @throws TypeError when there is nobody of that name. */
  find(username: string): DirectoryUser;
  /** Nobody of that name: undefined. */
  look(username: string): DirectoryUser | undefined;
  all(): readonly DirectoryUser[];
}

/** Enters the users given into an empty directory. */
export function createUsers(given: readonly EmulatorUser[]): Users {
  const users = new Map<string, DirectoryUser>();
  for (const { username, password = DEFAULT_PASSWORD, name = username } of given) {
    users.set(username, {
      username,
      password,
      name,
      oid: guidOf(`user ${username}`),
      disabled: false,
      tokensValidFromAt: undefined,
      consents: new Map(),
    });
  }
  return {
    find(username) {
      const user = users.get(username);
      if (user === undefined) throw new TypeError(`the emulator has no user ${username}`);
      return user;
    },
    look: (username) => users.get(username),
    all: () => [...users.values()],
  };
}

/** Records that a user consented to scopes for a client. */
export function consent(user: DirectoryUser, clientId: string, scopes: readonly string[]): void {
  const given = user.consents.get(clientId) ?? new Set();
  for (const scope of scopes) given.add(scope);
  user.consents.set(clientId, given);
}
