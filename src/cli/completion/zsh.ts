import {
  OPENING_FLAGS,
  OPENING_OPTIONS,
  type CommandGrammar,
  type Completes,
  type OptionGrammar,
} from './grammar.ts';

/** A completion script for zsh; works as a file of `$fpath` and with `eval`. */
export function zshCompletion(grammar: readonly CommandGrammar[]): string {
  return `#compdef evergrant
# zsh completion for evergrant; made by: evergrant completion zsh
_evergrant_connections() { compadd -- \${(f)"$(_evergrant_ask list --names)"} }
_evergrant_providers() { compadd -- \${(f)"$(_evergrant_ask providers --names)"} }
_evergrant_ask() {
  local -a typed=(\${(z)BUFFER}) opening
  local i word
  for ((i = 1; i <= $#typed; i++)); do
    word=\${typed[i]}
    case $word in
      (${OPENING_FLAGS.join('|')}) opening+=($word) ;;
      (${OPENING_OPTIONS.join('|')}) (( i < $#typed )) && opening+=($word \${(Q)typed[++i]/#\\~\\//$HOME/}) ;;
      (${OPENING_OPTIONS.map((name) => `${name}=*`).join('|')}) opening+=(\${word%%=*} \${(Q)\${word#*=}/#\\~\\//$HOME/}) ;;
    esac
  done
  evergrant $opening "$@" 2>/dev/null </dev/null
}
${grammar.map((command) => commandFunction(command, grammar)).join('\n')}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _evergrant "$@"; else compdef _evergrant evergrant; fi
`;
}

function nameOf(words: readonly string[]): string {
  return ['_evergrant', ...words].join('_').replaceAll('-', '_');
}

function commandFunction(command: CommandGrammar, grammar: readonly CommandGrammar[]): string {
  const specs = command.options.flatMap(optionSpecs);
  if (command.commands.length === 0) {
    return `${nameOf(command.words)}() {\n  _arguments -S ${[...specs, quote(`1:argument:${action(command.argument)}`), "'*::rest:_normal'"].join(' \\\n    ')}\n}`;
  }
  const children = grammar.filter(
    ({ words }) =>
      words.length === command.words.length + 1 &&
      command.words.every((word, index) => words[index] === word),
  );
  const described = children.map(({ words, description }) =>
    quote(`${words.at(-1) ?? ''}:${description}`),
  );
  const cases = children.map(({ words }) => `      ${words.at(-1) ?? ''}) ${nameOf(words)} ;;`);
  return `${nameOf(command.words)}() {
  local curcontext="$curcontext" state line
  _arguments -C -A '-*' ${[...specs, "'1: :->command'", "'*:: :->rest'"].join(' \\\n    ')}
  case $state in
    command) local -a commands=(${described.join(' ')}); _describe command commands ;;
    rest) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}`;
}

function optionSpecs({ long, short, description, value }: OptionGrammar): readonly string[] {
  const text = `[${description.replace(/[[\]:]/g, ' ')}]`;
  const rest = value === undefined ? text : `${text}:value:${action(value)}`;
  // With the sign of equality the value may be a word of its own or follow that sign.
  const names = [value === undefined ? long : `${long}=`, ...(short === undefined ? [] : [short])];
  return names.map((name) => quote(`*${name}${rest}`));
}

function action(what: Completes): string {
  switch (what.kind) {
    case 'words':
      return `(${what.words.join(' ')})`;
    case 'connection':
      return '_evergrant_connections';
    case 'provider':
      return '_evergrant_providers';
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'nothing':
      return ' ';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
