import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Keeper } from '../../../src/keeper-api.ts';
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
])('%j opens nothing', async (options, message) => {
  const given = { home: path.join(folder, 'home'), ...options } as KeeperOptions;
  await expect(openKeeper(given)).rejects.toMatchObject({
    name: 'ConfigurationError',
    code: 'ERR_ARGUMENT',
    message: expect.stringContaining(message) as unknown,
  });
});

describe('an open keeper', () => {
  const open = (): Promise<Keeper> => openKeeper({ home: path.join(folder, 'open') });

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

  it.each([
    ['no time', 'soon'],
    ['NaN', NaN],
  ])('does not close within %s, and is open afterwards', async (_what, patienceMs) => {
    await using keeper = await open();
    await expect(keeper.close({ patienceMs: patienceMs as number })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'patienceMs is no duration in milliseconds; give a number from 0 on',
    });
    expect(await keeper.list()).toEqual([]);
  });
});

const KEEPERS: readonly [string, () => Promise<Keeper>][] = [
  ['this process', () => openKeeper({ home: path.join(folder, 'local') })],
  [
    'a daemon',
    () => openRemote({ url: 'http://127.0.0.1:1', key: 'evk' }, homePaths('/', {}), fakeClock()),
  ],
];

it.each(KEEPERS)('a keeper of %s tells nothing to what is no function', async (_which, open) => {
  await using keeper = await open();
  expect(() => keeper.on('refreshed', undefined as unknown as () => undefined)).toThrow(
    expect.objectContaining({
      code: 'ERR_ARGUMENT',
      message: 'the listener of refreshed is no function',
    }),
  );
});
