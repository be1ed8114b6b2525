import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Emulator, EmulatorOptions } from '../../src/emulator/emulator.ts';
import { openKeeper } from '../../src/keeper.ts';
import { systemClock } from '../../src/system/clock.ts';
import { emulatorFixture } from '../support/emulator-fixture.ts';
import {
  evergrant,
  startEvergrant,
  type Ended,
  type RunOptions,
} from '../support/run-evergrant.ts';

// Chains of processes, on a machine that has other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/*
 * The command line as processes of its own, against an emulator in this one.
 */

const SECRET = 'demo~secret+1';
const startEmulator = emulatorFixture();

let folder: string;
let home: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-e2e-'));
  home = path.join(folder, 'home');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, content: string, mode = 0o600): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, content, { mode });
  return target;
}

/** Runs a command in the home of the test. No secret of the test may appear in what it says. */
async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const ended = await evergrant([...argv, '--home', home], options);
  expect(ended.stdout + ended.stderr).not.toContain(SECRET);
  return ended;
}

/** Imports a fresh grant of the emulator under a name. */
async function add(
  emulator: Emulator,
  name: string,
  ...further: readonly string[]
): Promise<Ended> {
  const { refreshToken = '' } = await emulator.issueGrant();
  const ended = await run(
    [
      'add',
      name,
      '--provider',
      'generic',
      '--token-endpoint',
      emulator.tokenEndpoint,
      '--client-id',
      'perspio-demo',
      '--client-auth',
      'client_secret_post',
      '--client-secret-file',
      await file('secret', `${SECRET}\n`),
      '--refresh-token-stdin',
      '--insecure-loopback',
      ...further,
    ],
    { input: `${refreshToken}\n` },
  );
  expect(ended.stdout + ended.stderr).not.toContain(refreshToken);
  return ended;
}

async function emulatorWith(
  name: string,
  options: EmulatorOptions = {},
  ...further: readonly string[]
): Promise<Emulator> {
  const emulator = await startEmulator(options);
  expect(await add(emulator, name, ...further)).toMatchObject({ code: 0, stdout: '' });
  return emulator;
}

