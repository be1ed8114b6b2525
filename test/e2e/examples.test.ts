import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { openKeeper } from '../../src/keeper.ts';
import type { BeginOptions } from '../../src/keeper-api.ts';
import { perspio } from '../../src/providers/perspio.ts';
import { emulatorFixture } from '../support/emulator-fixture.ts';
import { root } from '../support/sources.ts';

// Chains of processes, on a machine that has other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/*
 * Each example is run as a user runs it, in a process of its own, with the emulator in place of Perspio.
 */

const examples = path.join(root, 'examples');
const resolver = path.join(root, 'test/support/self-resolve.process.ts');
const start = emulatorFixture();
const tried = new Set<string>();
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'evergrant-examples-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('examples/', () => {
  it('token-for-a-script.ts uses a token in a request of its own', async () => {
    const emulator = await start();
    await importGrant(emulator);
    const run = await example('token-for-a-script.ts', emulator, {
      environment: {
        PERSPIO_API: emulator.apiBase,
        PERSPIO_SUBSCRIPTION_KEY: 'demo-subscription-key',
      },
    });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(/^200 .*Excavator/);
  });

  it('keep-alive-service.ts renews what is due and ends when told to', async () => {
    const emulator = await start();
    await importGrant(emulator);
    const run = await example('keep-alive-service.ts', emulator, {
      endAt: /refreshed, good until/,
    });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(emulator.ledger.count({ endpoint: 'token', outcome: 'issued' })).toBe(1);
  });

  it('call-the-api.ts prints what the API answers', async () => {
    const emulator = await start();
    await importGrant(emulator);
    const run = await example('call-the-api.ts', emulator);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain('Excavator');
  });

  it('call-the-api.ts tells when the API asks to wait', async () => {
    const emulator = await start();
    await importGrant(emulator);
    emulator.faults.next({ kind: 'quota-exceeded', retryAfter: 729 });
    const run = await example('call-the-api.ts', emulator);
    expect(run).toMatchObject({ code: 7, stderr: 'the API asks to wait: 729 s\n' });
  });

  it('import-a-refresh-token.ts takes a refresh token over', async () => {
    const emulator = await start({ rotation: 'single-use' });
    const { refreshToken = '' } = await emulator.issueGrant();
    const files = [
      file('refresh-token.txt', refreshToken),
      file('client-secret.txt', 'demo~secret+1'),
      file('subscription-key.txt', 'demo-subscription-key'),
    ];
    const run = await example('import-a-refresh-token.ts', emulator, { arguments: files });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(/^imported; good until 2/);
    expect(emulator.isRefreshTokenHonoured(refreshToken)).toBe(false);
  });

  it('connect-with-a-browser.ts waits for the person and keeps the tokens', async () => {
    const emulator = await start({ autoSignIn: 'demo@perspio.io' });
    const run = await example('connect-with-a-browser.ts', emulator, {
      input: 'demo~secret+1\n',
      onOutput: async (output) => {
        const address = /^http\S+oauth2\/v2\.0\/authorize\S+$/m.exec(output)?.[0];
        if (address !== undefined) await fetch(address);
        return address !== undefined;
      },
    });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(/connected as .* for api:\/\/perspiotalk\/access_as_user/);
  });

  it('device-code.ts waits for the person at another device', async () => {
    const emulator = await start({ deviceIntervalSeconds: 1 });
    const run = await example('device-code.ts', emulator, {
      input: 'demo~secret+1\n',
      onOutput: (output) => {
        const userCode = /enter (\S+)/.exec(output)?.[1];
        if (userCode !== undefined) emulator.decideDevice(userCode, { user: 'demo@perspio.io' });
        return userCode !== undefined;
      },
    });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain('connected, active');
  });

  it('client-credentials.ts asks once, whenever it is run', async () => {
    const emulator = await start();
    for (let time = 1; time <= 2; time++) {
      const run = await example('client-credentials.ts', emulator, { input: 'demo~secret+1\n' });
      expect(run).toMatchObject({ code: 0, stderr: '' });
      expect(run.stdout).toContain('Bearer token for');
    }
    expect(emulator.ledger.count({ grantType: 'client_credentials' })).toBe(1);
  });

  it('refresh-once.ts trades one refresh token and keeps the next', async () => {
    const emulator = await start({ rotation: 'single-use' });
    const { refreshToken = '' } = await emulator.issueGrant();
    const kept = file('refresh-token.txt', refreshToken);
    for (let time = 1; time <= 2; time++) {
      const run = await example('refresh-once.ts', emulator, {
        input: 'demo~secret+1\n',
        arguments: [kept],
        environment: { TOKEN_ENDPOINT: emulator.tokenEndpoint },
      });
      expect(run).toMatchObject({ code: 0, stderr: '' });
      expect(run.stdout).toMatch(/^Bearer token, good for \d+ s\n$/);
    }
    expect(emulator.isRefreshTokenHonoured(readFileSync(kept, 'utf8'))).toBe(true);
  });

  it('test-with-the-emulator.ts passes', async () => {
    const run = await example('test-with-the-emulator.ts', await start());
    expect(run.code, run.stdout).toBe(0);
    expect(run.stdout).toContain('pass 1');
  });

  it('notify-command.sh hands a notice on, once somebody must act', async () => {
    const emulator = await start();
    await importGrant(emulator);
    emulator.revokeUser('demo@perspio.io');
    await using hook = await webhook();
    tried.add('notify-command.sh');
    const notifyCommand = [path.join(examples, 'notify-command.sh'), hook.url];
    await using keeper = await openKeeper({ home: folder, settings: { notifyCommand } });
    await expect(keeper.connection('perspio').token()).rejects.toThrow(/connect it again|sign in/i);
    await keeper.close();
    expect(hook.received).toEqual([
      expect.objectContaining({ connection: 'perspio', kind: 'attention', actor: 'owner' }),
    ]);
  });

  it('cron-job.sh fetches quietly', async () => {
    const emulator = await start();
    await importGrant(emulator);
    const target = path.join(folder, 'assets.json');
    const run = await shellExample('cron-job.sh', [target]);
    expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(target, 'utf8')).toContain('Excavator');
  });

  it('cron-job.sh says what a person must know, and nothing when waiting helps', async () => {
    const emulator = await start();
    await importGrant(emulator);
    const target = path.join(folder, 'assets.json');
    emulator.faults.next('rate-limited');
    expect(await shellExample('cron-job.sh', [target])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    emulator.faults.next('api-key-invalid');
    const run = await shellExample('cron-job.sh', [target]);
    expect(run).toMatchObject({ code: 5, stdout: '' });
    expect(run.stderr).toContain('subscription key');
    expect(readdirSync(folder)).not.toContain('assets.json');
  });

  it('token-by-curl.sh calls nobody without a token, and tells why there is none', async () => {
    const emulator = await start();
    await importGrant(emulator);
    await using _running = await daemon();
    const run = await shellExample('token-by-curl.sh', ['nobody', emulator.apiBase]);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain('ERR_CONNECTION_UNKNOWN');
    // Nobody but the daemon, which may renew what was imported.
    const calls = emulator.ledger.entries().filter(({ endpoint }) => endpoint !== 'token');
    expect(calls).toEqual([]);
  });

  it('token-by-curl.sh asks the daemon, and calls with the token', async () => {
    const emulator = await start();
    await importGrant(emulator);
    await using _running = await daemon();
    const run = await shellExample('token-by-curl.sh', ['perspio', `${emulator.issuer}/none`]);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(emulator.ledger.count({ endpoint: 'token', outcome: 'issued' })).toBe(1);
  });

  it('token_from_the_daemon.py asks the daemon, and tells what it said where there is no token', async () => {
    const emulator = await start();
    await importGrant(emulator);
    await using _running = await daemon();
    const script = path.join(examples, 'token_from_the_daemon.py');
    tried.add('token_from_the_daemon.py');
    const good = await run('python3', [script, 'perspio'], {});
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toContain('api://perspiotalk');
    const none = await run('python3', [script, 'nobody'], {});
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('nobody');
  });

  it('are all run here', () => {
    expect([...tried].sort()).toEqual(readdirSync(examples).sort());
  });
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Looks at all that was printed so far; true when it need not look again. */
  readonly onOutput?: (output: string) => boolean | Promise<boolean>;
  /** Ends the process by SIGTERM when it has printed this. */
  readonly endAt?: RegExp;
}

