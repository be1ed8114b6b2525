import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readGrammar } from '../../../src/cli/completion/grammar.ts';
import { EXIT_CODES } from '../../../src/cli/exit-codes.ts';
import { GLOBAL_OPTIONS } from '../../../src/cli/input/global-options.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { root } from '../../support/sources.ts';
import { collectingSession } from './run-cli.ts';

const page = readFileSync(path.join(root, 'docs/cli.md'), 'utf8');
const sections = new Map(
  page
    .split(/^### evergrant /m)
    .slice(1)
    .map((text) => {
      const [heading = '', ...body] = text.split('\n');
      return [heading.replace(/ [[A-Z-].*$/, ''), body.join('\n').split(/^## /m)[0] ?? ''];
    }),
);
const commands = readGrammar(buildProgram(collectingSession().session)).filter(
  ({ words, commands: inner }) => words.length > 0 && inner.length === 0,
);
const everywhere = ['--help', '--version', ...GLOBAL_OPTIONS.map(({ name }) => `--${name}`)];

describe('docs/cli.md', () => {
  it('has a section for each command, and for no other', () => {
    expect([...sections.keys()].sort()).toEqual(
      commands.map(({ words }) => words.join(' ')).sort(),
    );
  });

  it.each(commands.map((command) => [command.words.join(' '), command] as const))(
    'names the options of evergrant %s, and no other',
    (name, { options }) => {
      const text = (sections.get(name) ?? '')
        .replace(/```[^]*?```/g, '')
        .replace(/`evergrant [^`]*`|`[a-z]+ --[^`]*`/g, '');
      const named = new Set(text.match(/--[a-z][\w-]*/g));
      const known = options.map(({ long }) => long).filter((long) => !everywhere.includes(long));
      expect([...named].sort()).toEqual([...new Set(known)].sort());
    },
  );

  it('names the options that every command takes', () => {
    const [intro = ''] = page.split(/^## /m);
    expect(everywhere.filter((option) => !intro.includes(`\`${option}`))).toEqual([]);
  });

  it('shows the table of exit codes that the program uses', () => {
    const rows = [...page.matchAll(/^\| (\d+) +\| (.+?) +\|$/gm)].map(([, code, meaning]) => [
      Number(code),
      meaning,
    ]);
    expect(rows).toEqual([...EXIT_CODES]);
  });
});
