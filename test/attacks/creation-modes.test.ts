import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeTemporaryFolder, removeFolder } from '../../src/system/temporary-folder.ts';

/*
 * No file or folder of a home is open to others at any instant: not even between its making and a chmod. So what counts is the mode that
 * each call of the kernel asks for, under a umask that takes nothing away.
 */

const LONGEST_MS = 120_000;
/** Calls that make something, change its mode, or take it away; which of them there are differs between machines. */
const CALLS = [
  ...['open', 'openat', 'creat', 'mkdir', 'mkdirat', 'mknod', 'mknodat'],
  ...['chmod', 'fchmod', 'fchmodat', 'fchmodat2'],
  ...['unlink', 'unlinkat', 'rename', 'renameat', 'renameat2'],
];

let folder: string;

beforeEach(async () => {
  folder = await makeTemporaryFolder('evergrant-modes-');
});

afterEach(() => removeFolder(folder));

/** One call that gave something in the home a mode. */
interface Made {
  readonly line: string;
  readonly call: string;
  readonly mode: number;
}

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs the life of a home under strace. @returns each call that made something in it or changed a mode. */
function livesOf(home: string, ...loose: string[]): readonly Made[] {
  const trace = path.join(folder, 'trace');
  const script = path.join(import.meta.dirname, 'life-of-a-home.process.ts');
  const node = [process.execPath, '--conditions=evergrant-test', script, home, ...loose];
  const under = [
    '-f',
    '-qq',
    '-y',
    '-o',
    trace,
    '-e',
    `trace=${CALLS.map((call) => `?${call}`).join(',')}`,
  ];
  const { status, stderr } = spawnSync('strace', [...under, ...node], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const there = new Set<string>();
  return readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line.includes(home) && !line.includes(' = -1 '))
    .flatMap((line) => madeBy(line, there));
}

/** @param there - what was made before and is still there: to open it once more makes nothing. */
function madeBy(line: string, there: Set<string>): readonly Made[] {
  const [, call = '', rest = ''] = /^\d+ +(\w+)\((.*)\) += /.exec(line) ?? [];
  const [name = ''] = /"[^"]*"/.exec(rest) ?? [];
  if (/^(unlink|rename)/.test(call)) there.delete(name);
  const isOpen = call.startsWith('open');
  const mode = /, (0[0-7]*)$/.exec(rest)?.[1];
  if (mode === undefined || (isOpen && (!rest.includes('O_CREAT') || there.has(name)))) return [];
  there.add(name);
  return [{ line, call, mode: parseInt(mode, 8) }];
}

it(
  'everything in a home is made for its owner alone, and never opened to others later',
  (context) => {
    if (!canTrace()) return context.skip('not run: strace is missing, or may not trace here');
    const home = path.join(folder, 'home');
    const made = livesOf(home);
    const named = (suffix: string): boolean =>
      made.some(({ line }) => line.includes(`${suffix}"`) || line.includes(`${suffix}>`));
    for (const part of ['store', 'run', 'key', 'spill'])
      expect([part, named(part)]).toEqual([part, true]);
    for (const part of ['.db', '-wal', '-shm', '.life', '.tmp']) {
      expect([part, named(part)]).toEqual([part, true]);
    }
    const loose = made.filter(({ mode }) => (mode & 0o077) !== 0).map(({ line }) => line);
    expect(loose).toEqual([]);
    // The same look finds a file that was open to others for an instant.
    const caught = livesOf(path.join(folder, 'other'), 'loose');
    expect(caught.filter(({ mode }) => (mode & 0o077) !== 0).length).toBeGreaterThan(0);
  },
  LONGEST_MS,
);
