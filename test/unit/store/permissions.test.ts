import * as fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHome, type OpenHome } from '../../../src/keeper.ts';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
import { FILE_TRAPS, FOLDER_TRAPS } from '../../support/traps.ts';

let home: string;
let umask: number;

beforeEach(async () => {
  umask = process.umask(0o022);
  home = await makeTemporaryFolder('evergrant-home-');
});

afterEach(async () => {
  process.umask(umask);
  await removeFolder(home);
});

const at = (name: string): string => path.join(home, name);

/** A home that was used and closed, laid out with everything that may lie in it. */
async function makeHome(): Promise<void> {
  const opened = await openHome({ home });
  await use(opened);
  await opened.keeper.close();
  fs.mkdirSync(at('spill'), { mode: 0o700 });
  fs.writeFileSync(at('settings.json'), '{}', { mode: 0o600 });
}

async function use({ keeper, store }: OpenHome): Promise<void> {
  await store.claims.identify();
  await keeper.add('a', {
    provider: 'generic',
    client: { clientId: 'c', clientSecret: 's' },
    overrides: { tokenEndpoint: 'https://as.example/token' },
    tokens: { refreshToken: 'r' },
  });
}

const FILES = [
  'store/evergrant.db',
  'store/evergrant.db-wal',
  'store/evergrant.db-shm',
  'key/master.key',
  'key/store.mark',
  'settings.json',
];
const FOLDERS = ['store', 'store/run', 'key', 'spill'];

/** Every case: what lies where. */
const CASES = [
  ...FILES.flatMap((name) => Object.entries(FILE_TRAPS).map((trap) => [name, ...trap] as const)),
  ...FOLDERS.flatMap((name) =>
    Object.entries(FOLDER_TRAPS).map((trap) => [name, ...trap] as const),
  ),
];

/** What lies at every path of the home, without what changes by looking. */
function census(): readonly string[] {
  return fs
    .readdirSync(home, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { mode, uid, nlink, size } = fs.lstatSync(at(name));
      return `${name} ${mode.toString(8)} ${String(uid)} ${String(nlink)} ${String(size)}`;
    });
}

it('has at least 60 cases of what must not be trusted', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(60);
});

it.each(CASES)('refuses %s: %s', async (name, _, lay) => {
  await makeHome();
  fs.rmSync(at(name), { recursive: true, force: true });
  lay(at(name));
  const before = census();
  for (const create of [true, false]) {
    await expect(openHome({ home, create })).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' });
  }
  expect(census()).toEqual(before);
});

describe('a home', () => {
  it.each(Object.entries(FOLDER_TRAPS))('is refused: %s', async (_, lay) => {
    lay(at('inner'));
    for (const create of [true, false]) {
      const opening = openHome({ home: at('inner'), create });
      await expect(opening).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' });
    }
  });

  it.each([0o000, 0o022, 0o077])(
    'holds nothing that others could open under umask %i',
    async (mask) => {
      process.umask(mask);
      const opened = await openHome({ home: at('deep/inner') });
      await use(opened);
      const target = at('deep/backup.db');
      await opened.store.backup(target);
      await opened.store.rotateDataKey();
      const names = fs.readdirSync(home, { recursive: true, encoding: 'utf8' });
      for (const suffix of ['.db-wal', '.db-shm', '.life', '.mark', '.key', 'backup.db']) {
        expect(names.filter((name) => name.endsWith(suffix))).toHaveLength(1);
      }
      const loose = names.filter((name) => {
        const { mode } = fs.lstatSync(at(name));
        return (mode & 0o077) !== 0;
      });
      expect(loose).toEqual([]);
      await opened.keeper.close();
    },
  );
});
