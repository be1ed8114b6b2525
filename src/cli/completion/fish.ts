import type { CommandGrammar, Completes, OptionGrammar } from './grammar.ts';

/** A completion script for fish. */
export function fishCompletion(grammar: readonly CommandGrammar[]): string {
  const lines = grammar.flatMap((command) => [
    ...commandLines(command, grammar),
    ...command.options.map((option) => optionLine(command, option)),
  ]);
  return `# fish completion for evergrant; made by: evergrant completion fish
complete -c evergrant -f
${lines.join('\n')}
`;
}

/** Says when a line holds: these words were typed, and no word of `unless`. */
function condition(words: readonly string[], unless: readonly string[]): string {
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
  const absent = unless.length === 0 ? [] : [`not __fish_seen_subcommand_from ${unless.join(' ')}`];
  return [...seen, ...absent].join('; and ');
}

function commandLines(
  command: CommandGrammar,
  grammar: readonly CommandGrammar[],
): readonly string[] {
  if (command.commands.length === 0) {
    const choices = candidates(command.argument);
    return choices === undefined
      ? []
      : [`complete -c evergrant -n '${condition(command.words, [])}' ${choices}`];
  }
  const when = condition(command.words, command.commands);
  return command.commands.map((name) => {
    const child = grammar.find(
      ({ words }) => words.join(' ') === [...command.words, name].join(' '),
    );
    return `complete -c evergrant -n '${when}' -a ${name} -d ${quote(child?.description ?? '')}`;
  });
}

function optionLine(
  { words }: CommandGrammar,
  { long, short, description, value }: OptionGrammar,
): string {
  const parts = [
    'complete -c evergrant',
    words.length === 0 ? '' : `-n '${condition(words, [])}'`,
    short === undefined ? '' : `-s ${short.slice(1)}`,
    `-l ${long.slice(2)}`,
    value === undefined ? '' : `-r ${candidates(value) ?? ''}`,
    `-d ${quote(description)}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
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
