import { chmodSync, lstatSync, rmSync, type BigIntStats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { unsafe, unusable } from './file-errors.ts';
import { temporariesOf } from './temporary-names.ts';

/*
 * Whose a path is, and who else may open it. What is found open to others is refused, never mended in silence, since whoever loosened it may
 * have read it.
 */

/**
 * Checks that a path is a plain file or folder (no link, one hard link) that belongs to this user and is closed to all others.
 *
 * @returns its identity as {@link identityOf} tells it, or undefined when it does not exist.
 * @throws StoreError `ERR_STORE_UNSAFE` when it is not.
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
  const isOfAll = kind === 'folder' && isForAll(path, stat);
  const remedy = (ofOwn: string): string => (isOfAll ? OWN_FOLDER : ofOwn);
  if (!right)
    throw unsafe(path, `is not a plain ${kind}`, remedy('remove it or choose another home'));
  if (kind === 'file' && stat.nlink > 1n) throw unsafe(path, 'has a second hard link', 'remove it');
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== BigInt(uid)) {
    const what = 'belongs to another user';
    throw unsafe(path, what, remedy(`run as its owner, or ${OWN_FOLDER}`));
  }
  if ((stat.mode & 0o077n) !== 0n) {
    const advice = kind === 'file' ? 'check who read it, then chmod 600' : LOOSENED;
    throw unsafe(path, 'can be opened by other users', remedy(advice));
  }
  return identityIn(stat);
}

const OWN_FOLDER = 'choose a folder of your own, such as ~/evergrant';
const LOOSENED = `if evergrant made it, check who read it, then chmod 700, else ${OWN_FOLDER}`;

/** Whether a folder is there for all: one with a sticky bit, or root's own at the top. Root itself, who may close them, must not. */
function isForAll(path: string, { mode, uid }: BigIntStats): boolean {
  const depth = resolve(path)
    .split('/')
    .filter((part) => part !== '').length;
  return (mode & 0o1000n) !== 0n || (uid === 0n && depth < 2);
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
  for (const temporary of temporariesOf(path)) {
    if ((await lookAt(temporary))?.ino === stat.ino) rmSync(temporary, { force: true });
  }
  return lookAt(path);
}

/** What lies at a path itself; undefined when nothing does. */
export async function lookAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/**
 * Checks that what lies at a path, if anything does, is a socket that belongs to this user and is closed to others, in a folder likewise.
 *
 * @returns whether there is one.
 * @throws StoreError `ERR_STORE_UNSAFE` when it is not.
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
