import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { freeSpace } from '../../../src/system/file-system.ts';
import { smallDisk } from '../../support/small-disk.ts';

describe('the room on a disk', () => {
  it('is that which a user may take, in bytes', async () => {
    const { bytes } = await freeSpace(tmpdir());
    const { blocks, bsize } = statfsSync(tmpdir());
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(blocks * bsize);
  });

  it('of a folder that is not there yet is that of the nearest one that is', async (context) => {
    await using disk = await smallDisk(512);
    if (disk === undefined) {
      return context.skip('not run: mounting a small disk needs root on Linux');
    }
    const planned = path.join(disk.path, 'to', 'come');
    expect(await freeSpace(planned)).toEqual(await freeSpace(disk.path));
    expect((await freeSpace(planned)).bytes).toBeLessThanOrEqual(512 * 1_024);
    disk.fill();
    expect(await freeSpace(planned)).toMatchObject({ bytes: 0 });
  });
});
