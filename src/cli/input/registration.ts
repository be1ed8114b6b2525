import type { Command } from 'commander';
import type { BeginOptions, ClientOptions } from '../../keeper-api.ts';
import { hint } from '../output/failure.ts';
import { warn, type Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import { askSecretOrNothing, askText } from './ask.ts';
import { parseInstant } from './instant.ts';
import { addProfileOptions, overridesOf, type ProfileOptions } from './profile-options.ts';
import { requireProvider } from './provider-name.ts';
import { addSecretOptions, readSecret, type OptionValues } from './secrets.ts';

/** Options shared by the commands that begin a connection, as commander reads them. */
export interface RegistrationOptions extends OptionValues, ProfileOptions {
  readonly provider?: string;
  readonly clientId?: string;
  readonly publicClient?: boolean;
  readonly clientSecretExpires?: string;
  readonly clientAuth?: NonNullable<ClientOptions['authentication']>;
  readonly scope?: string;
  readonly perspioTenant?: string;
}

/** Declares them. */
export function addRegistrationOptions(command: Command): Command {
  command
    .option(
      '--provider <name>',
      'provider profile, see evergrant providers (default: the one named like the connection)',
    )
    .option('--client-id <id>', 'client id of the registration');
  addSecretOptions(command, 'client-secret', 'the client secret')
    .option('--public-client', 'the client has no secret; do not ask for one')
    .option(
      '--client-secret-expires <when>',
      'when the secret ends, to be warned ahead: 2027-01-31, or in 180d',
    )
    .addOption(
      command
        .createOption(
          '--client-auth <method>',
          'how the client proves itself, instead of what the profile says',
        )
        .choices(['none', 'client_secret_post', 'client_secret_basic', 'client_secret_basic_raw']),
    )
    .option('--scope <scopes>', 'scopes, separated by spaces, instead of those of the profile');
  addSecretOptions(command, 'subscription-key', "the key of Perspio's API gateway").option(
    '--perspio-tenant <id>',
    "Perspio's tenant id, for the tid header",
  );
  return addProfileOptions(command);
}

/**
 * Reads what every way to begin a connection takes, asking at a terminal for what is missing.
 *
 * @param name - of the connection; also the provider's where no option names one.
 * @throws {@link UsageError} naming the option that is wrong or missing.
 */
export async function readRegistration(
  session: Session,
  name: string,
  options: RegistrationOptions,
): Promise<BeginOptions> {
  const provider = requireProvider(options.provider, name);
  const clientId = options.clientId ?? (await askClientId(session));
  const clientSecret = await clientSecretOf(session, options);
  const expires = options.clientSecretExpires;
  const subscriptionKey = await readSecret(session, options, 'subscription-key');
  return {
    provider: provider.name,
    client: {
      clientId,
      ...(clientSecret !== undefined && { clientSecret }),
      ...(expires !== undefined && {
        clientSecretExpiresAt: parseInstant(
          expires,
          '--client-secret-expires',
          session.clock.now(),
        ),
      }),
      ...(options.clientAuth !== undefined && { authentication: options.clientAuth }),
    },
    overrides: overridesOf(provider, options),
    ...(options.scope !== undefined && { scope: options.scope }),
    ...(subscriptionKey !== undefined && { subscriptionKey }),
    ...(options.perspioTenant !== undefined && { perspioTenantId: options.perspioTenant }),
  };
}

async function askClientId(session: Session): Promise<string> {
  if (session.stdin.isTTY === true) return askText(session, 'client id');
  const error = new UsageError('--client-id is missing');
  hint(error, 'it is the id of your registration at the authorization server');
  throw error;
}

async function clientSecretOf(
  session: Session,
  options: RegistrationOptions,
): ReturnType<typeof readSecret> {
  const secret = await readSecret(session, options, 'client-secret');
  const isPublic = options.publicClient === true || options.clientAuth === 'none';
  if (secret !== undefined && isPublic)
    throw new UsageError('a public client has no secret; give one or the other');
  if (secret !== undefined || isPublic) return secret;
  if (session.stdin.isTTY !== true) {
    // A script in which the option was forgotten would learn of it from the server, after the person has signed in.
    warn(
      session,
      'no client secret is given, so the client is taken for a public one; --public-client says so',
    );
    return undefined;
  }
  return askSecretOrNothing(session, 'client secret (empty for a public client)');
}

/**
 * Whether options say anything of a registration; without a word the connection keeps its own.
 *
 * @param others - names of the command's options that are about something else.
 */
export function saysRegistration(options: object, others: readonly string[]): boolean {
  return Object.keys(options).some((name) => !others.includes(name));
}
