import * as fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createPrivateFile,
  createPrivateFileWith,
  listFolder,
  privateFolder,
  readPrivateFile,
  removeFile,
  writePrivateFile,
} from '../../../src/system/files.ts';
import { checkOwnerOnly, identityOf } from '../../../src/system/ownership.ts';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
import { FILE_TRAPS, FOLDER_TRAPS } from '../../support/traps.ts';

let folder: string;
let umask: number;

beforeEach(async () => {
  umask = process.umask(0o022);
  folder = await makeTemporaryFolder('evergrant-files-');
});

afterEach(async () => {
  process.umask(umask);
  await removeFolder(folder);
});

const at = (name: string): string => path.join(folder, name);
const modeOf = (file: string): number => fs.statSync(file).mode & 0o777;

describe('what is not safe is refused', () => {
  it.each(Object.entries(FILE_TRAPS))('a file: %s', async (_, lay) => {
    lay(at('file'));
    const unsafe = { code: 'ERR_STORE_UNSAFE' };
    await expect(checkOwnerOnly(at('file'), 'file')).rejects.toMatchObject(unsafe);
    await expect(readPrivateFile(at('file'))).rejects.toMatchObject(unsafe);
    expect(await createPrivateFile(at('file'))).toBe(false);
    expect(await createPrivateFileWith(at('file'), 'secret')).toBe(false);
  });

  it.each(Object.entries(FOLDER_TRAPS))('a folder: %s', async (_, lay) => {
    lay(at('inner'));
    const unsafe = { code: 'ERR_STORE_UNSAFE' };
    await expect(checkOwnerOnly(at('inner'), 'folder')).rejects.toMatchObject(unsafe);
    await expect(privateFolder(at('inner'))).rejects.toMatchObject(unsafe);
  });
});

describe('what is advised for a folder that others may enter', () => {
  it.each(['/', '/tmp', '/proc', '/usr'])(
    'names another one, where it is for all: %s',
    async (all) => {
      const found = expect(checkOwnerOnly(all, 'folder')).rejects;
      await found.toMatchObject({
        message: expect.stringMatching(/; choose a folder of your own/),
      });
    },
  );

  it('is another one where it has the sticky bit', async () => {
    fs.mkdirSync(at('shared'));
    fs.chmodSync(at('shared'), 0o1777);
    const found = expect(checkOwnerOnly(at('shared'), 'folder')).rejects;
    await found.toMatchObject({ message: expect.stringMatching(/; choose a folder of your own/) });
  });

  it('is chmod where evergrant made it, and another one where not', async () => {
    await privateFolder(at('home'));
    fs.chmodSync(at('home'), 0o755);
    const found = expect(checkOwnerOnly(at('home'), 'folder')).rejects;
    const advice = /if evergrant made it, .* chmod 700, else choose a folder of your own/;
    await found.toMatchObject({ message: expect.stringMatching(advice) });
  });
});

describe('a folder that cannot be made', () => {
  const unavailable = { code: 'ERR_STORE_UNAVAILABLE', message: expect.stringContaining('ENOENT') };

  it('is given up where a link above it leads nowhere', async () => {
    fs.symlinkSync(at('not-mounted'), at('link'));
    await expect(privateFolder(at('link/home'))).rejects.toMatchObject(unavailable);
    await expect(privateFolder(at('link/data/home'))).rejects.toMatchObject(unavailable);
  });

  it('is given up where the folder above it takes none in', async (context) => {
    if (process.platform !== 'linux') return context.skip('not run: /proc is of Linux');
    await expect(privateFolder('/proc/evergrant')).rejects.toMatchObject(unavailable);
    await expect(privateFolder('/proc/evergrant/home')).rejects.toMatchObject(unavailable);
  });
});

