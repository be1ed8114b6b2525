import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openKeeper, type KeeperOptions } from '../../../src/keeper.ts';

/*
 * What TypeScript would have refused and JavaScript lets through is told as an argument.
 */

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-options-'));
});

afterAll(() => rm(folder, { recursive: true }));

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
