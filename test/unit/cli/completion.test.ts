import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

let folder: string;
let script: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'evergrant-completion-'));
  script = path.join(folder, 'completion.bash');
  writeFileSync(script, (await runCli(['completion', 'bash'])).stdout);
  const command = path.join(folder, 'evergrant');
  writeFileSync(
    command,
    `#!/bin/sh
home=
while :; do case "$1" in --home) home="$2"; shift 2;; --key-file) shift 2;; --direct) shift;; *) break;; esac; done
case "$home:$1" in
  :list) echo perspio; echo other;;
  /homes/two:list | "$HOME/two:list" | "/my homes/two:list") echo second;;
  :providers) echo entra;;
esac
`,
  );
  chmodSync(command, 0o755);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What bash offers for a line that ends at its last word. */
function complete(...words: readonly string[]): readonly string[] {
  const driver = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _evergrant; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const answer = execFileSync(
    'bash',
    ['--norc', '-c', driver, 'bash', script, 'evergrant', ...words],
    {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    },
  );
  return answer.split('\n').filter((line) => line !== '');
}

describe('completion in bash', () => {
  it('offers commands, and those within a command', () => {
    expect(complete('')).toEqual(expect.arrayContaining(['token', 'connect', 'doctor']));
    expect(complete('conn')).toEqual(['connect']);
    expect(complete('client', '')).toEqual(expect.arrayContaining(['list', 'set-secret']));
  });

  it('offers the connections that there are, once', () => {
    expect(complete('token', '')).toEqual(['perspio', 'other']);
    expect(complete('token', '--json', 'p')).toEqual(['perspio']);
    expect(complete('token', 'perspio', '')).toEqual([]);
    expect(complete('connect', '')).toEqual([]);
  });

  it.each([
    [['--home', '/homes/two', 'token', '']],
    [['token', '--home', '/homes/two', '']],
    [['token', '--home', '=', '/homes/two', '']],
    [['--direct', '--key-file', '/k', '--home', '~/two', 'show', '']],
    [['--home', '"/my homes/two"', 'show', '']],
    [['--home', '/my\\ homes/two', 'show', '']],
  ])('offers those of the home that is named: %j', (words) => {
    expect(complete(...words)).toEqual(['second']);
  });

  it('takes the value of a global option for nothing else', () => {
    expect(complete('--home', 'client', '')).toEqual(expect.arrayContaining(['token', 'client']));
    expect(complete('client', '--home', '/homes/two', '')).toContain('set-secret');
  });

  it('offers options and their values', () => {
    expect(complete('token', '--')).toEqual(
      expect.arrayContaining(['--min-life', '--home', '--help']),
    );
    expect(complete('connect', 'x', '--provider', '')).toEqual(['entra']);
    expect(complete('connect', 'x', '--rotation', 's')).toEqual(['single-use']);
    expect(complete('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });
});

describe.each(['zsh', 'fish'])('completion in %s', (shell) => {
  it('names every command and every long option', async () => {
    const { stdout } = await runCli(['completion', shell]);
    for (const word of [
      'token',
      'set-secret',
      'min-life',
      'no-browser',
      'list --names',
      'providers --names',
    ]) {
      expect(stdout).toContain(word);
    }
  });

  it('looks connections up in the home that is named', async () => {
    const { stdout } = await runCli(['completion', shell]);
    expect(stdout).toMatch(/_evergrant_ask list --names/);
    expect(stdout).toMatch(/evergrant \$opening .*<\/dev\/null/);
  });

  it('is a script that the shell accepts', async (context) => {
    if (spawnSync(shell, ['--version']).error !== undefined)
      return context.skip(`not run: ${shell} is not on this machine`);
    const file = path.join(folder, `completion.${shell}`);
    writeFileSync(file, (await runCli(['completion', shell])).stdout);
    expect(spawnSync(shell, ['-n', file], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });
});
