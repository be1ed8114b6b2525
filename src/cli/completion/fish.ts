import type { CommandGrammar, Completes, OptionGrammar } from './grammar.ts';

/** A completion script for fish. */
export function fishCompletion(grammar: readonly CommandGrammar[]): string {
  const lines = grammar.flatMap((command) => [
    ...argumentLines(command, grammar),
    ...command.options.map((option) => optionLine(command, option)),
  ]);
  return `# fish completion for evergrant; made by: evergrant completion fish
function __evergrant_words
  string join ' ' (commandline -opc | string match -v -- '-*')
end
function __evergrant_within
  string match -q -- (string join ' ' evergrant $argv)' *' (__evergrant_words)' '
end
function __evergrant_at
  test (__evergrant_words) = (string join ' ' evergrant $argv)
end
complete -c evergrant -f
${lines.join('\n')}
`;
}

/** The commands within a command, or what its first argument may be. */
function argumentLines(
  { words, commands, argument }: CommandGrammar,
  grammar: readonly CommandGrammar[],
): readonly string[] {
  if (commands.length === 0) {
    const choices = candidates(argument);
    return choices === undefined
      ? []
      : [line(`-n '__evergrant_within ${words.join(' ')}'`, choices)];
  }
  return commands.map((name) => {
    const path = [...words, name].join(' ');
    const child = grammar.find((command) => command.words.join(' ') === path);
    const when = `-n '${['__evergrant_at', ...words].join(' ')}'`;
    return line(when, `-a ${name}`, `-d ${quote(child?.description ?? '')}`);
  });
}

function optionLine(
  { words }: CommandGrammar,
  { long, short, description, value }: OptionGrammar,
): string {
  return line(
    words.length > 0 && `-n '__evergrant_within ${words.join(' ')}'`,
    short !== undefined && `-s ${short.slice(1)}`,
    `-l ${long.slice(2)}`,
    value !== undefined &&
      `${value.kind === 'file' ? '-r' : '-x'} ${candidates(value) ?? ''}`.trim(),
    `-d ${quote(description)}`,
  );
}

function line(...parts: readonly (string | false)[]): string {
  return ['complete -c evergrant', ...parts.filter((part) => part !== false)].join(' ');
}

function candidates(what: Completes): string | undefined {
  switch (what.kind) {
    case 'words':
      return `-a '${what.words.join(' ')}'`;
    case 'connection':
      return "-a '(evergrant list --names 2>/dev/null)'";
    case 'provider':
      return "-a '(evergrant providers --names 2>/dev/null)'";
    case 'file':
      return '-F';
    case 'folder':
      return "-a '(__fish_complete_directories)'";
    case 'nothing':
      return undefined;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
