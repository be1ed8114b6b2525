import { globSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { BAR, FOLDERS, USUAL } from './folders.ts';
import { judgeMutants } from './judge-mutants.ts';
import { makeMutatedCopy, type Mutant } from './mutated-copy.ts';
import type { Verdicts } from './verdicts.ts';

/*
 * Measures how many small changes of a folder of `src/` its unit tests notice: `npm run mutate -- connection`; with `gate states` after it, in
 * these files alone. Prints the mutants that survive and the folder's row of docs/mutation.md, and ends with 1 when the score is below the bar.
 */

const [name = '', ...only] = process.argv.slice(2);
const chosen = FOLDERS[name];
if (chosen === undefined) {
  console.log(`folders: ${Object.keys(FOLDERS).join(', ')}`);
  process.exit(2);
}
const files = globSync(`${chosen.sources}/**/*.ts`).map((file) => path.basename(file, '.ts'));
const unknown = only.find((file) => !files.includes(file));
if (unknown !== undefined) {
  console.log(`no file ${unknown} in ${chosen.sources}; its files: ${files.sort().join(', ')}`);
  process.exit(2);
}
const { folder, mutants } = await makeMutatedCopy(chosen.sources);
try {
  const judged = mutants.filter(({ where }) => only.length === 0 || only.includes(fileOf(where)));
  const ids = judged.map(({ id }) => id);
  const { effort = USUAL } = chosen;
  const verdicts = await judgeMutants(folder, { tests: testFiles(), effort, mutants: ids });
  process.exitCode = report(judged, verdicts) < BAR ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Files of tests, in the copy. */
function testFiles(): string[] {
  return (FOLDERS[name]?.tests ?? [])
    .map((test) => path.join(folder, test))
    .flatMap((test) => (statSync(test).isFile() ? test : globSync(`${test}/**/*.test.ts`)))
    .sort();
}

/** Prints what was found. @returns the score. */
function report(judged: readonly Mutant[], verdicts: Verdicts): number {
  const of = (...states: readonly string[]): readonly Mutant[] =>
    judged.filter(({ id }) => states.includes(verdicts[id]?.state ?? ''));
  for (const { id, where, mutator, original, replacement } of of('survived', 'not reached'))
    console.log(`${where} ${mutator}, ${verdicts[id]?.state ?? ''}: ${original} → ${replacement}`);
  for (const file of new Set(judged.map(({ where }) => fileOf(where)))) {
    const here = judged.filter(({ where }) => fileOf(where) === file);
    const left = of('survived', 'not reached').filter(({ where }) => fileOf(where) === file);
    console.log(`${file}: ${left.length} of ${here.length} survive`);
  }
  const killed = of('killed').length;
  const endless = of('timed out').length;
  const score = (100 * (killed + endless)) / judged.length;
  const left = judged.length - killed - endless;
  const row = [chosen?.sources, judged.length, killed, endless, left, `${score.toFixed(1)} %`];
  console.log(`| ${row.join(' | ')} |`);
  return score;
}

function fileOf(where: string): string {
  return path.basename(where.replace(/:\d+$/, ''), '.ts');
}
