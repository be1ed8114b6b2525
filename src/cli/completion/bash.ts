import { OPENING_FLAGS, OPENING_OPTIONS, type CommandGrammar, type Completes } from './grammar.ts';

/** A completion script for bash 3.2 and newer. */
export function bashCompletion(grammar: readonly CommandGrammar[]): string {
  return `# bash completion for evergrant; made by: evergrant completion bash
_evergrant_plain() {
  local word=$1
  case $word in
    \\"*\\" | \\'*\\') word=\${word:1:\${#word}-2} ;;
    "~/"*) word=$HOME/\${word:2} ;;
  esac
  printf '%s' "\${word//\\\\/}"
}
_evergrant_ask() {
  evergrant \${opening[@]+"\${opening[@]}"} "$@" 2>/dev/null </dev/null
}
_evergrant() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path="" first=1 word i
  local -a opening=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${OPENING_FLAGS.join('|')}) opening+=("$word") ;;
      ${OPENING_OPTIONS.join('|')})
        [[ \${COMP_WORDS[i+1]} == = ]] && ((i++))
        ((++i < COMP_CWORD)) && opening+=("$word" "$(_evergrant_plain "\${COMP_WORDS[i]}")")
        continue ;;
    esac
    case "$path $word" in
${grammar
  .filter(({ words }) => words.length > 0)
  .map(pathCase)
  .join('\n')}
      *) [[ $word != -* && -n $path ]] && first=0 ;;
    esac
  done
  case "$path:$previous" in
${grammar.flatMap(optionCases).join('\n')}
  esac
  if [[ $current == -* ]]; then
    case "$path" in
${grammar.map(optionNames).join('\n')}
    esac
    return
  fi
  ((first)) || return
  case "$path" in
${grammar.map(argumentCase).join('\n')}
  esac
}
complete -o default -F _evergrant evergrant
`;
}

function pathCase({ words }: CommandGrammar): string {
  const before = words
    .slice(0, -1)
    .map((word) => ` ${word}`)
    .join('');
  const path = words.map((word) => ` ${word}`).join('');
  return `      "${before} ${words.at(-1) ?? ''}") path="${path}" ;;`;
}

function optionCases({ words, options }: CommandGrammar): readonly string[] {
  const path = words.map((word) => ` ${word}`).join('');
  return options.flatMap(({ long, short, value }) => {
    if (value === undefined) return [];
    const patterns = [long, ...(short === undefined ? [] : [short])].map(
      (name) => `"${path}:${name}"`,
    );
    return [`    ${patterns.join('|')}) ${reply(value)}; return ;;`];
  });
}

function optionNames({ words, options }: CommandGrammar): string {
  const path = words.map((word) => ` ${word}`).join('');
  return `      "${path}") COMPREPLY=($(compgen -W "${options.map(({ long }) => long).join(' ')}" -- "$current")) ;;`;
}

function argumentCase({ words, commands, argument }: CommandGrammar): string {
  const path = words.map((word) => ` ${word}`).join('');
  const what: Completes = commands.length > 0 ? { kind: 'words', words: commands } : argument;
  return `    "${path}") ${reply(what)} ;;`;
}

function reply(what: Completes): string {
  switch (what.kind) {
    case 'words':
      return `COMPREPLY=($(compgen -W "${what.words.join(' ')}" -- "$current"))`;
    case 'connection':
      return 'COMPREPLY=($(compgen -W "$(_evergrant_ask list --names)" -- "$current"))';
    case 'provider':
      return 'COMPREPLY=($(compgen -W "$(_evergrant_ask providers --names)" -- "$current"))';
    case 'file':
      return 'COMPREPLY=($(compgen -f -- "$current"))';
    case 'folder':
      return 'COMPREPLY=($(compgen -d -- "$current"))';
    case 'nothing':
      return ':';
  }
}
