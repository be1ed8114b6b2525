import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/emulator.ts';
import { browse } from '../support/browser.ts';
import { findLeaks, formsOf, type Canary, type Evidence } from '../support/leaks.ts';
import { startRecordingProxy, type RecordingProxy } from '../support/recording-proxy.ts';

/*
 * A whole life of several connections through the command line, by every grant, with failures of every kind, as loudly as it can be told
 * to speak. Every secret that passed over the wire or was typed in is then searched in all that was printed, stored or passed along.
 */

const root = path.resolve(import.meta.dirname, '../..');
const CLIENT_SECRET = 'canary~client+secret/7f3a91';
const SUBSCRIPTION_KEY = 'canary-subscription-key-55d0e2';
const PASSPHRASE = 'canary passphrase kx81 zq';

let folder: string;
let emulator: Emulator;
let proxy: RecordingProxy;
const evidence: Evidence[] = [];

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  args: readonly string[],
  options: { prints?: boolean; person?: boolean; typed?: boolean } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, EVERGRANT_DEBUG: '1', TMPDIR: path.join(folder, 'tmp'), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let signedIn = false;
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    const address = /http:\/\/127\.0\.0\.1:\d+\/\S*authorize\?\S+/.exec(stderr)?.[0];
    if (options.person !== true || signedIn || address === undefined) return;
    signedIn = true;
    void browse(address, { person: { username: 'demo@perspio.io', password: 'demo-password' } });
  });
  const name = args.slice(2, 5).join(' ');
  const items = options.typed === true ? [] : ['cmdline', 'environ', 'comm'];
  for (const item of items) {
    evidence.push({ where: `/proc ${item} of ${name}`, bytes: readProc(child.pid, item) });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  evidence.push({ where: `stderr of ${name}`, bytes: Buffer.from(stderr) });
  if (options.prints !== true)
    evidence.push({ where: `stdout of ${name}`, bytes: Buffer.from(stdout) });
  return { code, stdout, stderr };
}

function readProc(pid: number | undefined, item: string): Uint8Array {
  try {
    return readFileSync(`/proc/${String(pid)}/${item}`);
  } catch {
    return new Uint8Array();
  }
}

function secretFile(name: string, content: string): string {
  const file = path.join(folder, 'given', name);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

/** Every file below a folder, those left aside that hold what a person put there. */
function filesBelow(top: string): Evidence[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('/given/'))
    .map((file) => ({ where: file, bytes: readFileSync(file) }));
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'evergrant-secrets-'));
  for (const name of ['given', 'tmp', 'told']) {
    mkdirSync(path.join(folder, name), { mode: 0o700 });
  }
  emulator = await startEmulator({
    rotation: 'single-use',
    clients: [
      { clientId: 'perspio-demo', clientSecret: CLIENT_SECRET },
      { clientId: 'perspio-public' },
    ],
  });
  proxy = await startRecordingProxy(emulator.origin);
});

/** Notices go to a file, through the operator's command. */
function tellNoticesTo(home: string): void {
  const told = path.join(folder, 'told', 'notices');
  const notifyCommand = [
    process.execPath,
    '-e',
    `process.stdin.pipe(fs.createWriteStream(${JSON.stringify(told)}, { flags: 'a' }))`,
  ];
  writeFileSync(path.join(home, 'settings.json'), JSON.stringify({ notifyCommand }), {
    mode: 0o600,
  });
}

/** One failure of each kind that leaves something behind: a lost answer, an unreadable one, a refusal that repeats the token. */
async function trouble(all: readonly string[]): Promise<void> {
  emulator.faults.next('cut-after-commit');
  await run([...all, 'refresh', 'imported']);
  emulator.faults.next('trailing-comma');
  await run([...all, 'refresh', 'signed-in']);
  await run([...all, 'refresh', 'signed-in', '--anyway']);
  emulator.revokeUser('demo@perspio.io');
  await run([...all, 'refresh', 'signed-in', '--anyway']);
  await run([...all, 'token', 'signed-in'], { prints: true });
  emulator.setClientSecret('perspio-demo', 'another~secret+1');
  await run([...all, 'refresh', 'own']);
  emulator.setClientSecret('perspio-demo', CLIENT_SECRET);
}

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the finder', () => {
  const canary: Canary = { kind: 'planted', value: 'canary+planted/secret~0123456789' };

  it.each([...formsOf(canary.value)])('finds a secret planted as %s', (form, text) => {
    const planted = Buffer.from(`before ${text} after`, 'latin1');
    expect(findLeaks([canary], [{ where: 'plain', bytes: planted }])).toContainEqual({
      kind: 'planted',
      form,
      where: 'plain',
    });
    expect(findLeaks([canary], [{ where: 'gzip', bytes: gzipSync(planted) }])).not.toEqual([]);
  });

  it('finds nothing where nothing is', () => {
    expect(findLeaks([canary], [{ where: 'plain', bytes: Buffer.from('canary planted') }])).toEqual(
      [],
    );
  });
});

