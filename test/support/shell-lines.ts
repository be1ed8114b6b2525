/** The arguments of each `evergrant` in a shell script, as text; comments are left out. */
export function commandsIn(script: string): string[] {
  const lines = script.replace(/\\\n\s*/g, ' ').split('\n');
  return lines
    .filter((line) => !/^\s*#/.test(line))
    .flatMap((line) =>
      [...line.matchAll(/(?<=^|[\s("'`|;&])evergrant /g)].map((start) =>
        untilItsEnd(line.slice(start.index + start[0].length)),
      ),
    );
}

/** Cuts at the first sign outside quotes that ends a command, redirects it or begins a comment. */
function untilItsEnd(text: string): string {
  let quote = '';
  for (const [i, sign] of [...text].entries()) {
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === '<' || sign === '>')
      return text
        .slice(0, i)
        .replace(/\s\d+$/, '')
        .trim();
    else if ('|;&)`'.includes(sign) || text.slice(i - 1, i + 1).includes(' #')) {
      return text.slice(0, i).trim();
    }
  }
  return text.trim();
}

/** Splits a command into words as a shell does, quotes removed. */
export function words(command: string): string[] {
  const found = command.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return found.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}
