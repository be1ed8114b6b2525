import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Emulator } from '../../../src/emulator/emulator.ts';
import type { ConnectOptions, Keeper } from '../../../src/keeper-api.ts';
import { openKeeper } from '../../../src/keeper.ts';
import { browse } from '../../support/browser.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';

/*
 * A registration that is no longer needed can be forgotten, with its secret, and no consent is lost by that.
 */

const startEmulator = emulatorFixture();

let home: string;
let emulator: Emulator;
let keeper: Keeper;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'evergrant-client-'));
  emulator = await startEmulator({ opaqueAccessTokens: false });
  keeper = await openKeeper({ home });
});

afterEach(async () => {
  await keeper.close();
  await rm(home, { recursive: true, force: true });
});

function options(further: Partial<ConnectOptions> = {}): ConnectOptions {
  const { issuer, tokenEndpoint, authorizationEndpoint, jwksUri } = emulator;
  return {
    provider: 'perspio',
    client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
    overrides: { issuer, tokenEndpoint, authorizationEndpoint, jwksUri, insecureLoopback: true },
    ...further,
  };
}

describe('a registration', () => {
  it('is kept while a connection uses it, and removed when none does', async () => {
    const connection = await keeper.connect('one', options({ grant: 'client-credentials' }));
    await expect(keeper.removeClient('perspio-demo')).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('is used by connections; disconnect them first'),
    });
    await connection.disconnect();
    expect(await keeper.clients()).toMatchObject([{ hasSecret: true, connections: 0 }]);
    await keeper.removeClient('perspio-demo');
    expect(await keeper.clients()).toEqual([]);
    await expect(keeper.removeClient('perspio-demo')).rejects.toMatchObject({
      code: 'ERR_CLIENT_UNKNOWN',
    });
  });

  it('keeps the secret that connections use, whatever another connection begins with', async () => {
    const connection = await keeper.connect('one', options({ grant: 'client-credentials' }));
    const client = { clientId: 'perspio-demo', clientSecret: 'typo' };
    const other = keeper.connect('two', options({ client, grant: 'client-credentials' }));
    await expect(other).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('evergrant client set-secret perspio-demo'),
    });
    expect(await keeper.clients()).toHaveLength(1);
    await keeper.connect('two', options({ grant: 'client-credentials' }));
    await connection.disconnect();
    await keeper.connection('two').disconnect();
    const mistyped = keeper.connect('three', options({ client, grant: 'client-credentials' }));
    await expect(mistyped).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    await keeper.connect('three', options({ grant: 'client-credentials' }));
  });

  it('that is new is stored with its connection, and not when none comes of it', async () => {
    const client = { clientId: 'perspio-demo', clientSecret: 'typo' };
    const refused = keeper.connect('one', options({ client, grant: 'client-credentials' }));
    await expect(refused).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    expect(await keeper.clients()).toEqual([]);
    const asked = Promise.withResolvers<unknown>();
    const gaveUp = new Error('gave up');
    const prompt: ConnectOptions['prompt'] = {
      async authorize() {
        asked.resolve(await keeper.clients());
        throw gaveUp;
      },
    };
    await expect(keeper.connect('one', options({ prompt }))).rejects.toBe(gaveUp);
    expect(await asked.promise).toEqual([]);
    expect(await keeper.clients()).toEqual([]);
  });

  it('of two connections that begin at once is stored once', async () => {
    const both = ['one', 'two'].map((name) =>
      keeper.connect(name, options({ grant: 'client-credentials' })),
    );
    await Promise.all(both);
    expect(await keeper.clients()).toMatchObject([{ connections: 2 }]);
  });

  it('removed while a person consents is put back, so that the consent is not lost', async () => {
    const before = await keeper.connect('before', options({ grant: 'client-credentials' }));
    await before.disconnect();
    const prompt: ConnectOptions['prompt'] = {
      async authorize({ url }) {
        await keeper.removeClient('perspio-demo');
        await browse(url);
      },
    };
    const connection = await keeper.connect('one', options({ prompt }));
    expect((await connection.refresh()).state).toBe('active');
    expect(await keeper.clients()).toMatchObject([{ hasSecret: true, connections: 1 }]);
  });
});
