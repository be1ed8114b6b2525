import { Command, CommanderError } from 'commander';
import { VERSION } from '../system/version.ts';
import { addAddCommand } from './add.ts';
import { addAuditCommand } from './audit.ts';
import { addBackupCommand } from './backup.ts';
import { addCallCommand } from './call.ts';
import { addClientCommand } from './client.ts';
import { addCompletionCommand } from './completion.ts';
import { readGrammar } from './completion/grammar.ts';
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
import { hint } from './output/failure.ts';
import { addPauseCommand, addResumeCommand } from './pause.ts';
import { addProvidersCommand } from './providers.ts';
import { addRefreshCommand } from './refresh.ts';
import { addRenameCommand } from './rename.ts';
import { GLOBAL_OPTIONS, refuseEmptyValues, type GlobalValues } from './input/global-options.ts';
import { nearest } from './input/nearest.ts';
import { refuseSecretArguments } from './input/refused-arguments.ts';
import type { Session } from './session.ts';
import { addServeCommand } from './serve.ts';
import { addShowCommand } from './show.ts';
import { addTokenCommand } from './token.ts';
import { UsageError } from './usage-error.ts';

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

/** Of an unknown option, nothing but its name is repeated. */
const UNKNOWN_OPTION = /^unknown option '(--[\w-]*|-\w?|).*$/s;

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

function addGlobalOptions(command: Command): void {
  for (const { name, value, description } of GLOBAL_OPTIONS) {
    command.option(value === undefined ? `--${name}` : `--${name} <${value}>`, description);
  }
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
    else throw usageError(error, program, argv);
  }
}

/** To `help` for a command that does not exist commander answers with all the others. */
function refuseUnknownHelp(program: Command, argv: readonly string[]): void {
  const operands = operandsOf(argv);
  const at = operands.indexOf('help');
  const [asked] = operands.slice(at + 1);
  const [group] = operands.slice(0, at);
  const parent = group === undefined ? program : childOf(program, group);
  if (at < 0 || at > 1 || asked === undefined || parent === undefined) return;
  if (parent.commands.length === 0 || childOf(parent, asked) !== undefined) return;
  const failure = new UsageError(`unknown command '${asked}'`);
  const close = nearest(
    asked,
    parent.commands.map((child) => child.name()),
  );
  hint(failure, close === undefined ? helpFor(program, operands) : `did you mean ${close}?`);
  throw failure;
}

/** The words that are no options; none where the program itself will say what is wrong. */
function operandsOf(argv: readonly string[]): readonly string[] {
  const reader = new Command().exitOverride().configureOutput({ outputError: () => undefined });
  addGlobalOptions(reader);
  try {
    return reader.parseOptions([...argv]).operands;
  } catch {
    return [];
  }
}

function childOf(command: Command, name: string): Command | undefined {
  return command.commands.find((child) => child.name() === name);
}

/** Commander's message, without what followed the name of a misspelt option: it may be a secret. */
function usageError(error: CommanderError, program: Command, argv: readonly string[]): UsageError {
  const [first = '', second = ''] = error.message.split('\n');
  const message = first.replace(/^error: /, '').replace(UNKNOWN_OPTION, "unknown option '$1'");
  const failure = new UsageError(message);
  const suggestion =
    /^\(Did you mean (.*)\?\)$/.exec(second)?.[1] ?? nearestOption(message, program);
  hint(failure, suggestion === undefined ? helpFor(program, argv) : `did you mean ${suggestion}?`);
  return failure;
}

function nearestOption(message: string, program: Command): string | undefined {
  const unknown = /^unknown option '(--[\w-]+)'/.exec(message)?.[1];
  if (unknown === undefined) return undefined;
  const known = readGrammar(program).flatMap(({ options }) => options.map(({ long }) => long));
  return nearest(unknown, known);
}

function helpFor(program: Command, argv: readonly string[]): string {
  const command = program.commands.find((child) => argv.includes(child.name()));
  return command === undefined
    ? 'evergrant --help shows all commands'
    : `evergrant ${command.name()} --help shows what it takes`;
}

function exitCodeHelp(): string {
  const lines = [...EXIT_CODES].map(
    ([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`,
  );
  return `Exit codes:\n${lines.join('\n')}`;
}
