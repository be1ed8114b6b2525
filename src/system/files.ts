import {
  constants,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, unusable } from './file-errors.ts';
import { checkOwnerOnly, checkOwnerOnlySync, lookAt } from './ownership.ts';
import { intendedName, temporaryName } from './temporary-names.ts';

/*
 * Files that hold secrets, and the folders they lie in. Everything is made owner-only from its first instant.
 *
 * Each call does its work at once, as SQLite beside it does: to hand a look at an inode to another thread takes many times as long as the
 * look, and a cold process as long as loading half of its code.
 */

const READ_NO_LINK = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * Makes a folder with mode 0700, or checks that it is a real folder of this user that nobody else can enter.
 *
 * @throws StoreError `ERR_STORE_UNSAFE` when it is a link, another user's, or open to others.
 */
export async function privateFolder(path: string): Promise<void> {
  if ((await checkOwnerOnly(path, 'folder')) !== undefined) return;
  try {
    makeFolder(path);
  } catch (cause) {
    throw unusable(path, cause);
  }
  await checkOwnerOnly(path, 'folder');
}

/**
 * With the folders above it, one by one: Node's recursive way tries for ever, and hears no signal, where a folder that is there takes none in
 * and says ENOENT, as /proc and some automounters do. Each is durable before anything is made in it: a file is lost with its folder.
 */
function makeFolder(path: string): void {
  if (makeInside(path) === undefined) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  const missing = makeInside(path);
  if (missing !== undefined) throw missing;
}

/** @returns what the system says when there is no folder for it to lie in; undefined when it is there now. */
function makeInside(path: string): Error | undefined {
  try {
    mkdirSync(path, { mode: 0o700 });
    syncIfReadable(dirname(path));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return error as Error;
    if (errno !== 'EEXIST') throw error;
  }
  return undefined;
}

function syncIfReadable(path: string): void {
  try {
    syncFolder(path);
  } catch (error) {
    // Who may make a folder there need not be allowed to open what it is in.
    if (errnoOf(error) !== 'EACCES') throw error;
  }
}

/** Bytes in a file; undefined when there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  const stat = await lookAt(path);
  return stat === undefined ? undefined : Number(stat.size);
}

/** Makes an empty file with mode 0600 where none was. @returns false when something is there already. */
export async function createPrivateFile(path: string): Promise<boolean> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW;
  try {
    closeSync(openSync(path, flags, 0o600));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw unusable(path, error);
  }
}

/**
 * Writes a new owner-only file durably; nobody ever sees it in part. @returns false, and writes nothing, when something is there already.
 */
export async function createPrivateFileWith(path: string, content: string): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    writeNew(temporary, content, true);
    // Unlike a rename, a link never replaces what somebody else put there meanwhile.
    linkSync(temporary, path);
    rmSync(temporary, { force: true });
    syncFolder(dirname(path));
    return true;
  } catch (error) {
    removeQuietly(temporary);
    if (errnoOf(error) === 'EEXIST') return false;
    throw unusable(path, error);
  }
}

/**
 * Reads a small owner-only file whole; undefined when it does not exist.
 *
 * @throws StoreError `ERR_STORE_UNSAFE` when others could have read or changed it.
 */
export async function readPrivateFile(path: string): Promise<Uint8Array | undefined> {
  if ((await checkOwnerOnly(path, 'file')) === undefined) return undefined;
  try {
    return readFileSync(path, { flag: READ_NO_LINK });
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unusable(path, cause);
  }
}

/** As {@link readPrivateFile}, at once. @throws likewise, and the file system's own errors as they come. */
export function readPrivateFileSync(path: string): Uint8Array | undefined {
  if (checkOwnerOnlySync(path, 'file') === undefined) return undefined;
  return readFileSync(path, { flag: READ_NO_LINK });
}

/**
 * Writes a file so that after a crash the old content or the new is there, never a mixture: temporary file, fsync, rename, fsync of the folder.
 *
 * @param options - with `durable: false` a loss of power may leave the old content, or an empty file.
 * @throws StoreError as the reason why it could not; then the old content is still there.
 */
export async function writePrivateFile(
  path: string,
  content: Uint8Array | string,
  { durable = true }: { readonly durable?: boolean } = {},
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    writeNew(temporary, content, durable);
    renameSync(temporary, path);
    if (durable) syncFolder(dirname(path));
  } catch (error) {
    removeQuietly(temporary);
    throw unusable(path, error);
  }
}

/** Names in a folder; none when it does not exist. */
export async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw unusable(path, error);
  }
}

/** Nobody writes one small file for so long: whoever left it half done was killed, and hears of it as of any failure where it was only stopped. */
const FORSAKEN_AFTER_MS = 600_000;

/** Names in a folder under which killed writers left what was to become files of other names. */
export async function leftBehind(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await listFolder(folder)) {
    if (intendedName(name) === undefined) continue;
    const stat = await lookAt(join(folder, name));
    // By the clock that the file system goes by.
    const isForsaken = stat?.isFile() === true && isOlder(stat.mtimeMs);
    if (isForsaken) found.push(name);
  }
  return found;
}

function isOlder(mtimeMs: bigint): boolean {
  return Date.now() - Number(mtimeMs) > FORSAKEN_AFTER_MS;
}

/** Removes what {@link leftBehind} finds. */
export async function removeLeftBehind(folder: string): Promise<void> {
  for (const name of await leftBehind(folder)) await removeFile(join(folder, name));
}

/** Removes a file if it is there. */
export async function removeFile(path: string): Promise<void> {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Reads a file of any owner and mode, such as one that the system provides; undefined when it cannot be read. */
export async function readSystemFile(path: string): Promise<string | undefined> {
  return readSystemFileSync(path);
}

/** As {@link readSystemFile}, at once. */
export function readSystemFileSync(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What keeps answers in files of their own; a test replaces it to lose power while it writes. */
export interface PrivateFiles {
  /** As {@link privateFolder}. */
  makeFolder(path: string): Promise<void>;
  /** As {@link listFolder}, of an owner-only folder. */
  list(path: string): Promise<readonly string[]>;
  /** As {@link leftBehind}, in an owner-only folder. */
  leftBehind(path: string): Promise<readonly string[]>;
  /** As {@link readPrivateFile}, from an owner-only folder. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** As {@link writePrivateFile}. */
  write(path: string, content: string): Promise<void>;
  /** As {@link removeFile}. */
  remove(path: string): Promise<void>;
}

/** The file system's own. */
export const systemFiles: PrivateFiles = {
  makeFolder: privateFolder,
  async list(path) {
    await checkOwnerOnly(path, 'folder');
    return listFolder(path);
  },
  async leftBehind(path) {
    await checkOwnerOnly(path, 'folder');
    return leftBehind(path);
  },
  async read(path) {
    await checkOwnerOnly(dirname(path), 'folder');
    return readPrivateFile(path);
  },
  write: writePrivateFile,
  remove: removeFile,
};

/** The folder that a path lies in. */
export const folderOf: (path: string) => string = dirname;

/** Joins path parts. */
export const joinPath: (...parts: string[]) => string = join;

function writeNew(path: string, content: Uint8Array | string, durable: boolean): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(descriptor, content);
    if (durable) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What counts is why it could not be written.
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