describe('a file that its maker left under its temporary name as well', () => {
  beforeEach(async () => {
    await createPrivateFileWith(at('key'), 'secret');
  });

  it('is whole, and loses the other name', async () => {
    fs.linkSync(at('key'), at('key.0123456789ab.tmp'));
    expect(Buffer.from((await readPrivateFile(at('key'))) ?? []).toString()).toBe('secret');
    expect(await listFolder(folder)).toEqual(['key']);
  });

  it.each(['key.tmp', 'other.0123456789ab.tmp', 'key.0123456789ab'])(
    'is refused under %s, which is not such a name',
    async (name) => {
      fs.linkSync(at('key'), at(name));
      const unsafe = { code: 'ERR_STORE_UNSAFE' };
      await expect(readPrivateFile(at('key'))).rejects.toMatchObject(unsafe);
      expect(await listFolder(folder)).toHaveLength(2);
    },
  );

  it('leaves the temporary name of another file alone', async () => {
    fs.linkSync(at('key'), at('second'));
    fs.writeFileSync(at('key.0123456789ab.tmp'), 'being written');
    const unsafe = { code: 'ERR_STORE_UNSAFE' };
    await expect(readPrivateFile(at('key'))).rejects.toMatchObject(unsafe);
    expect(await listFolder(folder)).toHaveLength(3);
  });
});

describe.each([0o000, 0o022, 0o077])('under umask %i', (mask) => {
  it('nothing is made that others could open', async () => {
    process.umask(mask);
    await privateFolder(at('outer/inner'));
    await createPrivateFile(at('outer/empty'));
    await createPrivateFileWith(at('outer/full'), 'x');
    await writePrivateFile(at('outer/written'), 'x');
    expect(['outer', 'outer/inner'].map((name) => modeOf(at(name)))).toEqual([0o700, 0o700]);
    const files = ['outer/empty', 'outer/full', 'outer/written'];
    expect(files.map((name) => modeOf(at(name)))).toEqual([0o600, 0o600, 0o600]);
  });
});

describe('writing', () => {
  it('puts a new file in place of a link without following it', async () => {
    fs.writeFileSync(at('target'), 'old');
    fs.symlinkSync(at('target'), at('link'));
    await writePrivateFile(at('link'), 'new');
    expect(fs.readFileSync(at('target'), 'utf8')).toBe('old');
    expect(fs.lstatSync(at('link')).isFile()).toBe(true);
  });

  it('leaves one whole content when many write at once', async () => {
    const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(1_000));
    await Promise.all(contents.map((content) => writePrivateFile(at('file'), content)));
    expect(contents).toContain(fs.readFileSync(at('file'), 'utf8'));
    expect(await listFolder(folder)).toEqual(['file']);
  });

  it('lets one of many creators win, and leaves nothing else', async () => {
    const contents = Array.from({ length: 20 }, (_, i) => String(i));
    const won = await Promise.all(contents.map((text) => createPrivateFileWith(at('file'), text)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(fs.readFileSync(at('file'), 'utf8')).toBe(String(won.indexOf(true)));
    expect(await listFolder(folder)).toEqual(['file']);
    expect(await checkOwnerOnly(at('file'), 'file')).toBeDefined();
  });

  it('fails in a named way where there is no folder, and names a file in the way of one', async () => {
    const unavailable = { code: 'ERR_STORE_UNAVAILABLE' };
    await expect(writePrivateFile(at('no/file'), 'x')).rejects.toMatchObject(unavailable);
    await expect(createPrivateFile(at('no/file'))).rejects.toMatchObject(unavailable);
    await expect(createPrivateFileWith(at('no/file'), 'x')).rejects.toMatchObject(unavailable);
    fs.writeFileSync(at('file'), '');
    await expect(privateFolder(at('file/inner'))).rejects.toMatchObject(unavailable);
    await expect(removeFile(at('file/inner'))).rejects.toMatchObject(unavailable);
  });
});

describe('the identity of a file', () => {
  it('stays while its content changes, and differs for a copy', async () => {
    fs.writeFileSync(at('file'), 'x');
    const before = await identityOf(at('file'));
    fs.appendFileSync(at('file'), 'y');
    expect(await identityOf(at('file'))).toBe(before);
    fs.copyFileSync(at('file'), at('copy'));
    fs.renameSync(at('copy'), at('file'));
    expect(await identityOf(at('file'))).not.toBe(before);
  });

  it('is undefined where there is none', async () => {
    expect(await identityOf(at('file'))).toBeUndefined();
    expect(await readPrivateFile(at('file'))).toBeUndefined();
  });
});