async function show(name: string): Promise<Record<string, unknown>> {
  const { code, stdout } = await run(['show', name, '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('a token', () => {
  it('is printed alone, works, and costs one request however often it is asked for', async () => {
    const emulator = await emulatorWith('one', {}, '--rotation', 'reusable');
    const first = await run(['token', 'one']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^\S+\n$/);
    expect(emulator.isAccessTokenAlive(first.stdout.trim())).toBe(true);
    const others = await Promise.all(Array.from({ length: 3 }, () => run(['token', 'one'])));
    expect(others.map(({ stdout }) => stdout)).toEqual([first.stdout, first.stdout, first.stdout]);
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
  });

  it('is fetched once by many processes at once', async () => {
    const emulator = await emulatorWith(
      'one',
      { rotation: 'single-use', commitDelayMs: 200 },
      '--rotation',
      'single-use',
    );
    const tokens = await Promise.all(Array.from({ length: 4 }, () => run(['token', 'one'])));
    expect(tokens.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(new Set(tokens.map(({ stdout }) => stdout)).size).toBe(1);
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
  });

  it('is printed without loading an npm package', async () => {
    await emulatorWith('one');
    const hook =
      'data:text/javascript,import{registerHooks}from"node:module";' +
      'registerHooks({load(url,context,next){process._rawDebug("loaded "+url);return next(url,context)}})';
    const { code, stderr } = await run(['token', 'one'], { node: [`--import=${hook}`] });
    const loaded = stderr.split('\n').filter((line) => line.startsWith('loaded '));
    expect(code).toBe(0);
    expect(loaded.length).toBeGreaterThan(20);
    expect(loaded.filter((line) => line.includes('node_modules'))).toEqual([]);
    const full = await run(['token', '--help'], { node: [`--import=${hook}`] });
    expect(full.stderr).toContain('node_modules/commander');
  });

  it('cannot live longer than those that are issued', async () => {
    const emulator = await emulatorWith('one', { accessLifeSeconds: 3600 });
    expect((await run(['token', 'one', '--min-life', '30m'])).code).toBe(0);
    const long = await run(['token', 'one', '--min-life', '2h']);
    expect(long).toMatchObject({ code: 2, stdout: '' });
    expect(long.stderr).toMatch(
      /^evergrant: a token of one lives 1h when new, so it cannot be demanded to live 2h more; .*\n$/,
    );
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
    expect((await run(['token', 'one', '--min-life', '300'])).stderr).toContain('write 300s');
  });

  it('is served while the server is down, and its failure is a warning only', async () => {
    const emulator = await emulatorWith('one');
    const { stdout } = await run(['token', 'one']);
    await emulator.close();
    expect(await run(['token', 'one'])).toEqual({ code: 0, stdout, stderr: '' });
    const refreshed = await run(['refresh', 'one']);
    expect(refreshed).toMatchObject({ code: 7, stdout: '' });
    expect(refreshed.stderr).toMatch(
      /^evergrant: one: the server cannot be reached \(.*ECONNREFUSED.*\n$/,
    );
    expect(refreshed.stderr.match(/ECONNREFUSED/g)).toHaveLength(1);
    expect(await run(['token', 'one'])).toEqual({ code: 0, stdout, stderr: '' });
    expect(await show('one')).toMatchObject({
      state: 'active',
      lastError: { outcome: 'not_sent' },
    });
  });
});

describe('while the server hangs', () => {
  /** A connection whose token lives for two minutes more, of an hour: long enough to be served, and due. */
  async function dueConnection(emulator: Emulator): Promise<void> {
    const { refreshToken = '', accessToken } = await emulator.issueGrant();
    const before = Date.now() - 3_480_000;
    await using keeper = await openKeeper({ home, clock: { ...systemClock, now: () => before } });
    await keeper.add('one', {
      provider: 'generic',
      client: { clientId: 'perspio-demo', clientSecret: SECRET },
      overrides: {
        tokenEndpoint: emulator.tokenEndpoint,
        rotation: 'single-use',
        insecureLoopback: true,
      },
      tokens: { refreshToken, accessToken, accessExpiresAt: before + 3_600_000 },
    });
  }

  it('a token that lives is printed, and stdout closed, before the answer is waited for', async () => {
    const emulator = await startEmulator({ rotation: 'single-use' });
    await dueConnection(emulator);
    emulator.faults.next('hold-before-commit');
    const running = startEvergrant(['token', 'one', '--home', home]);
    let printed = '';
    running.child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
    await once(running.child.stdout!, 'end');
    expect(emulator.isAccessTokenAlive(printed.trim())).toBe(true);
    expect(running.child.exitCode).toBeNull();
    await running.told(/waiting for an answer under way/);
    emulator.faults.release();
    expect(await running.ended).toMatchObject({ code: 0, stdout: printed });
    expect(await show('one')).toMatchObject({ state: 'active', generation: 2 });
  });

  it('a program is started with a token that lives, and its code handed on once the answer is recorded', async () => {
    const emulator = await startEmulator({ rotation: 'single-use' });
    await dueConnection(emulator);
    emulator.faults.next('hold-before-commit');
    const program = ['sh', '-c', 'echo "$ACCESS_TOKEN"; read -r line; echo over >&2; exit 3'];
    const running = startEvergrant(['exec', 'one', '--home', home, '--', ...program], {
      keepsInputOpen: true,
    });
    const [printed] = (await once(running.child.stdout!, 'data')) as [Buffer];
    expect(emulator.isAccessTokenAlive(printed.toString('utf8').trim())).toBe(true);
    const read = once(running.child.stdout!, 'end');
    running.child.stdin!.end('go on\n');
    await read;
    await running.told(/^over\nevergrant: waiting for an answer under way/);
    expect(running.child.exitCode).toBeNull();
    emulator.faults.release();
    expect((await running.ended).code).toBe(3);
    expect(await show('one')).toMatchObject({ state: 'active', generation: 2 });
  });

  it('a wait that is over is told before the answer is waited for, and once', async () => {
    const options = { rotation: 'single-use' } as const;
    const emulator = await emulatorWith('one', options, '--rotation', 'single-use');
    emulator.faults.next('hold-before-commit');
    const running = startEvergrant(['token', 'one', '--timeout', '1s', '--home', home]);
    await running.told(/^evergrant: one: .+\nevergrant: waiting for an answer under way/);
    emulator.faults.release();
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
    expect(stderr.match(/evergrant: one/g)).toHaveLength(1);
    expect(await show('one')).toMatchObject({ state: 'active', generation: 2 });
  });
});

describe('what a server refuses', () => {
  it('exits 4 when a person must consent again, and says it once more without a request', async () => {
    const emulator = await emulatorWith('one');
    emulator.revokeUser('demo@perspio.io');
    const first = await run(['token', 'one']);
    expect(first).toMatchObject({ code: 4, stdout: '' });
    const second = await run(['token', 'one']);
    expect(second.code).toBe(4);
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
    expect(await show('one')).toMatchObject({ state: 'attention', actor: 'owner' });
    expect((await run(['list'])).stdout).toContain('│ attention │');
    const told = await run(['explain', 'one']);
    expect(told.stdout).toMatch(
      /^one: attention, .*\ncause \(\w+\): .*\nwho must act: owner\nfix: .+\nlife, newest first:\n/,
    );
  });

  it('exits 5 for a client that is refused, and works again with the right secret', async () => {
    const emulator = await emulatorWith('one');
    const secret = emulator.resetClientSecret('perspio-demo');
    expect((await run(['token', 'one'])).code).toBe(5);
    expect((await run(['client', 'list'])).stdout).toContain('The client did not prove itself');
    const set = await run(['client', 'set-secret', 'perspio-demo', '--client-secret-stdin'], {
      input: secret,
    });
    expect(set).toMatchObject({ code: 0, stdout: '' });
    expect(set.stderr).not.toContain(secret);
    expect((await run(['token', 'one'])).code).toBe(0);
  });

  it('exits 7 when it asks to wait', async () => {
    const emulator = await emulatorWith('one');
    emulator.faults.next({ kind: 'throttled', retryAfter: 60 });
    expect((await run(['token', 'one'])).code).toBe(7);
    expect((await run(['token', 'one'])).code).toBe(7);
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
  });

  it('exits 6 when an answer was lost that may have used the refresh token up, until somebody insists', async () => {
    const emulator = await emulatorWith(
      'one',
      { rotation: 'single-use' },
      '--rotation',
      'single-use',
    );
    await run(['token', 'one']);
    emulator.faults.next('cut-before-commit');
    expect((await run(['refresh', 'one'])).code).toBe(6);
    expect(await show('one')).toMatchObject({ state: 'uncertain' });
    const refused = await run(['refresh', 'one']);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('--anyway');
    expect((await run(['token', 'one'])).code).toBe(0);
    const insisted = await run(['refresh', 'one', '--anyway']);
    expect(insisted).toMatchObject({ code: 0 });
    expect(insisted.stdout).toMatch(/^one: refreshed, generation 3, expires in /);
    expect(await show('one')).toMatchObject({ state: 'active', lastError: null });
  });
});

describe('an interrupt', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const)(
    'by %s ends with %d when the answer under way is recorded, not before',
    async (signal, code) => {
      const emulator = await emulatorWith(
        'one',
        { rotation: 'single-use' },
        '--rotation',
        'single-use',
      );
      emulator.faults.next('hold-after-commit');
      const running = startEvergrant(['token', 'one', '--home', home]);
      await emulator.ledger.waitFor(1, { held: true });
      running.child.kill(signal);
      await running.told(/waiting for an answer under way/);
      emulator.faults.release();
      const ended = await running.ended;
      expect(ended).toMatchObject({ code, stdout: '' });
      expect(await show('one')).toMatchObject({ state: 'active', generation: 2 });
      expect((await run(['token', 'one'])).code).toBe(0);
      expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
    },
  );
});

describe('the streams', () => {
  it('have colours only when asked for', async () => {
    const emulator = await emulatorWith('one');
    emulator.revokeUser('demo@perspio.io');
    await run(['token', 'one']);
    expect((await run(['list'])).stdout).not.toContain('\u001b');
    const coloured = await run(['list'], { env: { FORCE_COLOR: '1' } });
    expect(coloured.stdout).toContain('\u001b[31m');
    // White is for dark terminals only.
    expect(coloured.stdout).not.toContain('\u001b[37m');
    expect((await run(['list'], { env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b');
  });

  it('may go away without a word', async () => {
    await emulatorWith('one');
    const running = startEvergrant(['list', '--home', home]);
    running.child.stdout?.destroy();
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('must take what is printed', async (context) => {
    if (process.platform !== 'linux') return context.skip('not run: only Linux has /dev/full');
    await emulatorWith('one');
    const full = await open('/dev/full', 'w');
    const ended = await evergrant(['token', 'one', '--home', home], { stdout: full.fd });
    await full.close();
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^evergrant: output cannot be written: .*ENOSPC.*\n$/);
  });
});

describe('exec', () => {
  it('gives the token to the program alone and exits with its code', async () => {
    const emulator = await emulatorWith('one');
    const child = [
      '--',
      process.execPath,
      '-e',
      'process.stdout.write(process.env.TOKEN); process.exitCode = 3',
    ];
    const ended = await evergrant(['--home', home, 'exec', 'one', '--env', 'TOKEN', ...child]);
    expect(ended).toMatchObject({ code: 3, stderr: '' });
    expect(emulator.isAccessTokenAlive(ended.stdout)).toBe(true);
  });

  it('hands signals on and tells what ended the program', async () => {
    await emulatorWith('one');
    const trap = [
      '--',
      'sh',
      '-c',
      'trap "exit 7" TERM; echo ready >&2; while :; do sleep 0.05; done',
    ];
    const running = startEvergrant(['--home', home, 'exec', 'one', ...trap]);
    await running.told(/ready/);
    running.child.kill('SIGTERM');
    expect((await running.ended).code).toBe(7);
    const killed = await evergrant(['--home', home, 'exec', 'one', '--', 'sh', '-c', 'kill -9 $$']);
    expect(killed.code).toBe(137);
  });

  it('says when the program cannot be run', async () => {
    await emulatorWith('one');
    expect(
      await evergrant(['--home', home, 'exec', 'one', '--', '/no/such/program']),
    ).toMatchObject({
      code: 127,
      stderr: 'evergrant: /no/such/program cannot be run: there is no such program\n',
    });
    const notExecutable = await file('data', 'x', 0o600);
    expect((await evergrant(['--home', home, 'exec', 'one', '--', notExecutable])).code).toBe(126);
  });
});

describe('a home', () => {
  it('that is not there is no empty one, and is not made by reading', async () => {
    for (const argv of [['token', 'one'], ['list'], ['refresh', '--due'], ['key', 'status']]) {
      const ended = await run(argv);
      expect(ended).toMatchObject({ code: 9, stdout: '' });
      expect(ended.stderr).toMatch(
        /^evergrant: there is no store at .*; connect or add something first\n$/,
      );
    }
    expect(await readdir(folder)).toEqual([]);
    expect((await run(['doctor'])).code).toBe(0);
  });

  it('that others may enter is refused', async () => {
    await emulatorWith('one');
    await chmod(home, 0o755);
    const ended = await run(['token', 'one']);
    expect(ended).toMatchObject({ code: 9, stdout: '' });
    expect(ended.stderr).toContain('chmod 700');
    const doctor = await run(['doctor']);
    expect(doctor.code).toBe(9);
    expect(doctor.stdout).toMatch(/^fail {2}home .*can be opened by other users$/m);
  });

  it('that cannot be made is named', async () => {
    const below = await file('plain-file', '');
    const emulator = await startEmulator();
    home = path.join(below, 'home');
    const ended = await add(emulator, 'one');
    expect(ended).toMatchObject({ code: 9, stdout: '' });
    expect(ended.stderr).toMatch(
      /^evergrant: .*plain-file\/home cannot be used \(.*plain-file is no folder\); choose another home\n$/,
    );
  });

  it('that cannot be written is named', async (context) => {
    if (process.getuid?.() === 0) return context.skip('not run: root may write everywhere');
    await mkdir(home, { mode: 0o500 });
    const ended = await add(await startEmulator(), 'one');
    expect(ended).toMatchObject({
      code: 9,
      stderr: expect.stringContaining('cannot be written (EACCES)'),
    });
  });

  it('whose key is gone or whose store is damaged opens for nobody', async () => {
    await emulatorWith('one');
    await rm(path.join(home, 'key', 'master.key'));
    expect(await run(['token', 'one'])).toMatchObject({
      code: 9,
      stderr: expect.stringContaining('is missing; restore it'),
    });
    await writeFile(
      path.join(home, 'store', 'evergrant.db'),
      'no database, whatever its name says'.repeat(99),
    );
    await rm(path.join(home, 'store', 'evergrant.db-wal'), { force: true });
    const damaged = await run(['token', 'one']);
    expect(damaged).toMatchObject({ code: 9, stdout: '' });
    expect(damaged.stderr).toContain('restore a backup');
    expect((await run(['doctor'])).code).toBe(9);
  });

  it('can be protected by a passphrase', async () => {
    const passphrase = await file('passphrase', 'correct horse\n');
    await emulatorWith('one', {}, '--passphrase-file', passphrase);
    expect((await run(['token', 'one'])).code).toBe(9);
    expect(
      (await run(['token', 'one', '--passphrase-file', await file('wrong', 'battery staple')]))
        .code,
    ).toBe(9);
    const opened = await run(['token', 'one'], { env: { EVERGRANT_PASSPHRASE_FILE: passphrase } });
    expect(opened).toMatchObject({ code: 0, stderr: '' });
    const status = await run(['key', 'status', '--passphrase-stdin'], { input: 'correct horse' });
    expect(status.stdout).toContain('master key  passphrase\n');
  });
});

describe('upkeep', () => {
  it('rotates the data key and backs the store up, owner-only, and both keep working', async () => {
    await emulatorWith('one');
    expect(await run(['key', 'rotate'])).toMatchObject({ code: 0, stdout: '' });
    const target = path.join(folder, 'backup.db');
    expect(await run(['backup', target])).toMatchObject({ code: 0, stdout: '' });
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    expect(await run(['backup', target])).toMatchObject({
      code: 2,
      stderr: `evergrant: ${target} exists already; choose another name\n`,
    });
    expect(await run(['backup', path.join(folder, 'none', 'b.db')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is in a folder that does not exist; make it'),
    });
    expect((await run(['backup', ''])).code).toBe(2);
    expect((await run(['token', 'one'])).code).toBe(0);
  });

  it('restores a backup in place of a lost store, with the same key', async () => {
    await emulatorWith('one', {}, '--rotation', 'reusable');
    const { stdout } = await run(['token', 'one']);
    const target = path.join(folder, 'backup.db');
    await run(['backup', target]);
    const store = path.join(home, 'store');
    await rm(store, { recursive: true });
    await mkdir(store, { mode: 0o700 });
    await rename(target, path.join(store, 'evergrant.db'));
    expect(await run(['token', 'one'])).toMatchObject({ code: 0, stdout });
    expect((await run(['refresh', 'one'])).code).toBe(0);
  });

  it('pauses, resumes, renames and disconnects', async () => {
    await emulatorWith('one');
    await run(['token', 'one']);
    await run(['pause', 'one']);
    expect(await show('one')).toMatchObject({ state: 'paused' });
    expect((await run(['refresh', 'one'])).code).toBe(2);
    expect((await run(['token', 'one'])).code).toBe(0);
    await run(['resume', 'one']);
    await run(['rename', 'one', 'two']);
    expect((await run(['refresh', 'two'])).code).toBe(0);
    const renamed = await run(['token', 'one']);
    expect(renamed.code).toBe(3);
    expect((await run(['token', 'twoo'])).stderr).toContain('hint: did you mean two?');
    expect((await run(['disconnect', 'two'])).code).toBe(0);
    expect((await run(['list', '--names'])).stdout).toBe('');
  });

  it('refreshes what is due', async () => {
    const emulator = await emulatorWith('one');
    expect(await run(['refresh', '--due'])).toMatchObject({ code: 0, stdout: 'one: refreshed\n' });
    expect(await run(['refresh', '--due'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'nothing is due\n',
    });
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
  });

  it('refuses a name that is taken', async () => {
    const emulator = await emulatorWith('one');
    const refused = await add(emulator, 'one');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^hint: --replace puts these tokens /m);
    expect((await add(emulator, 'one', '--replace')).code).toBe(0);
  });
});

describe('the emulator', () => {
  it('announces its endpoints on one line and runs until it is interrupted', async () => {
    const running = startEvergrant([
      'emulator',
      '--json',
      '--rotation',
      'single-use',
      '--life',
      '5m',
    ]);
    const [chunk] = await new Promise<[Buffer]>((resolve) => {
      running.child.stdout?.once('data', (data: Buffer) => resolve([data]));
    });
    const { tokenEndpoint } = JSON.parse(chunk.toString('utf8')) as { tokenEndpoint: string };
    expect((await fetch(tokenEndpoint, { method: 'POST' })).status).toBe(400);
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 130, stderr: '' });
  });

  it('says when its port is taken', async () => {
    const emulator = await startEmulator();
    const ended = await evergrant(['emulator', '--port', new URL(emulator.origin).port]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^evergrant: the emulator cannot start: .*EADDRINUSE.*\n$/);
  });
});
