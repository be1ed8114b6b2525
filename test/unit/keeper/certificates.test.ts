import { readdir } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startEmulator, type Emulator } from '../../../src/emulator/emulator.ts';
import { openKeeper } from '../../../src/keeper.ts';
import type { Connection } from '../../../src/keeper-api.ts';
import { perspio } from '../../../src/providers/perspio.ts';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';

const ENDINGS: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const end of ENDINGS.splice(0).reverse()) await end();
});

/** A connection to an emulator under a throw-away authority that this machine does not know. */
async function connectionTo(ca: (emulator: Emulator) => string[]): Promise<Connection> {
  const emulator = await startEmulator({ tls: true });
  ENDINGS.push(() => emulator.close());
  const home = await makeTemporaryFolder('evergrant-certificates-');
  ENDINGS.push(() => removeFolder(home));
  const keeper = await openKeeper({ home, ca: ca(emulator) });
  ENDINGS.push(() => keeper.close());
  const grant = await emulator.issueGrant({ clientId: 'perspio-demo' });
  return keeper.add('a', {
    provider: 'perspio',
    subscriptionKey: 'demo-subscription-key',
    perspioTenantId: 'in-demo',
    client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
    overrides: {
      tokenEndpoint: emulator.tokenEndpoint,
      api: {
        origins: [new URL(emulator.apiBase).origin],
        base: emulator.apiBase,
        ...(perspio.api?.headers && { headers: perspio.api.headers }),
      },
    },
    tokens: {
      refreshToken: grant.refreshToken ?? '',
      accessToken: grant.accessToken,
      accessExpiresAt: grant.expiresAt,
    },
  });
}

const trusted = ({ caCertificate = '' }: Emulator): string[] => [caCertificate];

/** What nobody should reach: `ca` of another authority is as good as none. */
async function untrusted(): Promise<Connection> {
  const another = await startEmulator({ tls: true });
  ENDINGS.push(() => another.close());
  return connectionTo(() => trusted(another));
}

describe('an authority that is given to the keeper', () => {
  it('counts for the authorization server and for the API', async () => {
    const connection = await connectionTo(trusted);
    await connection.refresh();
    const answer = await connection.fetch('/assets/v3/');
    expect(answer).toBeInstanceOf(Response);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toBeTypeOf('object');
    await expect(
      connection.fetch('/assets/v3/', { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('counts for nothing but what it signed', async () => {
    const connection = await untrusted();
    await expect(connection.refresh()).rejects.toMatchObject({ code: 'ERR_SERVER_UNREACHABLE' });
    await expect(connection.fetch('/assets/v3/')).rejects.toThrow(TypeError);
  });
});

describe('an authority that is none', () => {
  it.each([
    [[''], 'ca[0]'],
    [['/etc/ssl/certs/authority.pem'], 'ca[0]'],
    [['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'], 'ca[0]'],
    ['-----BEGIN CERTIFICATE-----' as unknown as string[], 'ca'],
  ])('(%j) is refused by name before anything is opened', async (ca, name) => {
    const home = await makeTemporaryFolder('evergrant-certificates-');
    ENDINGS.push(() => removeFolder(home));
    await expect(openKeeper({ home, ca })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(`${name} `) as unknown,
    });
    expect(await readdir(home)).toEqual([]);
  });
});

describe('NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
  it.each([
    ['without an authority', () => connectionTo(() => [])],
    ['with the authority of another', untrusted],
  ])('lets nobody read a token (%s)', async (_what, connect) => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const connection = await connect();
    await expect(connection.refresh()).rejects.toMatchObject({ code: 'ERR_SERVER_UNREACHABLE' });
    await expect(connection.fetch('/assets/v3/')).rejects.toThrow(TypeError);
  });

  it('changes nothing for a server whose certificate is good', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const connection = await connectionTo(trusted);
    await connection.refresh();
    expect((await connection.fetch('/assets/v3/')).status).toBe(200);
  });
});
