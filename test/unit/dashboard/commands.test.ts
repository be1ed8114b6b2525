import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';
import { root, sourceFiles } from '../../support/sources.ts';
import { collectingSession } from '../cli/run-cli.ts';

/*
 * The pages are built apart from the command line, whose options change: a command that they show must be one that it takes.
 */

const shown = sourceFiles()
  .filter((file) => file.startsWith('src/dashboard/'))
  .flatMap((file) => [
    ...readFileSync(path.join(root, file), 'utf8').matchAll(
      /(?<=(?<!task: )['"`>])evergrant [a-z][^'"`<]+(?=['"`<])/g,
    ),
  ])
  .map(([text]) =>
    text.replace(/\$\{anyAccount\}/g, ' --any-account').replace(/\$\{[^}]*\}/g, 'NAME'),
  );

describe('a command that the dashboard shows', () => {
  it('is found in its sources', () => {
    expect(shown).toContain('evergrant token my-connection');
    expect(shown.length).toBeGreaterThan(5);
  });

  it.each(shown)('is one that the command line takes: %s', async (text) => {
    // Understood whole, and then not run.
    const understood = new Error('understood');
    const program = buildProgram(collectingSession().session).hook('preAction', () => {
      throw understood;
    });
    const parsed = program.parseAsync(text.split(' ').slice(1), { from: 'user' });
    await expect(parsed).rejects.toBe(understood);
  });

  it.each(shown.filter((text) => text.includes('--provider perspio')))(
    'names what calls to Perspio need besides a token: %s',
    (text) => {
      expect(text).toMatch(/ --subscription-key-(file|stdin|fd)\b/);
      expect(text).toContain(' --perspio-tenant ');
    },
  );
});
