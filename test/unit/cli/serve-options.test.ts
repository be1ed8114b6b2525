import { describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

describe('an option of evergrant serve that would be wrong in settings.json', () => {
  const long = `/${'a'.repeat(100)}`;
  it.each([
    ['--log', 'foo', 'must be text, json or journal'],
    ['--log', 'JSON', 'must be text, json or journal'],
    ['--log', '', 'must be text, json or journal'],
    ['--socket', 'rel.sock', 'must be an absolute path'],
    ['--socket', long, 'must have at most 100 bytes'],
    ['--listen', '7343', 'must be an address and a port, such as 127.0.0.1:7343'],
  ])('is refused as there: %s %s', async (option, value, message) => {
    const run = await runCli(['serve', '--home', '/nowhere', option, value]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr.split('\n')[0]).toBe(`evergrant: ${option} ${message}`);
  });
});
