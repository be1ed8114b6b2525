import type { Command } from 'commander';
import type { ConnectOptions, ReconnectOptions } from '../keeper-api.ts';
import { consentAtTerminal } from './input/consent.ts';
import {
  addRegistrationOptions,
  readRegistration,
  saysRegistration,
  type RegistrationOptions,
} from './input/registration.ts';
import { hint } from './output/failure.ts';
import { relativeTime } from './output/relative-time.ts';
import { printJson, tell, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withKeeper } from './with-home.ts';

interface ConnectCommandOptions extends RegistrationOptions {
  readonly grant?: NonNullable<ConnectOptions['grant']>;
  readonly browser: boolean;
  readonly redirectPort?: string;
  readonly redirectUri?: string;
  readonly reconnect?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Adds `evergrant connect`. */
export function addConnectCommand(program: Command, session: Session): void {
  const command = program
    .command('connect')
    .summary('begin a connection: sign in and consent')
    .description(
      'Begins a connection: you sign in and consent once, or the client proves itself. From then on evergrant token works.',
    )
    .argument('<name>', 'what to call the connection');
  addRegistrationOptions(command)
    .addOption(
      command
        .createOption(
          '--grant <kind>',
          'how to begin: by browser, the default, by a code at another device, or as the client itself',
        )
        .choices(['code', 'device', 'client-credentials']),
    )
    .option(
      '--no-browser',
      'open no browser: print the address, and take the one it ended at from standard input',
    )
    .option(
      '--redirect-port <number>',
      'port that the browser comes back to (default: any free one)',
    )
    .option(
      '--redirect-uri <url>',
      'whole redirect URI, where it is registered with a path; its host must be loopback',
    )
    .option(
      '--reconnect',
      'renew the grant of an existing connection of that name, as it was begun unless options say otherwise',
    )
    .option('-y, --yes', 'do not ask whether the account is the right one')
    .option('--json', 'print where the connection stands as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  evergrant connect perspio --client-id 0a1b… --subscription-key-file key.txt --perspio-tenant in-example' +
        '\n  evergrant connect perspio --reconnect' +
        '\n  evergrant connect ci --provider generic --issuer https://login.example.com --client-id ci --grant client-credentials',
    )
    .action((name: string, options: ConnectCommandOptions) => connect(session, name, options));
}

async function connect(
  session: Session,
  name: string,
  options: ConnectCommandOptions,
): Promise<void> {
  const isBare = !saysRegistration(options, HOW_TO_SIGN_IN);
  const isAsBefore = options.reconnect === true && isBare;
  const registration = isAsBefore
    ? undefined
    : await readRegistration(session, name, options).catch((error: unknown) => {
        // Whoever gives the name alone may have connected long ago.
        if (isBare && error instanceof UsageError)
          hint(
            error,
            `a connection that exists is renewed by: evergrant connect ${name} --reconnect`,
          );
        throw error;
      });
  const status = await withKeeper(
    session,
    async (keeper) => {
      const consent = consentOptions(session, options);
      const connection =
        registration === undefined
          ? await keeper.reconnect(name, consent)
          : await keeper.connect(name, {
              ...registration,
              ...consent,
              grant: options.grant ?? 'code',
              reconnect: options.reconnect === true,
            });
      return connection.status();
    },
    // A daemon has no terminal to ask the person at; the store keeps the two out of each other's way.
    { create: !isAsBefore, isLocal: true, renewal: `--reconnect renews the grant of ${name}` },
  );
  if (options.json === true) return printJson(session, status);
  const account = status.account === undefined ? '' : ` as ${status.account}`;
  const expiry = relativeTime(status.accessExpiresAt, session.clock.now());
  tell(
    session,
    `${name}: connected${account}; the access token expires ${expiry}, evergrant token ${name} prints it`,
  );
}

/** Options that say how to sign in, not as whom; with these alone a connection keeps its registration. */
const HOW_TO_SIGN_IN: readonly string[] = [
  'grant',
  'browser',
  'redirectPort',
  'redirectUri',
  'reconnect',
  'yes',
  'json',
  'scope',
] satisfies readonly (keyof ConnectCommandOptions)[];

function consentOptions(session: Session, options: ConnectCommandOptions): ReconnectOptions {
  const { grant, browser, redirectPort, redirectUri, scope } = options;
  return {
    prompt: consentAtTerminal(session, { browser, yes: options.yes === true }),
    signal: session.signal,
    ...(grant !== undefined && { grant }),
    ...(scope !== undefined && { scope }),
    ...(redirectPort !== undefined && { redirectPort: portOf(redirectPort) }),
    ...(redirectUri !== undefined && { redirectUri }),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port <= 65_535) return port;
  throw new UsageError('--redirect-port takes a port, 1 to 65535');
}
