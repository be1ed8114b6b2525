import { Command, type CommanderError } from 'commander';
import { readGrammar } from '../completion/grammar.ts';
import { hint } from '../output/failure.ts';
import { UsageError } from '../usage-error.ts';
import { addGlobalOptions } from './global-options.ts';
import { nearest } from './nearest.ts';

/*
 * Arguments that nobody understands: what is told of them, and what may have been meant.
 */

/** Of an unknown option, nothing but its name is repeated. */
const UNKNOWN_OPTION = /^unknown option '(--[\w-]*|-\w?|).*$/s;

/**
 * To `help` for a command that does not exist commander answers with all the others.
 *
 * @throws {@link UsageError} instead.
 */
export function refuseUnknownHelp(program: Command, argv: readonly string[]): void {
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
export function misreadError(
  error: CommanderError,
  program: Command,
  argv: readonly string[],
): UsageError {
  const [first = '', second = ''] = error.message.split('\n');
  const message = first.replace(/^error: /, '').replace(UNKNOWN_OPTION, "unknown option '$1'");
  const failure = new UsageError(message);
  if (isOfProgram(message, argv)) {
    hint(failure, 'what is for the program comes after --: evergrant exec NAME -- PROGRAM …');
    return failure;
  }
  const suggestion =
    /^\(Did you mean (.*)\?\)$/.exec(second)?.[1] ?? nearestOption(message, program);
  hint(failure, suggestion === undefined ? helpFor(program, argv) : `did you mean ${suggestion}?`);
  return failure;
}

/** Whether an unknown option stands behind the program that `evergrant exec` is to run. */
function isOfProgram(message: string, argv: readonly string[]): boolean {
  const [command, , program] = operandsOf(argv);
  return UNKNOWN_OPTION.test(message) && command === 'exec' && program !== undefined;
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
