import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { testOnlyCode } from './test-only-code.ts';

/** One change of the sources. */
export interface Mutant {
  /** Names it inside one run. */
  readonly id: string;
  /** File and line, relative to the root. */
  readonly where: string;
  /** Kind of change. */
  readonly mutator: string;
  /** What stood there. */
  readonly original: string;
  /** What stands there instead. */
  readonly replacement: string;
}

const root = path.resolve(import.meta.dirname, '../..');
const quiet = {
  ...{ isTraceEnabled: no, isDebugEnabled: no, isInfoEnabled: no },
  ...{ isWarnEnabled: no, isErrorEnabled: no, isFatalEnabled: no },
  ...{ trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing },
  fatal: nothing,
};

/**
 * Copies what the tests need to a new folder and builds every mutant of `sources` into the copy. All sleep until `__stryker__.activeMutant` of the
 * global object names one. What only `#failpoints` reach is left as it is, since the published code does not hold it.
 */
export async function makeMutatedCopy(
  sources: string,
): Promise<{ readonly folder: string; readonly mutants: readonly Mutant[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'evergrant-mutants-'));
  for (const name of ['src', 'test', 'tools', 'package.json', 'tsconfig.json'])
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  const files = readdirSync(path.join(folder, sources), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${sources}/${name}`);
  const texts = new Map(files.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
  const made = await new Instrumenter(quiet).instrument(
    Array.from(texts, ([name, content]) => ({ name, content, mutate: true })),
    { ignorers: [testOnlyCode], excludedMutations: [], plugins: null },
  );
  for (const { name, content } of made.files) writeFileSync(path.join(folder, name), content);
  const live = made.mutants.filter(({ status }) => status !== 'Ignored');
  const mutants = live.map(({ id, fileName, location, mutatorName, replacement }) => ({
    id,
    where: `${fileName}:${String(location.start.line + 1)}`,
    mutator: mutatorName,
    original: between(texts.get(fileName) ?? '', location),
    replacement: oneLine(replacement),
  }));
  return { folder, mutants };
}

interface Position {
  readonly line: number;
  readonly column: number;
}

function between(text: string, { start, end }: { start: Position; end: Position }): string {
  const lines = text.split('\n').slice(start.line, end.line + 1);
  const last = lines.length - 1;
  const cut = lines.map((line, i) =>
    line.slice(i === 0 ? start.column : 0, i === last ? end.column : undefined),
  );
  return oneLine(cut.join('\n'));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

function no(): boolean {
  return false;
}

function nothing(): void {}