describe('a whole life on the command line', () => {
  it('leaves no secret in any output, file or argument', async () => {
    const home = path.join(folder, 'home');
    const at = (url: string): string => url.replace(emulator.origin, proxy.origin);
    const grant = await emulator.issueGrant({});
    const refreshToken = grant.refreshToken ?? '';
    const client = secretFile('client', CLIENT_SECRET);
    const server = ['--provider', 'generic', '--token-endpoint', at(emulator.tokenEndpoint)];
    const registered = [
      '--client-id',
      'perspio-demo',
      '--client-secret-file',
      client,
      '--insecure-loopback',
    ];
    const scope = ['--scope', 'api://perspiotalk/all_readwrite offline_access openid'];
    const all = ['--home', home];
    const add = [...server, ...registered, ...scope, '--rotation', 'single-use'];

    const rt = secretFile('rt', refreshToken);
    expect((await run([...all, 'add', 'imported', ...add, '--refresh-token-file', rt])).code).toBe(
      0,
    );
    tellNoticesTo(home);
    const token = await run([...all, 'token', 'imported'], { prints: true });
    expect(token.code).toBe(0);
    expect(emulator.isAccessTokenAlive(token.stdout.trim())).toBe(true);

    const authorization = ['--authorization-endpoint', at(emulator.authorizationEndpoint)];
    const key = [
      '--subscription-key-file',
      secretFile('key', SUBSCRIPTION_KEY),
      '--perspio-tenant',
      'in-demo',
    ];
    const connect = [...all, 'connect'];
    const signedIn = await run(
      [
        ...connect,
        'signed-in',
        ...server,
        ...authorization,
        ...registered,
        ...scope,
        ...key,
        '--no-browser',
      ],
      { person: true },
    );
    expect(signedIn.stderr + String(signedIn.code)).toMatch(/0$/);
    const own = ['--scope', 'api://perspiotalk/.default', '--grant', 'client-credentials'];
    expect((await run([...connect, 'own', ...server, ...registered, ...own])).code).toBe(0);

    for (const name of ['imported', 'signed-in', 'own']) {
      await run([...all, 'refresh', name]);
      await run([...all, 'show', name, '--json']);
      await run([...all, 'explain', name]);
    }
    await trouble(all);
    // Whoever types a secret as an argument has shown it already; the refusal must not repeat it.
    const typed = await run([...all, 'refresh', 'signed-in', '--client-secret', CLIENT_SECRET], {
      typed: true,
    });
    expect(typed.code).toBe(2);
    await run([...all, 'token', 'nobody']);
    await run([...all, 'key', 'rotate']);
    await run([...all, 'backup', path.join(folder, 'backup.db')]);
    await run([...all, 'list', '--json']);
    await run([...all, 'client', 'list', '--json']);
    await run([...all, 'doctor', '--json']);
    const masterKey = readFileSync(path.join(home, 'key', 'master.key'), 'utf8').trim();
    for (const name of ['imported', 'own']) await run([...all, 'disconnect', name, '--yes']);

    const passphrase = ['--passphrase-file', secretFile('passphrase', PASSPHRASE)];
    const other = ['--home', path.join(folder, 'other'), ...passphrase];
    const second = (await emulator.issueGrant({})).refreshToken ?? '';
    await run([
      ...other,
      'add',
      'second',
      ...add,
      '--refresh-token-file',
      secretFile('rt2', second),
    ]);
    await run([...other, 'token', 'second'], { prints: true });

    const canaries: Canary[] = [
      ...proxy.canaries(),
      { kind: 'client secret', value: CLIENT_SECRET },
      { kind: 'subscription key', value: SUBSCRIPTION_KEY },
      { kind: 'passphrase', value: PASSPHRASE },
      { kind: 'master key', value: masterKey.split(':')[1] ?? masterKey },
    ];
    const kinds = new Set(canaries.map(({ kind }) => kind));
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'access_token',
        'refresh_token',
        'id_token',
        'code',
        'code_verifier',
        'basic',
      ]),
    );
    const files = filesBelow(folder);
    expect(files.length).toBeGreaterThan(3);
    const leaks = findLeaks(canaries, [...evidence, ...files]).filter(
      ({ kind, where }) => !(kind === 'master key' && where.endsWith('/key/master.key')),
    );
    expect(leaks).toEqual([]);
  }, 600_000);
});
