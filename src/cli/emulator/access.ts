import { nearest } from '../input/nearest.ts';
import { hint } from '../output/failure.ts';
import { UsageError } from '../usage-error.ts';

/** What a client of an emulator has to know and to hold. */
export interface EmulatorAccess {
  /** The registration. */
  readonly clientId: string;
  /** Its secret. */
  readonly clientSecret: string;
  /** Who can sign in. */
  readonly user: string;
  /** With what. */
  readonly password: string;
  /** What the gateway of the API demands. */
  readonly subscriptionKey: string;
  /** The same, as the `tid` header. */
  readonly perspioTenantId: string;
}

/**
 * What the emulator's defaults let a client hold, and the user who is signed in, or can be.
 *
 * @throws {@link UsageError} when the emulator knows nobody of that name.
 */
export async function accessTo(autoSignIn: string | undefined): Promise<EmulatorAccess> {
  const { resolveSettings } = await import('../../emulator/settings.ts');
  const { DEFAULT_PASSWORD } = await import('../../emulator/state/users.ts');
  const { clients, users, subscriptionKey, perspioTenantId } = resolveSettings();
  const names = users.map(({ username }) => username);
  const [client] = clients;
  const user = users.find(({ username }) => username === (autoSignIn ?? names[0]));
  if (user === undefined) throw unknownUser(autoSignIn ?? '', names);
  return {
    clientId: client?.clientId ?? '',
    clientSecret: client?.clientSecret ?? '',
    user: user.username,
    password: user.password ?? DEFAULT_PASSWORD,
    subscriptionKey,
    perspioTenantId,
  };
}

function unknownUser(name: string, names: readonly string[]): UsageError {
  const error = new UsageError(
    `--auto-sign-in ${name}: there is no such user; there are ${names.join(', ')}`,
  );
  const close = nearest(name, names);
  if (close !== undefined) hint(error, `did you mean ${close}?`);
  return error;
}
