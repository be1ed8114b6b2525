import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  constants,
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  type BigIntStats,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StoreError } from '../errors.ts';

/*
 * Files that hold secrets, and the folders they lie in. Everything is made owner-only from its first instant; what is found otherwise is
 * refused, never mended in silence, since whoever loosened it may have read it.
 *
 * Each call does its work at once, as SQLite beside it does: to hand a look at an inode to another thread takes many times as long as the
 * look, and a cold process as long as loading half of its code.
 */

const READ_NO_LINK = constants.O_RDONLY | constants.O_NOFOLLOW;

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
  if ((await checkOwnerOnly(path, 'folder')) !== undefined) return;
  try {
    makeFolder(path);
  } catch (cause) {
    throw unusable(path, cause);
  }
  await checkOwnerOnly(path, 'folder');
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    // A folder above it may be missing. Only then: of a read-only disk the recursive way says that nothing is there.
    if (errnoOf(error) !== 'ENOENT') throw error;
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
}

/**
 * Checks that a path is a plain file or folder (no link, one hard link) that belongs to this user and is closed to all others.
 *
 * @returns its identity as {@link identityOf} tells it, or undefined when it does not exist.
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when it is not.
 */
export async function checkOwnerOnly(
  path: string,
  kind: 'file' | 'folder',
): Promise<string | undefined> {
  const stat = await lookAtMade(path);
  return stat === undefined ? undefined : ownerOnlyIdentity(path, kind, stat);
}

/** As {@link checkOwnerOnly}, at once. @throws likewise, and the file system's own errors as they come. */
export function checkOwnerOnlySync(path: string, kind: 'file' | 'folder'): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : ownerOnlyIdentity(path, kind, stat);
}

function ownerOnlyIdentity(path: string, kind: 'file' | 'folder', stat: BigIntStats): string {
  const right = kind === 'file' ? stat.isFile() : stat.isDirectory();
  if (!right) throw unsafe(path, `is not a plain ${kind}`, 'remove it or choose another home');
  if (kind === 'file' && stat.nlink > 1n) throw unsafe(path, 'has a second hard link', 'remove it');
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== BigInt(uid)) {
    throw unsafe(path, 'belongs to another user', 'run as its owner or choose another home');
  }
  if ((stat.mode & 0o077n) !== 0n) {
    const mode = kind === 'file' ? '600' : '700';
    throw unsafe(path, 'can be opened by other users', `check who read it, then chmod ${mode}`);
  }
  return identityIn(stat);
}

/**
 * Inode and birth of what lies at a path, itself and not what a link points to; undefined when nothing does. A copy has another identity
 * than its original. The device is left out, since its number changes when a volume is mounted again.
 */
export async function identityOf(path: string): Promise<string | undefined> {
  const stat = await lookAt(path);
  return stat === undefined ? undefined : identityIn(stat);
}

function identityIn({ ino, birthtimeNs }: BigIntStats): string {
  return `${String(ino)}:${String(birthtimeNs)}`;
}

/** As {@link lookAt}, once the maker's temporary name is gone, which a file has besides its own while it is made, and after a crash then. */
async function lookAtMade(path: string): Promise<BigIntStats | undefined> {
  const stat = await lookAt(path);
  if (stat === undefined || !stat.isFile() || stat.nlink < 2n) return stat;
  for (const name of await listFolder(dirname(path))) {
    if (!isTemporaryName(name, path)) continue;
    const temporary = join(dirname(path), name);
    if ((await lookAt(temporary))?.ino === stat.ino) await removeFile(temporary);
  }
  return lookAt(path);
}

async function lookAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (cause) {
    throw unusable(path, cause);
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
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when others could have read or changed it.
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
 * @throws {@link StoreError} as the reason why it could not; then the old content is still there.
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
  async read(path) {
    await checkOwnerOnly(dirname(path), 'folder');
    return readPrivateFile(path);
  },
  write: writePrivateFile,
  remove: removeFile,
};

/**
 * Checks that what lies at a path, if anything does, is a socket that belongs to this user and is closed to others, in a folder likewise.
 *
 * @returns whether there is one.
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when it is not.
 */
export async function checkSocket(path: string): Promise<boolean> {
  if ((await checkOwnerOnly(dirname(path), 'folder')) === undefined) return false;
  const stat = await lookAt(path);
  if (stat === undefined) return false;
  if (!stat.isSocket()) throw unsafe(path, 'is no socket', 'remove it or choose another place');
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== BigInt(uid))
    throw unsafe(path, 'belongs to another user', 'choose another place');
  return true;
}

/** Closes what lies at a path to everybody but its owner. */
export async function makeOwnerOnly(path: string): Promise<void> {
  try {
    chmodSync(path, 0o600);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** The folder that a path lies in. */
export const folderOf: (path: string) => string = dirname;

/** Joins path parts. */
export const joinPath: (...parts: string[]) => string = join;

/** Another name for each call, lest two of them meet. */
function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.tmp`;
}

function isTemporaryName(name: string, path: string): boolean {
  const file = `${basename(path)}.`;
  return name.startsWith(file) && /^[0-9a-f]{12}\.tmp$/u.test(name.slice(file.length));
}

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
      `${path} cannot be read or written (${errno}); check its owner and mode, or choose another home`,
      { cause },
    );
  }
  return new StoreError(
    'ERR_STORE_UNAVAILABLE',
    `${path} cannot be used (${errno ?? 'unknown error'})`,
    { cause },
  );
}
