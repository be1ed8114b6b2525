import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { openKeeper } from '../../src/keeper.ts';
import { emulatorFixture } from '../support/emulator-fixture.ts';
import { hookSecret, startHookReceiver } from '../support/hook-receiver.ts';
import { root } from '../support/sources.ts';

// Chains of processes, on a machine that has other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/*
 * The daemon as a process: how it begins, what signals do, and that it may be killed at any time.
 */

const run = promisify(execFile);
const newEmulator = emulatorFixture();
let home = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'evergrant-serve-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(home, { recursive: true, force: true });
});

interface Serving {
  readonly child: ChildProcess;
  readonly lines: () => string;
  readonly until: (pattern: RegExp) => Promise<void>;
  readonly ended: Promise<number | NodeJS.Signals>;
}

function serve(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Serving {
  const bin = path.join(root, 'bin/evergrant.cjs');
  const child = spawn(process.execPath, [bin, 'serve', ...args], {
    env: { PATH: process.env['PATH'], EVERGRANT_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(told)) {
      if (child.exitCode !== null) throw new Error(`it ended: ${told}`);
      await Promise.race([once(child.stderr, 'data'), ended]);
    }
  };
  return { child, lines: () => told, until, ended };
}

async function connected(emulator: Emulator, rotation: 'reusable' | 'single-use'): Promise<void> {
  const grant = await emulator.issueGrant();
  await using keeper = await openKeeper({ home });
  await keeper.add('perspio', {
    provider: 'generic',
    client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
    overrides: { tokenEndpoint: emulator.tokenEndpoint, insecureLoopback: true, rotation },
    tokens: { refreshToken: grant.refreshToken ?? '' },
  });
}

async function get(target: string): Promise<{ status: number; body: string }> {
  const asked = request({ socketPath: path.join(home, 'run/evergrant.sock'), path: target });
  asked.end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, body: await text(response) };
}

describe('evergrant serve', () => {
  it('renews in the background, serves, and ends in good order with 0', async () => {
    const emulator = await newEmulator();
    await connected(emulator, 'reusable');
    const serving = serve();
    await serving.until(/ serving .*evergrant\.sock/);
    const answer = await get('/v1/connections/perspio/token');
    expect(answer.status).toBe(200);
    const { accessToken } = JSON.parse(answer.body);
    expect(emulator.ledger.count({ endpoint: 'token', outcome: 'issued' })).toBe(1);
    serving.child.kill('SIGTERM');
    expect(await serving.ended).toBe(0);
    expect(existsSync(path.join(home, 'run/evergrant.sock'))).toBe(false);
    expect(serving.lines()).not.toContain(accessToken);
    const { stdout } = await evergrant('audit', '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      { caller: 'owner', connection: 'perspio', count: 1 },
    ]);
  });

  it('records an answer that is under way when it is told to end', async () => {
    const emulator = await newEmulator({ rotation: 'single-use' });
    await connected(emulator, 'single-use');
    emulator.faults.next('hold-after-commit');
    const serving = serve();
    await emulator.ledger.waitFor(1, { held: true });
    serving.child.kill('SIGTERM');
    await serving.until(/ending/);
    emulator.faults.release();
    expect(await serving.ended).toBe(0);
    const { stdout } = await evergrant('token', 'perspio');
    expect(stdout.trim()).not.toBe('');
    expect(emulator.ledger.count({ endpoint: 'token' })).toBe(1);
  });

  it('reads its settings again on SIGHUP, and keeps those before when they are wrong', async () => {
    await connected(await newEmulator(), 'reusable');
    const settings = path.join(home, 'settings.json');
    const write = (content: unknown): void => {
      writeFileSync(settings, typeof content === 'string' ? content : JSON.stringify(content));
      chmodSync(settings, 0o600);
    };
    write({ requestsPerSecond: 4, daemon: { log: 'text' } });
    const serving = serve();
    await serving.until(/ serving /);
    expect((await get('/v1/connections/perspio/token')).status).toBe(200);
    const { endpoints } = JSON.parse((await get('/v1/glance/endpoints')).body);
    expect(endpoints).toMatchObject([{ budget: 4 }]);
    write('{\n"daemon": { "log": "xml" } }');
    serving.child.kill('SIGHUP');
    await serving.until(/cannot be used.*line 2: daemon\.log/);
    write({ requestsPerSecond: 3, daemon: { log: 'json', listen: '127.0.0.1:0' } });
    serving.child.kill('SIGHUP');
    await serving.until(
      /^\{.*"message":"settings read again","after_restart":"daemon\.listen, requestsPerSecond"/m,
    );
    serving.child.kill('SIGTERM');
    expect(await serving.ended).toBe(0);
  });

  it('tells a receiver of webhooks what happens, with a secret of its environment', async () => {
    await using receiver = await startHookReceiver(hookSecret(1));
    await connected(await newEmulator(), 'reusable');
    const hook = { name: 'ops', url: receiver.url, secretVariable: 'HOOK_SECRET' };
    const settings = path.join(home, 'settings.json');
    writeFileSync(settings, JSON.stringify({ daemon: { webhooks: [hook] } }), { mode: 0o600 });
    await expect(evergrant('config', 'check')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the variable HOOK_SECRET is not there'),
    });
    const serving = serve([], { HOOK_SECRET: hookSecret(1) });
    await serving.until(/ serving /);
    await evergrant('pause', 'perspio');
    const told = (): string[] => receiver.accepted.map(({ type }) => type);
    await vi.waitFor(() => expect(told()).toContain('paused'), { timeout: 120_000 });
    expect(serving.lines()).not.toContain('whsec_');
  });

  it('takes the socket over that a killed one left, and does not take one that is in use', async () => {
    await connected(await newEmulator(), 'reusable');
    const first = serve();
    await first.until(/ serving /);
    const second = serve();
    expect(await second.ended).toBe(2);
    expect(second.lines()).toContain('answers at');
    first.child.kill('SIGKILL');
    await first.ended;
    const third = serve();
    await third.until(/ serving /);
    expect((await get('/readyz')).status).toBe(200);
  });

  it.each([
    [{ NODE_DEBUG: 'http' }, 'prints tokens'],
    [{ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, 'pose as the server'],
  ])('does not start with %j', async (env, reason) => {
    const serving = serve([], env);
    expect(await serving.ended).toBe(2);
    expect(serving.lines()).toContain(reason);
  });

  it('makes no home unless it is told to', async () => {
    rmSync(home, { recursive: true });
    const serving = serve();
    expect(await serving.ended).toBe(9);
    expect(existsSync(home)).toBe(false);
    const making = serve(['--create']);
    await making.until(/ serving /);
  });

  it('tells systemd when it is ready and when it ends', async () => {
    await connected(await newEmulator(), 'reusable');
    const bin = mkdtempSync(path.join(tmpdir(), 'evergrant-bin-'));
    const said = path.join(bin, 'said');
    const program = path.join(bin, 'systemd-notify');
    writeFileSync(program, `#!/bin/sh\necho "$@" >> ${said}\n`, { mode: 0o755 });
    const serving = serve(['--log', 'journal'], {
      NOTIFY_SOCKET: '/run/none',
      PATH: `${bin}:${process.env['PATH']}`,
    });
    await serving.until(/^<6>serving/m);
    serving.child.kill('SIGTERM');
    expect(await serving.ended).toBe(0);
    expect(readFileSync(said, 'utf8')).toBe('--ready\n--stopping\n');
    rmSync(bin, { recursive: true });
  });
});

describe('commands', () => {
  it('use a daemon that answers by themselves, unless --direct forbids it', async () => {
    const emulator = await newEmulator();
    await connected(emulator, 'reusable');
    const serving = serve();
    await serving.until(/ serving /);
    await get('/v1/connections/perspio/token');
    expect(JSON.parse((await evergrant('list', '--json')).stdout)).toMatchObject([
      { name: 'perspio', state: 'active' },
    ]);
    await evergrant('pause', 'perspio');
    await evergrant('resume', 'perspio', '--direct');
    const audit = JSON.parse((await evergrant('audit', '--json')).stdout);
    const said = audit.map(({ what }: { what: string }) => what);
    expect(said).toContain('pause');
    expect(said).not.toContain('resume');
    const doctor = JSON.parse((await evergrant('doctor', '--json')).stdout);
    expect(doctor).toContainEqual(
      expect.objectContaining({ check: 'daemon', message: expect.stringContaining('use it') }),
    );
    serving.child.kill('SIGKILL');
    await serving.ended;
    expect((await evergrant('list', '--names')).stdout).toBe('perspio\n');
  });
});

describe('keys of evergrant key-for', () => {
  it('are shown once, listed without their secret, and revoked while the daemon runs', async () => {
    await connected(await newEmulator(), 'reusable');
    const serving = serve(['--listen', '127.0.0.1:0']);
    await serving.until(/ serving /);
    const address = /address="([^"]+)"/.exec(serving.lines())?.[1] ?? '';
    const made = await evergrant('key-for', 'reporting', '--connection', 'p*', '--verb', 'token');
    const key = made.stdout.trim();
    const ask = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${key}` };
      return (await fetch(`${address}/v1/connections/perspio/token`, { headers })).status;
    };
    expect(await ask()).toBe(200);
    const listed = await evergrant('key-for', '--list', '--json');
    expect(listed.stdout).not.toContain(key.slice(-20));
    expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'reporting', revokedAt: null }]);
    await evergrant('key-for', 'reporting', '--revoke');
    expect(await ask()).toBe(401);
  });
});

describe('deploy/', () => {
  const has = (program: string): boolean => {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };

  it('has a unit that systemd finds nothing wrong with', (context) => {
    if (!has('systemd-analyze')) return context.skip('not run: systemd-analyze is missing');
    const unit = path.join(home, 'evergrant.service');
    const text = readFileSync(path.join(root, 'deploy/evergrant.service'), 'utf8');
    writeFileSync(unit, text.replace('/usr/bin/env evergrant', '/bin/true'));
    const told = execFileSync('systemd-analyze', ['verify', '--user', unit], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, XDG_RUNTIME_DIR: home },
    });
    expect(told).not.toMatch(/Unknown|Failed to parse|ignoring/i);
  });

  it('has a unit that is little exposed', (context) => {
    if (!has('systemd-analyze')) return context.skip('not run: systemd-analyze is missing');
    const told = execFileSync(
      'systemd-analyze',
      ['security', '--offline=true', '--threshold=50', path.join(root, 'deploy/evergrant.service')],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    expect(told).toMatch(/Overall exposure level/);
  });
});

function evergrant(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [path.join(root, 'bin/evergrant.cjs'), ...args], {
    env: { PATH: process.env['PATH'], EVERGRANT_HOME: home },
  });
}
