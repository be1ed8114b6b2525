import { randomBytes } from 'node:crypto';
import { constants, promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { createPrivateFileWith, writePrivateFile } from './files.ts';
import { checkOwnerOnly } from './ownership.ts';

/*
 * Room on the disk that was taken while there was some, for one small file that must be written when there is none left. Where a file is
 * overwritten in its own place (ext4, XFS, tmpfs), the room cannot be lost to anybody else. A file system that writes every change to a
 * new place (btrfs, ZFS, APFS) may refuse that: there the room is given back and taken again, which fails where a snapshot still holds it
 * or another program is faster.
 */

/** Keeps room for one file. */
export interface Reserve {
  /**
   * Makes the reserve durably, unless it is there.
   *
   * @throws {@link StoreError} `ERR_STORE_FULL` when there is no room for it.
   */
  make(reserve: string): Promise<void>;
  /**
   * Turns the reserve into the file at `path`, durably; nobody ever sees that in part. Of several who want it one gets it.
   *
   * @throws an error when there is no reserve, or it did not help; it may be used up then.
   */
  spend(reserve: string, path: string, content: string): Promise<void>;
}

/** Bytes in a reserve: more than any answer of a known authorization server takes up when it is sealed. */
const RESERVED_BYTES = 65_536;

/** The file system's own. */
export const systemReserve: Reserve = {
  async make(reserve) {
    if ((await checkOwnerOnly(reserve, 'file')) !== undefined) return;
    // Chance cannot be compressed, nor left out as a hole.
    const content = randomBytes((RESERVED_BYTES / 4) * 3).toString('base64');
    await createPrivateFileWith(reserve, content);
  },
  async spend(reserve, path, content) {
    const taken = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    // Takes off the name that it was made under, if its maker was killed before: nobody reads a file that has a second one.
    await checkOwnerOnly(reserve, 'file');
    await fs.rename(reserve, taken);
    try {
      await overwrite(taken, content);
      await fs.rename(taken, path);
    } catch {
      await fs.rm(taken, { force: true });
      await writePrivateFile(path, content);
      return;
    }
    await syncFolder(dirname(path));
  },
};

async function overwrite(path: string, content: string): Promise<void> {
  const bytes = Buffer.from(content);
  const handle = await fs.open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
    await handle.truncate(bytes.length);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
