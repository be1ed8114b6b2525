import { sabotaged } from '#failpoints';
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '../errors.ts';
import { errnoOf } from './files.ts';

/*
 * The folders above a private one. Who may write in one of them can move what is below it away and put something of his own in its place, or
 * wait there for it to be made. OpenSSH looks at them for the same reason (StrictModes).
 */

const OTHERS_MAY_WRITE = 0o002;
/** In such a folder, as `/tmp` is, everybody may make things, and only their owners may move them. */
const STICKY = 0o1000;

/**
 * Checks every folder above a path, by its name and behind its links: each belongs to this user or to root, and not everybody may move
 * what is in it. What does not exist yet is passed over.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when one of them is not so, and the file system's own errors as they come.
 */
export function checkParents(path: string): void {
  for (const folder of foldersAbove(path)) {
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat === undefined || sabotaged('parents-check')) continue;
    if ((stat.mode & OTHERS_MAY_WRITE) !== 0 && (stat.mode & STICKY) === 0) {
      throw unsafe(folder, path, 'every user may write', `chmod o-w ${folder}`);
    }
    if (stat.uid !== 0 && stat.uid !== process.getuid?.()) {
      throw unsafe(folder, path, 'another user may write', 'give it back to root or to its owner');
    }
  }
}

function foldersAbove(path: string): ReadonlySet<string> {
  const named = ancestors(path);
  const nearest = named.map(behindLinks).find((folder) => folder !== undefined);
  return new Set([...named, ...(nearest === undefined ? [] : [nearest, ...ancestors(nearest)])]);
}

/** The folders that a path names above it, the nearest first. */
function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...ancestors(parent)];
}

function behindLinks(folder: string): string | undefined {
  try {
    return realpathSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function unsafe(folder: string, path: string, who: string, remedy: string): StoreError {
  return new StoreError(
    'ERR_STORE_UNSAFE',
    `${who} in ${folder}, and so put another ${path} in place of yours; ${remedy}, or choose another home`,
  );
}
