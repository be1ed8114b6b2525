import {
  OPENING_FLAGS,
  OPENING_OPTIONS,
  type CommandGrammar,
  type Completes,
  type OptionGrammar,
} from './grammar.ts';

/** A completion script for fish. */
export function fishCompletion(grammar: readonly CommandGrammar[]): string {
  const lines = grammar.flatMap((command) => [
    ...argumentLines(command, grammar),
    ...command.options.map((option) => optionLine(command, option)),
  ]);
  return `# fish completion for evergrant; made by: evergrant completion fish
function __evergrant_words
  set -l words
  set -l takes 0
  for word in (commandline -opc)
    if test $takes = 1
      set takes 0
    else if contains -- $word ${withValue(grammar).join(' ')}
      set takes 1
    else if not string match -q -- '-*' $word
      set -a words $word
    end
  end
  string join ' ' $words
end
function __evergrant_within
  string match -q -- (string join ' ' evergrant $argv)' *' (__evergrant_words)' '
end
function __evergrant_at
  test (__evergrant_words) = (string join ' ' evergrant $argv)
end
function __evergrant_ask
  set -l opening
  set -l takes 0
  for word in (commandline -opc)
    if test $takes = 1
      set -a opening (string replace -r '^~/' $HOME/ -- $word)
      set takes 0
      continue
    end
    switch $word
      case ${OPENING_FLAGS.join(' ')}
        set -a opening $word
      case ${OPENING_OPTIONS.join(' ')}
        set -a opening $word
        set takes 1
      case ${OPENING_OPTIONS.map((name) => `'${name}=*'`).join(' ')}
        set -a opening $word
    end
  end
  test $takes = 0; and evergrant $opening $argv 2>/dev/null </dev/null
end
complete -c evergrant -f
${lines.join('\n')}
`;
}

/** Global options whose value is a word of its own. */
function withValue(grammar: readonly CommandGrammar[]): readonly string[] {
  const options = grammar[0]?.options ?? [];
  return options.flatMap(({ long, value }) => (value === undefined ? [] : [long]));
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
      return "-a '(__evergrant_ask list --names)'";
    case 'provider':
      return "-a '(__evergrant_ask providers --names)'";
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