async function example(name: string, emulator: Emulator, options: RunOptions = {}): Promise<Run> {
  tried.add(name);
  const command = ['--import', resolver, path.join(examples, name), ...(options.arguments ?? [])];
  return run(process.execPath, command, {
    ...options,
    environment: {
      PERSPIO_CLIENT_ID: 'perspio-demo',
      PERSPIO_TENANT: 'in-demo',
      PERSPIO_OVERRIDES: JSON.stringify(overridesFor(emulator)),
      ...options.environment,
    },
  });
}

/** Runs a script for the shell, which finds `evergrant` in its path. */
async function shellExample(name: string, args: readonly string[]): Promise<Run> {
  tried.add(name);
  const bin = mkdtempSync(path.join(tmpdir(), 'evergrant-bin-'));
  symlinkSync(path.join(root, 'bin/evergrant.cjs'), path.join(bin, 'evergrant'));
  symlinkSync(process.execPath, path.join(bin, 'node'));
  try {
    const environment = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    return await run(path.join(examples, name), args, { environment });
  } finally {
    rmSync(bin, { recursive: true });
  }
}

async function run(program: string, args: readonly string[], options: RunOptions): Promise<Run> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], EVERGRANT_HOME: folder, ...options.environment },
  });
  child.stdin.end(options.input ?? '');
  const printed: Buffer[] = [];
  let looking: Promise<boolean> = Promise.resolve(options.onOutput === undefined);
  child.stdout.on('data', (chunk: Buffer) => {
    printed.push(chunk);
    const output = Buffer.concat(printed).toString('utf8');
    looking = looking.then((done) => done || (options.onOutput?.(output) ?? true));
    if (options.endAt?.test(output) === true) child.kill('SIGTERM');
  });
  const [stderr, [code]] = await Promise.all([
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  await looking;
  return { code, stdout: Buffer.concat(printed).toString('utf8'), stderr };
}

function overridesFor(emulator: Emulator): NonNullable<BeginOptions['overrides']> {
  const { issuer, tokenEndpoint, authorizationEndpoint, jwksUri, apiBase } = emulator;
  const { deviceAuthorizationEndpoint } = emulator;
  return {
    ...{ issuer, tokenEndpoint, authorizationEndpoint, deviceAuthorizationEndpoint, jwksUri },
    api: { ...perspio.api, origins: [apiBase], base: apiBase },
    insecureLoopback: true,
  };
}

/** Makes the home that the examples find: a connection named perspio, with a refresh token alone. */
async function importGrant(emulator: Emulator): Promise<void> {
  const { refreshToken = '' } = await emulator.issueGrant();
  await using keeper = await openKeeper({ home: folder });
  await keeper.add('perspio', {
    provider: 'perspio',
    client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
    tokens: { refreshToken },
    subscriptionKey: 'demo-subscription-key',
    perspioTenantId: 'in-demo',
    overrides: overridesFor(emulator),
  });
}

function file(name: string, content: string): string {
  const target = path.join(folder, name);
  writeFileSync(target, `${content}\n`, { mode: 0o600 });
  return target;
}

/** A daemon on the home of the test. */
async function daemon(): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [path.join(root, 'bin/evergrant.cjs'), 'serve'], {
    env: { PATH: process.env['PATH'], EVERGRANT_HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (told.includes('serving')) resolve();
    });
    child.on('close', () => reject(new Error(told)));
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  };
}

/** A service that takes JSON by POST and remembers it. */
async function webhook(): Promise<
  AsyncDisposable & { readonly url: string; readonly received: unknown[] }
> {
  const received: unknown[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push(JSON.parse(body));
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
