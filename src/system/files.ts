import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StoreError } from '../errors.ts';

/*
 * Files that hold secrets, and the folders they lie in. Everything is made owner-only from its first instant; what is found otherwise is
 * refused, never mended in silence, since whoever loosened it may have read it.
 */

/** The errno of a failed system call, if the error carries one. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Makes a folder with mode 0700, or checks that it is a real folder of this user that nobody else can enter.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when it is a link, another user's, or open to others.
 */
export async function privateFolder(path: string): Promise<void> {
  try {
    await fs.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unusable(path, cause);
  }
  await checkOwnerOnly(path, 'folder');
}

/**
 * Checks that a path is a plain file or folder (no link, one hard link) that belongs to this user and is closed to all others.
 *
 * @returns its device and inode, or undefined when it does not exist.
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when it is not.
 */
export async function checkOwnerOnly(
  path: string,
  kind: 'file' | 'folder',
): Promise<string | undefined> {
  let stat;
  try {
    stat = await fs.lstat(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unusable(path, cause);
  }
  const right = kind === 'file' ? stat.isFile() : stat.isDirectory();
  if (!right) throw unsafe(path, `is not a plain ${kind}`, 'remove it or choose another home');
  if (kind === 'file' && stat.nlink > 1) throw unsafe(path, 'has a second hard link', 'remove it');
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== uid) {
    throw unsafe(path, 'belongs to another user', 'run as its owner or choose another home');
  }
  if ((stat.mode & 0o077) !== 0) {
    const mode = kind === 'file' ? '600' : '700';
    throw unsafe(path, 'can be opened by other users', `check who read it, then chmod ${mode}`);
  }
  return `${String(stat.dev)}:${String(stat.ino)}`;
}

/** Device and inode of what lies at a path, itself and not what a link points to; undefined when nothing does. */
export async function inodeOf(path: string): Promise<string | undefined> {
  try {
    const stat = await fs.lstat(path);
    return `${String(stat.dev)}:${String(stat.ino)}`;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes an empty file with mode 0600 where none was. @returns false when something is there already. */
export async function createPrivateFile(path: string): Promise<boolean> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW;
  try {
    const handle = await fs.open(path, flags, 0o600);
    await handle.close();
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw unusable(path, error);
  }
}

/** Writes a new owner-only file durably. @returns false, and writes nothing, when something is there already. */
export async function createPrivateFileWith(path: string, content: string): Promise<boolean> {
  if (!(await createPrivateFile(path))) return false;
  const handle = await fs.open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(path));
  return true;
}

/**
 * Reads a small owner-only file whole; undefined when it does not exist.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when others could have read or changed it.
 */
export async function readPrivateFile(path: string): Promise<Uint8Array | undefined> {
  if ((await checkOwnerOnly(path, 'file')) === undefined) return undefined;
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Writes a file so that after a crash the old content or the new is there, never a mixture: temporary file, fsync, rename, fsync of the folder. */
export async function writePrivateFile(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${String(process.pid)}.tmp`;
  try {
    await fs.rm(temporary, { force: true });
    const handle = await fs.open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Names in a folder; none when it does not exist. */
export async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await fs.readdir(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Removes a file if it is there. */
export async function removeFile(path: string): Promise<void> {
  await fs.rm(path, { force: true });
}

/** Reads a file of any owner and mode, such as one that the system provides; undefined when it cannot be read. */
export async function readSystemFile(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Type number of the file system that holds a path, as statfs(2) gives it. */
export async function fileSystemType(path: string): Promise<number> {
  return (await fs.statfs(path)).type;
}

/** Joins path parts. */
export const joinPath: (...parts: string[]) => string = join;

async function syncFolder(path: string): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unsafe(path: string, what: string, remedy: string): StoreError {
  return new StoreError('ERR_STORE_UNSAFE', `${path} ${what}; ${remedy}`);
}

function unusable(path: string, cause: unknown): StoreError {
  const errno = errnoOf(cause);
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new StoreError('ERR_STORE_FULL', `no space left to write ${path}; free some`, { cause });
  }
  if (errno === 'EROFS' || errno === 'EACCES' || errno === 'EPERM') {
    return new StoreError(
      'ERR_STORE_READ_ONLY',
      `${path} cannot be written (${errno}); check its owner and mode, or choose another home`,
      { cause },
    );
  }
  return new StoreError(
    'ERR_STORE_UNAVAILABLE',
    `${path} cannot be used (${errno ?? 'unknown error'})`,
    { cause },
  );
}
