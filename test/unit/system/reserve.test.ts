import { link, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPrivateFile } from '../../../src/system/files.ts';
import { systemReserve } from '../../../src/system/reserve.ts';
import { smallDisk } from '../../support/small-disk.ts';

let folder: string;
let reserve: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-reserve-'));
  reserve = path.join(folder, 'reserve');
});
afterEach(() => rm(folder, { recursive: true }));

describe('a reserve', () => {
  it('takes up its room for its owner alone, and is made once', async () => {
    await systemReserve.make(reserve);
    const { size, mode, blocks, ino } = await stat(reserve);
    expect(size).toBe(65_536);
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
    expect(mode & 0o777).toBe(0o600);
    await systemReserve.make(reserve);
    expect((await stat(reserve)).ino).toBe(ino);
  });

  it('becomes the file that is written in its place, and nothing else stays', async () => {
    await systemReserve.make(reserve);
    const { ino } = await stat(reserve);
    const file = path.join(folder, 'answer');
    await systemReserve.spend(reserve, file, 'the answer');
    expect(await readFile(file, 'utf8')).toBe('the answer');
    expect((await stat(file)).ino).toBe(ino);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['answer']);
  });

  it('becomes a file that is read, though whoever made it was killed over that', async () => {
    await systemReserve.make(reserve);
    // Until its maker has removed it, the reserve has its temporary name besides.
    await link(reserve, `${reserve}.0123456789ab.tmp`);
    const file = path.join(folder, 'answer');
    await systemReserve.spend(reserve, file, 'the answer');
    expect(Buffer.from((await readPrivateFile(file)) ?? []).toString()).toBe('the answer');
    expect(await readdir(folder)).toEqual(['answer']);
  });

  it('goes to one of several who want it', async () => {
    await systemReserve.make(reserve);
    const wishes = ['a', 'b', 'c'].map((name) =>
      systemReserve.spend(reserve, path.join(folder, name), name),
    );
    const results = await Promise.allSettled(wishes);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('that others could have made is refused', async () => {
    await writeFile(path.join(folder, 'elsewhere'), 'x');
    await symlink(path.join(folder, 'elsewhere'), reserve);
    await expect(systemReserve.make(reserve)).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' });
  });
});

describe('on a full disk', () => {
  it('a file is written in its place, and a new reserve finds no room', async (context) => {
    await using disk = await smallDisk(256);
    if (disk === undefined) return context.skip('not run: mounting needs root on Linux');
    const kept = path.join(disk.path, 'reserve');
    await systemReserve.make(kept);
    disk.fill();
    const answer = 'x'.repeat(60_000);
    await systemReserve.spend(kept, path.join(disk.path, 'answer'), answer);
    expect(await readFile(path.join(disk.path, 'answer'), 'utf8')).toBe(answer);
    disk.fill();
    await expect(systemReserve.make(kept)).rejects.toMatchObject({ code: 'ERR_STORE_FULL' });
    disk.free();
    await systemReserve.make(kept);
    expect(await readdir(disk.path)).toEqual(['answer', 'reserve']);
  });
});
