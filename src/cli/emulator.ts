import type { Command } from 'commander';
import type { Emulator } from '../emulator/emulator.ts';
import type { EmulatorOptions, Rotation } from '../emulator/options.ts';
import { errnoOf } from '../system/file-errors.ts';
import { writePrivateFile } from '../system/files.ts';
import { accessTo } from './emulator/access.ts';
import { announce } from './emulator/announce.ts';
import { parseDuration } from './input/duration.ts';
import { untilAborted } from './interruption.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

interface EmulatorCommandOptions {
  readonly port?: string;
  readonly apiPort?: string;
  readonly tls?: boolean;
  readonly caFile?: string;
  readonly rotation?: Rotation;
  readonly grace?: string;
  readonly life?: string;
  readonly refreshIn?: string;
  readonly family: boolean;
  readonly autoSignIn?: string;
  readonly seed?: string;
  readonly json?: boolean;
}

/** Adds `evergrant emulator`. */
export function addEmulatorCommand(program: Command, session: Session): void {
  program
    .command('emulator')
    .summary('run an authorization server and API to test against')
    .description(
      'Runs, on loopback, an emulator of Microsoft Entra ID and of the PerspioTalk API, until it is interrupted. Nothing it issues is worth anything elsewhere.',
    )
    .option('--port <number>', 'port of the authorization server (default: any free one)')
    .option('--api-port <number>', 'port of the API (default: any free one)')
    .option('--tls', 'https, by a throw-away authority')
    .option('--ca-file <file>', 'where to write the certificate of that authority')
    .addOption(
      program
        .createOption('--rotation <kind>', 'what a refresh does to the refresh token')
        .choices(['none', 'reusable', 'grace', 'single-use']),
    )
    .option('--grace <duration>', 'for grace: how long the old refresh token stays good')
    .option('--life <duration>', 'life of access tokens (default: 60 to 90 minutes)')
    .option('--refresh-in <duration>', 'announce refresh_in in token answers')
    .option('--no-family', 'reuse of a refresh token does not revoke its family')
    .option('--auto-sign-in <user>', 'sign this user in at once, without a page')
    .option('--seed <number>', 'make every draw repeatable')
    .option('--json', 'print the endpoints as JSON on one line')
    .addHelpText(
      'after',
      '\nExample:\n  evergrant emulator --rotation single-use --life 5m --auto-sign-in demo@perspio.io',
    )
    .action((options: EmulatorCommandOptions) => runEmulator(session, options));
}

async function runEmulator(session: Session, options: EmulatorCommandOptions): Promise<void> {
  if (options.caFile !== undefined && options.tls !== true)
    throw new UsageError('--ca-file goes with --tls');
  if (options.grace !== undefined && options.rotation !== 'grace')
    throw new UsageError('--grace goes with --rotation grace');
  const settings = settingsOf(options);
  const { startEmulator } = await import('../emulator/emulator.ts');
  const access = await accessTo(options.autoSignIn);
  const emulator = await startEmulator(settings).catch((error: unknown) => {
    throw new UsageError(
      `the emulator cannot start: ${error instanceof Error ? error.message : 'no reason known'}`,
    );
  });
  try {
    await writeAuthority(options.caFile, emulator);
    announce(session, emulator, access, options);
    await untilAborted(session.signal);
  } finally {
    await emulator.close();
  }
  session.signal.throwIfAborted();
}

async function writeAuthority(file: string | undefined, emulator: Emulator): Promise<void> {
  if (file === undefined || emulator.caCertificate === undefined) return;
  try {
    await writePrivateFile(file, emulator.caCertificate);
  } catch (error) {
    const errno = errnoOf(error instanceof Error ? error.cause : undefined);
    throw new UsageError(`--ca-file ${file} cannot be written (${errno ?? 'no reason known'})`);
  }
}

function settingsOf(options: EmulatorCommandOptions): EmulatorOptions {
  const { port, apiPort, grace, life, refreshIn, seed } = options;
  return {
    ...(port !== undefined && { port: wholeNumber(port, '--port', 65_535) }),
    ...(apiPort !== undefined && { apiPort: wholeNumber(apiPort, '--api-port', 65_535) }),
    ...(options.tls === true && { tls: true }),
    ...(options.rotation !== undefined && { rotation: options.rotation }),
    ...(grace !== undefined && { graceMs: parseDuration(grace, '--grace') }),
    ...(life !== undefined && { accessLifeSeconds: parseDuration(life, '--life') / 1000 }),
    ...(refreshIn !== undefined && {
      refreshInSeconds: parseDuration(refreshIn, '--refresh-in') / 1000,
    }),
    ...(!options.family && { revokesFamily: false }),
    ...(options.autoSignIn !== undefined && { autoSignIn: options.autoSignIn }),
    ...(seed !== undefined && { seed: wholeNumber(seed, '--seed', 2 ** 32 - 1) }),
  };
}

function wholeNumber(text: string, option: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new UsageError(`${option} takes a whole number from 0 to ${String(most)}`);
}
