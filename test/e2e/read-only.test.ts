import { chmod, chown, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKeeper } from '../../src/keeper.ts';
import { makeTemporaryFolder, removeFolder } from '../../src/system/temporary-folder.ts';
import { evergrant, type Ended } from '../support/run-evergrant.ts';
import { smallDisk, type SmallDisk } from '../support/small-disk.ts';

/*
 * A home that cannot be written: by its disk, or by the modes of its folders and files.
 */

/** Whom root runs as, for whom modes count. */
const NOBODY = 65_534;

let folder: string;
let disk: SmallDisk | undefined;

beforeEach(async () => {
  folder = await makeTemporaryFolder('evergrant-read-only-');
});

afterEach(async () => {
  await disk?.[Symbol.asyncDispose]();
  disk = undefined;
  for (const part of await everything(folder)) await chmod(part, 0o700).catch(() => undefined);
  await removeFolder(folder);
});

/** Two connections: one whose token lives, one that needs a refresh. */
async function makeHome(home: string): Promise<void> {
  await using keeper = await openKeeper({ home });
  const common = {
    provider: 'generic',
    client: { clientId: 'app' },
    overrides: { tokenEndpoint: 'https://127.0.0.1:9/token' },
  };
  const accessExpiresAt = Date.now() + 3_600_000;
  const refreshToken = 'the-refresh-token';
  await keeper.add('lives', {
    ...common,
    tokens: { refreshToken, accessToken: 'the-access-token', accessExpiresAt },
  });
  await keeper.add('ended', { ...common, tokens: { refreshToken } });
}

async function everything(home: string): Promise<string[]> {
  const parts = await readdir(home, { recursive: true, withFileTypes: true });
  return [home, ...parts.map((part) => path.join(part.parentPath, part.name))];
}

/** Makes the home one of a user for whom modes count, and takes all rights to write away. @returns the user. */
async function closeToWriting(home: string): Promise<number | undefined> {
  const user = process.getuid?.() === 0 ? NOBODY : undefined;
  const parts = await readdir(home, { recursive: true, withFileTypes: true });
  const folders = parts.filter((part) => part.isDirectory());
  const files = parts.filter((part) => !part.isDirectory());
  const where = (of: typeof parts): string[] =>
    of.map((part) => path.join(part.parentPath, part.name));
  for (const file of where(files)) await chmod(file, 0o400);
  for (const part of [...where(folders), home]) await chmod(part, 0o500);
  if (user !== undefined) {
    for (const part of [home, ...where(parts)]) await chown(part, user, user);
  }
  return user;
}

function checkServed(lives: Ended, ended: Ended): void {
  expect(lives).toEqual({ code: 0, stdout: 'the-access-token\n', stderr: '' });
  expect(ended).toMatchObject({ code: 9, stdout: '' });
  expect(ended.stderr).toMatch(
    /^evergrant: \S+evergrant\.db cannot be written, so nothing is refreshed; make [^\n]+\n$/,
  );
}

describe('a home that cannot be written', () => {
  it('because its disk is read-only: a token that lives is served, a refresh is refused in one line', async (context) => {
    disk = await smallDisk(1_024);
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    const home = path.join(disk.path, 'home');
    await makeHome(home);
    disk.makeReadOnly();
    const [lives, ended, listed, examined] = await Promise.all([
      evergrant(['token', 'lives', '--home', home]),
      evergrant(['token', 'ended', '--home', home]),
      evergrant(['list', '--home', home]),
      evergrant(['doctor', '--home', home]),
    ]);
    checkServed(lives, ended);
    expect(examined.code).toBe(9);
    expect(examined.stdout).toMatch(/^fail +store and key +\S+ cannot be written, so nothing/m);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
  });

  it('because of its modes: likewise', async () => {
    const home = path.join(folder, 'home');
    await makeHome(home);
    const user = await closeToWriting(home);
    await chmod(folder, 0o755);
    const [lives, ended, renewed] = await Promise.all([
      evergrant(['token', 'lives', '--home', home], { user }),
      evergrant(['token', 'ended', '--home', home], { user }),
      evergrant(['connect', 'lives', '--reconnect', '--home', home], { user }),
    ]);
    checkServed(lives, ended);
    // Before anybody is sent to sign in.
    expect(renewed).toEqual({ ...ended, stdout: '' });
  });
});
