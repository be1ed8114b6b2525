import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createThrowAwayAuthority } from '../../src/emulator/tls.ts';
import { openKeeper } from '../../src/keeper.ts';
import type { Keeper } from '../../src/keeper-api.ts';
import { systemRandom } from '../../src/system/random.ts';
import { emulatorFixture } from '../support/emulator-fixture.ts';
import { evergrant, startEvergrant, type Running } from '../support/run-evergrant.ts';

// Chains of processes, on a machine that has other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/*
 * A daemon that others reach: over TLS, with a key, by those who trust its authority.
 */

const newEmulator = emulatorFixture();
let home = '';
let ca = '';
let serving: Running;
let url = '';
let key = '';

beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'evergrant-tls-'));
  const { identity, caCertificate } = await createThrowAwayAuthority(systemRandom);
  ca = caCertificate;
  const [tlsCertificateFile, tlsKeyFile] = [
    path.join(home, 'cert.pem'),
    path.join(home, 'key.pem'),
  ];
  writeFileSync(tlsCertificateFile, identity.cert);
  writeFileSync(tlsKeyFile, identity.key, { mode: 0o600 });
  const daemon = { listen: '127.0.0.1:0', tlsCertificateFile, tlsKeyFile };
  writeFileSync(path.join(home, 'settings.json'), JSON.stringify({ daemon }), { mode: 0o600 });
  await connect();
  serving = startEvergrant(['serve', '--home', home]);
  url = await serving.told(/(https:\/\/127\.0\.0\.1:\d+)/);
  const policy = ['--connection', 'perspio', '--verb', 'token'];
  const made = await evergrant(['key-for', 'reports', ...policy, '--home', home]);
  expect(made).toMatchObject({ code: 0 });
  key = made.stdout.trim();
});

afterEach(async () => {
  serving.child.kill('SIGKILL');
  await serving.ended;
  rmSync(home, { recursive: true, force: true });
});

async function connect(): Promise<void> {
  const { tokenEndpoint, issueGrant } = await newEmulator();
  const grant = await issueGrant();
  await using keeper = await openKeeper({ home });
  await keeper.add('perspio', {
    provider: 'generic',
    client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
    overrides: { tokenEndpoint, insecureLoopback: true },
    tokens: { refreshToken: grant.refreshToken ?? '' },
  });
}

async function tokenBy(daemon: { readonly ca?: readonly string[] }): Promise<string> {
  await using keeper: Keeper = await openKeeper({ home, daemon: { url, key, ...daemon } });
  return (await keeper.connection('perspio').token()).value;
}

describe('evergrant serve with a certificate', () => {
  it('gives tokens to the library and to any other program that trusts its authority', async () => {
    const value = await tokenBy({ ca: [ca] });
    const headers = { authorization: `Bearer ${key}` };
    const asked = get(`${url}/v1/connections/perspio/token`, { ca, headers });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(await json(answer)).toMatchObject({ accessToken: value });
  });

  it('is not believed by those who do not', async () => {
    await expect(tokenBy({})).rejects.toThrow('certificate of the daemon');
  });

  it('tells nothing to those who come without TLS', async () => {
    const asked = new URL('/v1/connections/perspio/token', url.replace('https:', 'http:'));
    const headers = { authorization: `Bearer ${key}` };
    await expect(fetch(asked, { headers })).rejects.toThrow('fetch failed');
  });

  it('makes links to the dashboard that begin with https', async () => {
    const { stdout } = await evergrant(['dashboard', '--no-browser', '--home', home]);
    expect(stdout.startsWith(`${url}/`)).toBe(true);
  });
});
