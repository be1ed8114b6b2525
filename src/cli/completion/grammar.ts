import type { Argument, Command, Option } from 'commander';

/** What may stand at a place of the command line. */
export type Completes =
  | { readonly kind: 'connection' | 'provider' | 'file' | 'folder' | 'nothing' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

/** Options with a value that say which home it is and open it: connections are looked up with them. What would ask or read standard input is none. */
export const OPENING_OPTIONS: readonly string[] = ['--home', '--key-file', '--passphrase-file'];

/** The same without a value. */
export const OPENING_FLAGS: readonly string[] = ['--keychain', '--direct'];

/** An option as completion needs it. */
export interface OptionGrammar {
  /** `--home`. */
  readonly long: string;
  /** `-H`, where there is one. */
  readonly short: string | undefined;
  /** One line for people. */
  readonly description: string;
  /** What its value may be; undefined for a flag. */
  readonly value: Completes | undefined;
}

/** A command as completion needs it; commands within commands have their own line. */
export interface CommandGrammar {
  /** The words that name it, e.g. `client set-secret`; empty for the program itself. */
  readonly words: readonly string[];
  /** One line for people. */
  readonly description: string;
  /** Names of the commands within it. */
  readonly commands: readonly string[];
  /** Its options and the global ones. */
  readonly options: readonly OptionGrammar[];
  /** What its first argument may be. */
  readonly argument: Completes;
}

/** Reads the grammar of the command line out of the program that parses it. The first command is the program itself. */
export function readGrammar(program: Command): readonly CommandGrammar[] {
  const global = program.options.map(optionGrammar);
  return [program, ...descendants(program)].map((command) => ({
    words: pathOf(command),
    description: command.summary() || command.description(),
    commands: command.commands.map((child) => child.name()),
    options: [...(command === program ? [] : command.options.map(optionGrammar)), ...global, HELP],
    argument: completes(command.registeredArguments[0]),
  }));
}

const HELP: OptionGrammar = {
  long: '--help',
  short: '-h',
  description: 'show help',
  value: undefined,
};

function descendants(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

function pathOf(command: Command): readonly string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

function optionGrammar(option: Option): OptionGrammar {
  return {
    long: option.long ?? '',
    short: option.short,
    description: option.description,
    value: option.required || option.optional ? valueOf(option) : undefined,
  };
}

function valueOf(option: Option): Completes {
  if (option.argChoices !== undefined) return { kind: 'words', words: option.argChoices };
  if (option.long === '--provider') return { kind: 'provider' };
  if (option.flags.includes('<file>')) return { kind: 'file' };
  return { kind: option.flags.includes('<dir>') ? 'folder' : 'nothing' };
}

function completes(argument: Argument | undefined): Completes {
  if (argument?.argChoices !== undefined) return { kind: 'words', words: argument.argChoices };
  if (argument?.name() === 'file') return { kind: 'file' };
  if (argument?.name() !== 'name') return { kind: 'nothing' };
  return {
    kind: argument.description.startsWith('connection')
      ? 'connection'
      : argument.description.startsWith('profile')
        ? 'provider'
        : 'nothing',
  };
}
