import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImports, root, sourceFiles } from '../../support/sources.ts';

/*
 * POSIX drops all of a process's locks on a file when it closes any descriptor of that file. So nothing may open a file that SQLite has
 * open: what looks at one uses lstat, what removes one unlinks it.
 */

/** Functions of system/files.ts that open the path they are given. */
const OPENING = [
  'createPrivateFile',
  'createPrivateFileWith',
  'readPrivateFile',
  'writePrivateFile',
  'readSystemFile',
  'systemFiles',
];

const storeFiles = sourceFiles().filter((file) => file.startsWith('src/store/'));
const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** Calls of a function in a file, with their first argument. */
function callsIn(file: string, name: string): string[] {
  const calls = textOf(file).matchAll(new RegExp(`\\b${name}\\(([\\w.]+)`, 'g'));
  return [...calls].map(([, given = '']) => `${file}: ${name}(${given})`);
}

describe('a file that SQLite has open', () => {
  it('is named by the store alone', () => {
    const naming = sourceFiles().filter((file) => /evergrant\.db|\.life[`']/.test(textOf(file)));
    const others = naming.filter((file) => !file.startsWith('src/store/sqlite/'));
    // The demo reads the files of a home that is closed; the doctor looks at owner and mode.
    const known = ['src/cli/doctor/home.ts', 'src/demo/disk.ts'];
    expect(others.filter((file) => !known.includes(file))).toEqual([]);
    expect(callsIn('src/cli/doctor/home.ts', 'readPrivateFile')).toEqual([]);
  });

  it('is never opened through node:fs: the store opens its mark, its key and new files, and no others', () => {
    const opened = storeFiles.flatMap((file) => OPENING.flatMap((name) => callsIn(file, name)));
    expect(opened.sort()).toEqual([
      'src/store/master-key.ts: createPrivateFileWith(source.path)',
      'src/store/master-key.ts: readPrivateFile(path)',
      'src/store/sqlite/life.ts: createPrivateFile(path)',
      'src/store/sqlite/mark.ts: readPrivateFile(path)',
      'src/store/sqlite/mark.ts: writePrivateFile(path)',
      'src/store/sqlite/open.ts: createPrivateFile(path)',
      'src/store/sqlite/upkeep.ts: createPrivateFile(target)',
    ]);
  });

  it('is out of reach of the rest, since the store imports no file system of its own', () => {
    const imports = storeFiles.flatMap((file) =>
      readImports(file).map(({ specifier }) => specifier),
    );
    expect(imports.filter((specifier) => /^(node:)?fs(\/|$)/.test(specifier))).toEqual([]);
  });
});
