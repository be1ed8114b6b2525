import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
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

describe('an option that the daemon cannot begin with', () => {
  let home: string;

  beforeEach(async () => {
    home = await makeTemporaryFolder('evergrant-serve-');
  });

  afterEach(() => removeFolder(home));

  it.each([
    ['0.0.0.0:7343', '--listen 0.0.0.0 can be reached by others, so TLS is needed'],
    ['127.0.0.1:99999', '--listen 127.0.0.1:99999 is no address and port'],
  ])('is named as it was written at the command line: %s', async (address, message) => {
    const run = await runCli(['serve', '--home', home, '--listen', address]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(`evergrant: ${message}`);
  });

  it('is named with its line in the settings', async () => {
    const file = path.join(home, 'settings.json');
    const settings = { daemon: { log: 'text', listen: '0.0.0.0:7343' } };
    await writeFile(file, JSON.stringify(settings, undefined, 1), { mode: 0o600 });
    const run = await runCli(['serve', '--home', home]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(
      `evergrant: ${file}: line 4: daemon.listen 0.0.0.0 can be reached`,
    );
  });
});
