import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AddOptions, Keeper } from '../../../src/keeper-api.ts';
import { openKeeper, type KeeperOptions } from '../../../src/keeper.ts';
import { openRemote } from '../../../src/remote/open-remote.ts';
import { homePaths } from '../../../src/system/home.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/*
 * What TypeScript would have refused and JavaScript lets through is told as an argument.
 */

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-options-'));
});

afterEach(() => rm(folder, { recursive: true }));

it.each<[object, string]>([
  [{ settings: { requestsPerSecond: NaN } }, 'settings.requestsPerSecond must be a number'],
  [{ settings: { lasttry: false } }, 'settings.lasttry is unknown'],
  [{ key: '/etc/evergrant/key' }, 'key names neither file, passphrase nor keychain'],
  [{ key: { file: 5 } }, 'key names neither file, passphrase nor keychain'],
  [{ key: {} }, 'key names neither file, passphrase nor keychain'],
  [{ home: 5 }, 'home is no path; name a folder, or leave it out'],
  [{ home: '' }, 'home is no path; name a folder, or leave it out'],
  [{ home: '', daemon: true }, 'home is no path; name a folder, or leave it out'],
])('%j opens nothing', async (options, message) => {
  const given = { home: path.join(folder, 'home'), ...options } as KeeperOptions;
  await expect(openKeeper(given)).rejects.toMatchObject({
    name: 'ConfigurationError',
    code: 'ERR_ARGUMENT',
    message: expect.stringContaining(message) as unknown,
  });
});

const KEEPERS: readonly [string, () => Promise<Keeper>][] = [
  ['this process', () => openKeeper({ home: path.join(folder, 'local') })],
  [
    'a daemon',
    () => openRemote({ url: 'http://127.0.0.1:1', key: 'evk' }, homePaths('/', {}), fakeClock()),
  ],
];

describe.each(KEEPERS)('a keeper of %s', (_which, open) => {
  it.each([undefined, 5, null])('has no connection %j', async (name) => {
    await using keeper = await open();
    expect(() => keeper.connection(name as unknown as string)).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        message: 'the name of a connection is no string',
      }),
    );
  });

  it.each([-1, 0.5, NaN, '10', null])('lists no %j connections', async (limit) => {
    await using keeper = await open();
    await expect(keeper.list({ limit: limit as number })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'limit is no number of connections; give a whole number from 0 on',
    });
  });

  it.each<[object, string]>([
    [{ client: undefined }, 'client is no object'],
    [{ tokens: undefined }, 'tokens is no object'],
    [{ tokens: {} }, 'refreshToken is missing; give the secret itself'],
    [{ client: { clientId: 'c', clientSecret: 7 } }, 'clientSecret is no secret; give the secret'],
    [{ subscriptionKey: 7 }, 'subscriptionKey is no secret; give the secret itself'],
  ])('adds nothing with %j', async (wrong, message) => {
    await using keeper = await open();
    const options = {
      ...{ provider: 'generic', overrides: { tokenEndpoint: 'https://as.example/token' } },
      ...{ client: { clientId: 'c' }, tokens: { refreshToken: 'rt' } },
      ...wrong,
    };
    await expect(keeper.add('a', options as unknown as AddOptions)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(message) as unknown,
    });
  });

  it('adds and connects nothing without options, and sets no secret that is none', async () => {
    await using keeper = await open();
    const none = undefined as never;
    const calls = [
      keeper.add('a', none),
      keeper.connect('a', none),
      keeper.setClientSecret('c', none),
    ];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ reason: { code: 'ERR_ARGUMENT' } });
    }
  });

  it('tells nothing to what is no function', async () => {
    await using keeper = await open();
    expect(() => keeper.on('refreshed', undefined as unknown as () => undefined)).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        message: 'the listener of refreshed is no function',
      }),
    );
  });
});

it.each([
  ['no time', 'soon'],
  ['NaN', NaN],
])('a keeper does not close within %s, and is open afterwards', async (_what, patienceMs) => {
  await using keeper = await openKeeper({ home: path.join(folder, 'open') });
  await expect(keeper.close({ patienceMs: patienceMs as number })).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: 'patienceMs is no duration in milliseconds; give a number from 0 on',
  });
  expect(await keeper.list()).toEqual([]);
});
