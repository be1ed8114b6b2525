import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { browse } from '../support/browser.ts';
import { evergrant, startEvergrant, type Ended, type Running } from '../support/run-evergrant.ts';
import { root } from '../support/sources.ts';

/*
 * What `evergrant emulator` prints can be pasted into a shell as it is.
 */

const PATIENCE_MS = 180_000;

let folder: string;
let running: Running | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-e2e-'));
});

afterEach(async () => {
  running?.child.kill('SIGTERM');
  await running?.ended;
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

interface Announced {
  readonly user: string;
  readonly commands: { readonly connect: string; readonly add: string };
}

/** As typed, whatever runs the tests. */
function startEmulator(...options: readonly string[]): Running {
  return startEvergrant(['emulator', ...options], { env: { npm_command: undefined } });
}

async function emulator(...options: readonly string[]): Promise<Announced> {
  running = startEmulator('--json', ...options);
  const [line] = (await once(running.child.stdout!, 'data')) as [Buffer];
  return JSON.parse(line.toString('utf8')) as Announced;
}

/** Runs a line in bash, where `evergrant` is the one of the sources. */
async function paste(
  line: string,
  onTold: (told: string) => void = () => undefined,
): Promise<Ended> {
  const shim = path.join(folder, 'evergrant');
  const main = path.join(root, 'src/cli/start.ts');
  await writeFile(shim, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o700 });
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    NODE_OPTIONS: '--conditions=evergrant-test',
    EVERGRANT_HOME: path.join(folder, 'home'),
    DISPLAY: undefined,
    WAYLAND_DISPLAY: undefined,
  };
  const child = spawn('bash', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
    onTold(stderr);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}

describe('the commands that the emulator prints', () => {
  it(
    'add a connection, of the rotation that the emulator has, that can be refreshed and used',
    async () => {
      const { commands } = await emulator('--rotation', 'grace', '--grace', '40s');
      expect(await paste(commands.add)).toMatchObject({ code: 0, stdout: '' });
      expect((await paste('evergrant refresh emulated')).code).toBe(0);
      expect((await paste('evergrant call emulated /assets/v3/')).code).toBe(0);
      const { stdout } = await paste('evergrant show emulated --json');
      expect(JSON.parse(stdout)).toMatchObject({ rotation: 'grace', state: 'active' });
    },
    PATIENCE_MS,
  );

  it(
    'connect by a sign-in, over https as well',
    async () => {
      const { commands, user } = await emulator(
        ...['--tls', '--ca-file', path.join(folder, 'ca.pem')],
        ...['--auto-sign-in', 'other@perspio.io'],
      );
      expect(user).toBe('other@perspio.io');
      // A device needs no browser here: whoever is signed in at once is so there as well.
      const ended = await paste(`${commands.connect} --grant device`);
      expect(ended.stderr).toContain('emulated: connected as ');
      expect(ended.code).toBe(0);
      expect((await paste(commands.add.replace(' add ', ' add --replace '))).code).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'connect by the page that a browser is sent to',
    async () => {
      const { commands } = await emulator();
      let visit: Promise<unknown> | undefined;
      const ended = await paste(commands.connect, (told) => {
        const address = /\n {2}(http\S+)\n/.exec(told)?.[1];
        if (address !== undefined) visit ??= browse(address);
      });
      await visit;
      expect(ended.stderr).toContain('emulated: connected as ');
    },
    PATIENCE_MS,
  );

  it('stand below the client, the account and the key, each on a line', async () => {
    running = startEmulator('--tls');
    const told = await running.told(/running until Ctrl-C/);
    running.child.kill('SIGINT');
    const { stdout, stderr } = await running.ended;
    expect(told).toBe('running until Ctrl-C');
    expect(stdout).toMatch(/^clientId +perspio-demo$/m);
    expect(stdout).toMatch(/^clientSecret +demo~secret\+1$/m);
    expect(stdout).toMatch(/^user +demo@perspio\.io$/m);
    expect(stdout).toMatch(/^password +demo-password$/m);
    expect(stdout).toMatch(/^subscriptionKey +demo-subscription-key$/m);
    expect(stderr).toMatch(/^ {2}evergrant connect emulated --provider perspio /m);
    expect(stderr).toMatch(/^ {2}evergrant add emulated --provider perspio /m);
    expect(stderr).toContain('Start the emulator with --ca-file FILE, so that it is trusted.');
  });
});

describe('the emulator', () => {
  it.each([
    [['--grace', '5s'], '--grace goes with --rotation grace'],
    [['--grace', '5s', '--rotation', 'reusable'], '--grace goes with --rotation grace'],
    [['--auto-sign-in', 'demo@perspio.oi'], 'hint: did you mean demo@perspio.io?'],
    [['--ca-file', '/no/such/folder/ca.pem'], '--ca-file goes with --tls'],
    [['--tls', '--ca-file', '/no/such/folder/ca.pem'], 'cannot be written (ENOENT)'],
  ])('refuses %j', async (options, reason) => {
    const ended = await evergrant(['emulator', ...options]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(reason);
  });
});
