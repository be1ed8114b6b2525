import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPrivateFileWith, privateFolder } from '../../../src/system/files.ts';

/** Paths that were written through to the disk, in order. */
const synced = vi.hoisted((): string[] => []);

vi.mock('node:fs', async (load) => {
  const actual = await load<typeof import('node:fs')>();
  return {
    ...actual,
    fsyncSync: (descriptor: number) => {
      synced.push(actual.readlinkSync(`/proc/self/fd/${String(descriptor)}`));
      actual.fsyncSync(descriptor);
    },
  };
});

let top: string;

beforeEach(() => {
  top = mkdtempSync(path.join(tmpdir(), 'evergrant-folders-'));
  synced.length = 0;
});
afterEach(() => {
  rmSync(top, { recursive: true });
});

const ELSEWHERE = 'not run: only Linux tells the path of a descriptor';

it('a new folder is on the disk before anything in it, with those above', async (context) => {
  if (process.platform !== 'linux') return context.skip(ELSEWHERE);
  const folder = path.join(top, 'a', 'b', 'keys');
  await privateFolder(folder);
  expect(synced).toEqual([top, path.join(top, 'a'), path.join(top, 'a', 'b')]);
  await createPrivateFileWith(path.join(folder, 'key'), 'k');
  expect(synced.slice(3)).toEqual([expect.stringContaining('.tmp'), folder]);
});

it('a folder that is there already is left alone', async (context) => {
  if (process.platform !== 'linux') return context.skip(ELSEWHERE);
  await privateFolder(path.join(top, 'a'));
  synced.length = 0;
  await privateFolder(path.join(top, 'a'));
  expect(synced).toEqual([]);
});

it('a folder below a link to nowhere cannot be made, which is told at once', async () => {
  symlinkSync(path.join(top, 'nowhere'), path.join(top, 'link'));
  await expect(privateFolder(path.join(top, 'link', 'a'))).rejects.toMatchObject({
    code: 'ERR_STORE_UNAVAILABLE',
  });
});

it('a folder is made in one that may be written but not read', async (context) => {
  if (process.platform !== 'linux') return context.skip(ELSEWHERE);
  const above = path.join(top, 'above');
  mkdirSync(above);
  chmodSync(above, 0o300);
  await privateFolder(path.join(above, 'a'));
  chmodSync(above, 0o700);
  expect(readdirSync(above)).toEqual(['a']);
});
