import type { Command } from 'commander';
import type { BeginOptions, SecretInput } from '../keeper-api.ts';
import { askDaemon } from './ask-daemon.ts';
import { parseDuration } from './input/duration.ts';
import {
  addRegistrationOptions,
  readRegistration,
  saysRegistration,
  type RegistrationOptions,
} from './input/registration.ts';
import { relativeTime } from './output/relative-time.ts';
import { print, printJson, tell, type Session } from './session.ts';

interface LinkOptions extends RegistrationOptions {
  readonly life?: string;
  readonly anyAccount?: boolean;
  readonly reconnect?: boolean;
  readonly socket?: string;
  readonly json?: boolean;
}

interface Link {
  readonly url: string;
  readonly redirectUri: string;
  readonly expiresAt: number;
}

/** Adds `evergrant link`. */
export function addLinkCommand(program: Command, session: Session): void {
  const command = program
    .command('link')
    .summary('make a link for the person who must consent')
    .description(
      'Prints an address at which a person consents in any browser, once: to renew the grant of a connection, or to begin the one that the ' +
        'options describe. The running daemon makes it and answers there, so daemon.listen is needed, and daemon.publicUrl for other machines.',
    )
    .argument('<name>', 'connection to begin, or to consent to once more');
  addRegistrationOptions(command)
    .option('--life <duration>', 'how long the link is good, 1m to 7d (default: 24h)')
    .option('--any-account', 'take whichever account signs in; else it must be the one before')
    .option('--reconnect', 'renew the grant of an existing connection with the options given')
    .option('--socket <path>', 'socket of the daemon (default: run/evergrant.sock in the home)')
    .option('--json', 'print the link as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  evergrant link perspio\n  evergrant link perspio --client-id 0a1b… --public-client --life 2h',
    )
    .action((name: string, options: LinkOptions) => link(session, name, options));
}

async function link(session: Session, name: string, options: LinkOptions): Promise<void> {
  const { life, anyAccount, reconnect, scope } = options;
  // Read here, so that what is wrong is told by the name of the option.
  if (life !== undefined) parseDuration(life, '--life');
  const registration = saysRegistration(options, ABOUT_THE_LINK)
    ? { ...toSend(await readRegistration(session, name, options)), reconnect }
    : { scope };
  const made = (await askDaemon(session, {
    socket: options.socket,
    target: '/v1/connect-links',
    body: { name, ...registration, life, anyAccount },
  })) as Link;
  if (options.json === true) return printJson(session, made);
  print(session, made.url);
  const ends = relativeTime(made.expiresAt, session.clock.now());
  tell(
    session,
    `send this address to the person who must consent; it is good for one browser, and ends ${ends}. ` +
      `The authorization server must know the redirect URI ${made.redirectUri}`,
  );
}

/** Options that do not say what the connection is to be; with these alone it stays as it is. */
const ABOUT_THE_LINK: readonly string[] = [
  'scope',
  'life',
  'anyAccount',
  'reconnect',
  'socket',
  'json',
] satisfies readonly (keyof LinkOptions)[];

/** The socket is the owner's alone, so secrets may go through it as they are. */
function toSend({ client, subscriptionKey, ...rest }: BeginOptions): object {
  return {
    ...rest,
    client: { ...client, clientSecret: revealed(client.clientSecret) },
    subscriptionKey: revealed(subscriptionKey),
  };
}

function revealed(secret: SecretInput | undefined): string | undefined {
  return secret === undefined || typeof secret === 'string' ? secret : secret.reveal();
}
