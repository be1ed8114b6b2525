import { Command, CommanderError } from 'commander';
import { VERSION } from '../system/version.ts';
import { addAddCommand } from './add.ts';
import { addAuditCommand } from './audit.ts';
import { addBackupCommand } from './backup.ts';
import { addCallCommand } from './call.ts';
import { addClientCommand } from './client.ts';
import { addCompletionCommand } from './completion.ts';
import { addConfigCommand } from './config.ts';
import { addConnectCommand } from './connect.ts';
import { addDashboardCommand } from './dashboard.ts';
import { addDemoCommand } from './demo.ts';
import { addDisconnectCommand } from './disconnect.ts';
import { addDoctorCommand } from './doctor.ts';
import { addEmulatorCommand } from './emulator.ts';
import { addExecCommand } from './exec.ts';
import { addExplainCommand } from './explain.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { addKeyCommand } from './key.ts';
import { addKeyForCommand } from './key-for.ts';
import { addLinkCommand } from './link.ts';
import { addListCommand } from './list.ts';
import { addPauseCommand, addResumeCommand } from './pause.ts';
import { addProvidersCommand } from './providers.ts';
import { addRefreshCommand } from './refresh.ts';
import { addRenameCommand } from './rename.ts';
import { addGlobalOptions, refuseEmptyValues, type GlobalValues } from './input/global-options.ts';
import { misreadError, refuseUnknownHelp } from './input/misread.ts';
import { refuseSecretArguments } from './input/refused-arguments.ts';
import type { Session } from './session.ts';
import { addServeCommand } from './serve.ts';
import { addShowCommand } from './show.ts';
import { addTokenCommand } from './token.ts';

/** Every command, in the order of the help text. */
const COMMANDS = [
  addConnectCommand,
  addLinkCommand,
  addAddCommand,
  addTokenCommand,
  addCallCommand,
  addExecCommand,
  addListCommand,
  addShowCommand,
  addExplainCommand,
  addRefreshCommand,
  addPauseCommand,
  addResumeCommand,
  addRenameCommand,
  addDisconnectCommand,
  addClientCommand,
  addKeyCommand,
  addServeCommand,
  addDashboardCommand,
  addKeyForCommand,
  addAuditCommand,
  addConfigCommand,
  addBackupCommand,
  addProvidersCommand,
  addDoctorCommand,
  addEmulatorCommand,
  addDemoCommand,
  addCompletionCommand,
];

/** Of help texts, on every terminal and without one. */
const HELP_WIDTH = 100;

/** Builds the whole command line. Nothing is run, asked or printed until its arguments are parsed. */
export function buildProgram(session: Session): Command {
  const program = new Command('evergrant')
    .description('Keeps OAuth 2.0 connections alive, unattended.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .addHelpText('after', `\n${exitCodeHelp()}`)
    .configureOutput({
      writeOut: (text) => void session.stdout.write(text),
      writeErr: (text) => void session.stderr.write(text),
      // What commander would print is reported like every other failure.
      outputError: () => undefined,
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    })
    .exitOverride()
    .hook('preAction', () => {
      session.globals = program.opts<GlobalValues>();
      refuseEmptyValues(session.globals);
    });
  addGlobalOptions(program);
  for (const add of COMMANDS) add(program, session);
  return program;
}

/**
 * Runs one command.
 *
 * @param argv - the arguments without program and script.
 * @throws {@link UsageError} for what cannot be understood, and whatever the command throws.
 */
export async function runProgram(argv: readonly string[], session: Session): Promise<void> {
  refuseSecretArguments(argv);
  const program = buildProgram(session);
  refuseUnknownHelp(program, argv);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // A command is missing; commander has shown those that there are.
    if (error.exitCode === 0) return;
    if (error.code === 'commander.help') session.exitCode = 2;
    else throw misreadError(error, program, argv);
  }
}

function exitCodeHelp(): string {
  const lines = [...EXIT_CODES].map(
    ([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`,
  );
  return `Exit codes:\n${lines.join('\n')}`;
}
