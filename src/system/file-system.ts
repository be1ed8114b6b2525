import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, unusable } from './file-errors.ts';

/*
 * What the file system that holds a path tells of itself, by statfs(2).
 */

/** Type number of the file system that holds a path. */
export async function fileSystemType(path: string): Promise<number> {
  return fileSystemTypeSync(path);
}

/** As {@link fileSystemType}, at once. */
export function fileSystemTypeSync(path: string): number {
  return statfsSync(path).type;
}

/** Room on a file system. */
export interface FreeSpace {
  /** Bytes that this user may still take. */
  readonly bytes: number;
  /** Files that may still be made; undefined where the file system sets no number. */
  readonly files: number | undefined;
}

/** Room where a path lies, or will: of its nearest folder that is there. @throws {@link StoreError} when nobody can tell. */
export async function freeSpace(path: string): Promise<FreeSpace> {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(path);
    return { bytes: bavail * bsize, files: files === 0 ? undefined : ffree };
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || parent === path) throw unusable(path, error);
    return freeSpace(parent);
  }
}
