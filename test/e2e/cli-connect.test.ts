import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { browse, paste } from '../support/browser.ts';
import { emulatorFixture } from '../support/emulator-fixture.ts';
import { evergrant, startEvergrant, type Ended, type Running } from '../support/run-evergrant.ts';

// Chains of processes, on a machine that has other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/*
 * Connecting by the command line, with a browser of a few lines in the person's place, and calling the API.
 */

const startEmulator = emulatorFixture();

let folder: string;
let home: string;
let emulator: Emulator;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-e2e-'));
  home = path.join(folder, 'home');
  // The command line holds id tokens against the keys, so these are real.
  emulator = await startEmulator({ opaqueAccessTokens: false, deviceIntervalSeconds: 1 });
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function run(argv: readonly string[], input?: string): Promise<Ended> {
  return evergrant(['--home', home, ...argv], input === undefined ? {} : { input });
}

async function file(name: string, content: string): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, content, { mode: 0o600 });
  return target;
}

/** `connect` for Perspio's profile, with the emulator in the place of Entra and of the API. */
async function connect(name: string, ...further: readonly string[]): Promise<Running> {
  return startEvergrant(
    [
      '--home',
      home,
      'connect',
      name,
      '--provider',
      'perspio',
      '--client-id',
      'perspio-demo',
      '--client-secret-file',
      await file('secret', 'demo~secret+1\n'),
      '--subscription-key-file',
      await file('key', 'demo-subscription-key\n'),
      '--perspio-tenant',
      'in-demo',
      '--issuer',
      emulator.issuer,
      '--token-endpoint',
      emulator.tokenEndpoint,
      '--authorization-endpoint',
      emulator.authorizationEndpoint,
      '--device-authorization-endpoint',
      emulator.deviceAuthorizationEndpoint,
      '--jwks-uri',
      emulator.jwksUri,
      '--api-origin',
      emulator.apiBase,
      '--insecure-loopback',
      ...further,
    ],
    { keepsInputOpen: true, env: { DISPLAY: undefined, WAYLAND_DISPLAY: undefined } },
  );
}

const ADDRESS = /\n {2}(http\S+)\n/;

describe('a connection', () => {
  it('begins in a browser that comes back to this machine', async () => {
    const running = await connect('perspio');
    const visit = await browse(await running.told(ADDRESS));
    expect(visit.status).toBe(200);
    const ended = await running.ended;
    expect(ended).toMatchObject({ code: 0, stdout: '' });
    expect(ended.stderr).toMatch(
      /\nperspio: connected as demo@perspio\.io; the access token expires in /,
    );
    const token = await run(['token', 'perspio']);
    expect(emulator.isAccessTokenAlive(token.stdout.trim())).toBe(true);
    const shown = JSON.parse((await run(['show', 'perspio', '--json'])).stdout) as object;
    expect(shown).toMatchObject({
      account: 'demo@perspio.io',
      accountId: expect.stringMatching(/^[\da-f-]{36}$/),
      rotation: 'reusable',
      state: 'active',
    });
  });

  it('begins in a browser elsewhere, whose last address is pasted', async () => {
    const running = await connect('perspio', '--no-browser', '--json');
    const address = await running.told(ADDRESS);
    const redirectUri = await running.told(/begins with (\S+) /);
    running.child.stdin?.end(`${await paste(address, redirectUri)}\n`);
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ name: 'perspio', state: 'active' });
    expect(ended.stderr).not.toContain('code=');
  });

  it('begins by a code at another device', async () => {
    const running = await connect('perspio', '--grant', 'device');
    const code = await running.told(/enter the code:\n\n {2}(\S+)\n/);
    emulator.decideDevice(code, { user: 'demo@perspio.io' });
    expect(await running.ended).toMatchObject({ code: 0, stdout: '' });
    expect((await run(['token', 'perspio'])).code).toBe(0);
  });

  it('begins as the client itself', async () => {
    const running = await connect('perspio', '--grant', 'client-credentials');
    expect(await running.ended).toMatchObject({ code: 0, stdout: '' });
    expect((await run(['refresh', 'perspio'])).code).toBe(0);
  });

  it('does not begin when the person says no, and exits 4', async () => {
    const running = await connect('perspio');
    await browse(await running.told(ADDRESS), { person: { decision: 'deny' } });
    const ended = await running.ended;
    expect(ended.code).toBe(4);
    expect((await run(['list', '--names'])).stdout).toBe('');
  });

  it('does not begin when it is interrupted, and leaves nothing behind', async () => {
    const running = await connect('perspio');
    await running.told(ADDRESS);
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' });
    expect((await run(['list', '--names'])).stdout).toBe('');
  });

  it('is renewed in place, for the same account only', async () => {
    const first = await connect('perspio');
    await browse(await first.told(ADDRESS));
    await first.ended;
    const before = JSON.parse((await run(['show', 'perspio', '--json'])).stdout) as { id: string };
    const taken = await connect('perspio');
    expect(await taken.ended).toMatchObject({ code: 2, stdout: '' });
    const other = await connect('perspio', '--reconnect');
    await browse(await other.told(ADDRESS), { person: { username: 'other@perspio.io' } });
    expect(await other.ended).toMatchObject({ code: 4, stdout: '' });
    const again = await connect('perspio', '--reconnect');
    await browse(await again.told(ADDRESS));
    expect(await again.ended).toMatchObject({ code: 0, stdout: '' });
    const after = JSON.parse((await run(['show', 'perspio', '--json'])).stdout) as { id: string };
    expect(after).toMatchObject({ id: before.id, generation: 2 });
  }, 180_000);

  it('is renewed by its name alone, with the registration, secrets and scopes that it has', async () => {
    const scope = 'api://perspiotalk/access_as_user offline_access openid';
    const first = await connect('perspio', '--grant', 'device', '--scope', scope);
    const code = await first.told(/enter the code:\n\n {2}(\S+)\n/);
    emulator.decideDevice(code, { user: 'demo@perspio.io' });
    await first.ended;
    const before = JSON.parse((await run(['show', 'perspio', '--json'])).stdout) as object;
    emulator.revokeUser('demo@perspio.io');
    const refused = await run(['refresh', 'perspio']);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/\nhint: evergrant connect perspio --reconnect\n$/);
    const again = startEvergrant(['--home', home, 'connect', 'perspio', '--reconnect'], {
      keepsInputOpen: true,
    });
    const next = await again.told(/enter the code:\n\n {2}(\S+)\n/);
    emulator.decideDevice(next, { user: 'demo@perspio.io' });
    expect(await again.ended).toMatchObject({ code: 0, stdout: '' });
    const after = JSON.parse((await run(['show', 'perspio', '--json'])).stdout) as object;
    const kept = ['id', 'clientId', 'tokenEndpoint', 'rotation', 'requestedScopes', 'account'];
    const of = (shown: object): unknown[] => kept.map((name) => Reflect.get(shown, name));
    expect(of(after)).toEqual(of(before));
    expect(after).toMatchObject({ state: 'active', generation: 2 });
    expect((await run(['call', 'perspio', '/assets/v3/'])).code).toBe(0);
    expect((await run(['refresh', 'perspio'])).code).toBe(0);
  }, 180_000);

  it('is not begun by a name that nothing is known of', async () => {
    const unknown = await run(['connect', 'nobody', '--reconnect']);
    expect(unknown.code).toBe(9);
    await (
      await connect('perspio', '--grant', 'client-credentials')
    ).ended;
    const misspelt = await run(['connect', 'persipo', '--reconnect']);
    expect(misspelt.code).toBe(3);
    expect(misspelt.stderr).toContain('hint: did you mean perspio?');
  }, 180_000);
});

