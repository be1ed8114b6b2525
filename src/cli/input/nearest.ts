/** The candidate most like `word`, or undefined when none is like it: more than a third of the letters would have to change. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const scored = candidates
    .map((candidate) => ({ candidate, distance: distanceBetween(word, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.max(word.length, candidate.length) / 3)
    .sort((a, b) => a.distance - b.distance);
  return scored[0]?.candidate;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other, upper and lower case alike. */
function distanceBetween(from: string, to: string): number {
  const source = [...from.toLowerCase()];
  const target = [...to.toLowerCase()];
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: target.length + 1 }, (_, column) => column);
  for (const [line, letter] of source.entries()) {
    const next = [line + 1];
    for (const [column, other] of target.entries()) {
      const isSwapped = letter === target[column - 1] && other === source[line - 1];
      next.push(
        Math.min(
          (row[column] ?? 0) + (letter === other ? 0 : 1),
          (row[column + 1] ?? 0) + 1,
          (next[column] ?? 0) + 1,
          isSwapped ? (before[column - 1] ?? 0) + 1 : Infinity,
        ),
      );
    }
    before = row;
    row = next;
  }
  return row.at(-1) ?? 0;
}
