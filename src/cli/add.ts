import type { Command } from 'commander';
import {
  addRegistrationOptions,
  readRegistration,
  type RegistrationOptions,
} from './input/registration.ts';
import { parseInstant } from './input/instant.ts';
import { addSecretOptions, readSecret, requireSecret } from './input/secrets.ts';
import { printJson, tell, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withKeeper } from './with-home.ts';

interface AddOptions extends RegistrationOptions {
  readonly accessTokenExpires?: string;
  readonly replace?: boolean;
  readonly json?: boolean;
}

/** Adds `evergrant add`. */
export function addAddCommand(program: Command, session: Session): void {
  const command = program
    .command('add')
    .summary('import a refresh token obtained elsewhere')
    .description(
      'Imports tokens that were obtained elsewhere as a new connection. Secrets come from a file, a file descriptor, standard input, or are asked for.',
    )
    .argument('<name>', 'what to call the connection');
  addSecretOptions(command, 'refresh-token', 'the refresh token');
  addSecretOptions(
    command,
    'access-token',
    'an access token that still works, if there is one',
  ).option(
    '--access-token-expires <when>',
    'when that access token ends: 2027-01-31T12:00:00Z, or in 40m',
  );
  addRegistrationOptions(command)
    .option('--replace', 'replace the grant of an existing connection of that name')
    .option('--json', 'print where the connection stands as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  evergrant add perspio --client-id 0a1b… --client-secret-file secret.txt --refresh-token-file rt.txt',
    )
    .action((name: string, options: AddOptions) => add(session, name, options));
}

async function add(session: Session, name: string, options: AddOptions): Promise<void> {
  const registration = await readRegistration(session, name, options);
  const accessToken = await readSecret(session, options, 'access-token');
  const expires = options.accessTokenExpires;
  if ((accessToken === undefined) !== (expires === undefined)) {
    throw new UsageError('an access token and --access-token-expires go together');
  }
  const refreshToken = await requireSecret(session, options, 'refresh-token');
  const status = await withKeeper(
    session,
    async (keeper) => {
      const connection = await keeper.add(name, {
        ...registration,
        tokens: {
          refreshToken,
          ...(accessToken !== undefined && { accessToken }),
          ...(expires !== undefined && {
            accessExpiresAt: parseInstant(expires, '--access-token-expires', session.clock.now()),
          }),
        },
        replace: options.replace === true,
      });
      return connection.status();
    },
    { create: true, renewal: `--replace puts these tokens in the place of those of ${name}` },
  );
  if (options.json === true) return printJson(session, status);
  tell(session, `${name}: added; evergrant token ${name} prints an access token`);
}