describe('call', () => {
  beforeEach(async () => {
    await (
      await connect('perspio', '--grant', 'client-credentials')
    ).ended;
  });

  it('sends token, subscription key and tenant, and prints what the API answers', async () => {
    const ended = await run(['call', 'perspio', '/assets/v3/']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).toBeTypeOf('object');
    expect(emulator.ledger.entries({ endpoint: 'api' })).toMatchObject([{ status: 200 }]);
  });

  it('exits 5 or 7 as the answer says', async () => {
    expect((await run(['call', 'perspio', '/no/such/thing'])).code).toBe(5);
    emulator.faults.next('rate-limited', { endpoint: 'api' });
    const limited = await run(['call', 'perspio', '/assets/v3/']);
    expect(limited.code).toBe(7);
    expect(limited.stderr).toMatch(/evergrant: the API answered 429/);
  });

  it('exits 7 when the API cannot be reached, or its connection breaks', async () => {
    emulator.faults.next('cut-before-commit', { endpoint: 'api' });
    const broken = await run(['call', 'perspio', '/assets/v3/']);
    expect(broken).toMatchObject({ code: 7, stdout: '' });
    const { origin } = new URL(emulator.apiBase);
    expect(broken.stderr).toBe(
      `evergrant: the connection to ${origin} broke (UND_ERR_SOCKET); whether it did what was asked is not known\n`,
    );
    await emulator.close();
    const unreachable = await run(['call', 'perspio', '/assets/v3/']);
    expect(unreachable).toMatchObject({ code: 7, stdout: '' });
    expect(unreachable.stderr).toBe(
      `evergrant: ${origin} cannot be reached (ECONNREFUSED); nothing was sent\n`,
    );
  });

  it('is quiet when the reader of a long answer goes away', async () => {
    const body = 'x'.repeat(4_000_000);
    emulator.faults.next({ kind: 'raw', status: 200, body }, { endpoint: 'api' });
    const running = startEvergrant(['--home', home, 'call', 'perspio', '/assets/v3/']);
    running.child.stdout?.once('data', () => running.child.stdout?.destroy());
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('sends the token to no other origin', async () => {
    const ended = await run(['call', 'perspio', 'https://elsewhere.example/']);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^evergrant: .*\n$/);
  });
});
