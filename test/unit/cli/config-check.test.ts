import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
import { runCli, type Run } from './run-cli.ts';

let home: string;
let file: string;

beforeEach(async () => {
  home = await makeTemporaryFolder('evergrant-config-');
  file = path.join(home, 'settings.json');
});

afterEach(() => removeFolder(home));

async function check(settings: object, mode = 0o600): Promise<Run> {
  await writeFile(file, JSON.stringify(settings, undefined, 1));
  await chmod(file, mode);
  const environment = { PATH: '/usr/bin:/bin' };
  return runCli(['config', 'check', '--home', home], { environment });
}

describe('evergrant config check', () => {
  it('says what is in order', async () => {
    const run = await check({ notifyCommand: ['/bin/sh', '-c', 'true'] });
    expect(run).toEqual({ code: 0, stdout: `${file}: in order\n`, stderr: '' });
  });

  it.each([
    [['/nowhere/notify'], 'notifyCommand /nowhere/notify is not there, or no program'],
    [['/etc'], 'notifyCommand /etc is not there, or no program'],
    [['./notify'], 'notifyCommand ./notify is another one in every folder'],
    [['no-such-program-x'], 'notifyCommand no-such-program-x is in no folder of PATH'],
  ])('refuses a program that cannot be run: %s', async (notifyCommand, message) => {
    const run = await check({ notifyCommand });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(`evergrant: ${file}: line 2: ${message}`);
  });

  it.each([
    [{ notifyCommand: ['sh'] }, 'line 2: notifyCommand sh is looked for in PATH'],
    [
      { daemon: { publicUrl: 'https://a.example' } },
      'line 3: daemon.publicUrl does nothing without daemon.listen',
    ],
    [{ daemon: { hosts: ['a.example'] } }, 'line 3: daemon.hosts does nothing without'],
  ])('warns of what may not do what it should: %j', async (settings, message) => {
    const run = await check(settings);
    expect(run).toMatchObject({ code: 0, stdout: `${file}: in order but for the warnings\n` });
    expect(run.stderr).toContain(`evergrant: warning: ${file}: ${message}`);
  });

  it.each([
    [{ listen: '0.0.0.0:7343' }, 3, 'daemon.listen 0.0.0.0 can be reached by others, so TLS'],
    [{ listen: '127.0.0.1:99999' }, 3, 'daemon.listen 127.0.0.1:99999 is no address and port'],
    [
      { log: 'text', tlsCertificateFile: '/nowhere/cert', tlsKeyFile: '/nowhere/key' },
      4,
      'daemon.tlsCertificateFile /nowhere/cert cannot be read',
    ],
  ])(
    'names file and line of what the daemon could not begin with: %j',
    async (daemon, line, message) => {
      const run = await check({ daemon });
      expect(run).toMatchObject({ code: 2, stdout: '' });
      expect(run.stderr).toContain(`evergrant: ${file}: line ${String(line)}: ${message}`);
    },
  );

  it('exits with 9 when others can open the settings', async () => {
    expect(await check({}, 0o644)).toMatchObject({ code: 9, stdout: '' });
  });
});
