import { sabotaged } from '#failpoints';
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { StoreError } from '../errors.ts';
import { unusable } from './file-errors.ts';

/*
 * The folders above a private one. Who may write in one of them can move what is below it away and put something of his own in its place, or
 * wait there for it to be made. OpenSSH looks at them for the same reason (StrictModes). Other than there, a group may write: where each user
 * has a group of his own, that is how folders are made.
 */

const OTHERS_MAY_WRITE = 0o002;
/** In such a folder, as `/tmp` is, everybody may make things, and only their owners may move them. */
const STICKY = 0o1000;
/** So many links are followed, as Linux does. */
const MOST_LINKS = 40;

/**
 * Checks every folder that is passed on the way to a path, and every link: each belongs to this user or to root, and not everybody may move
 * what is in it. What does not exist yet is passed over.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when one of them is not so; another code when one cannot be looked at, or is no folder.
 */
export function checkParents(path: string): void {
  if (sabotaged('parents-check')) return;
  for (const [place, stat] of placesAbove(path)) {
    const isOpen = (stat.mode & OTHERS_MAY_WRITE) !== 0 && (stat.mode & STICKY) === 0;
    if (isOpen && !stat.isSymbolicLink()) {
      throw unsafe(place, path, 'every user may write', `chmod o-w ${place}`);
    }
    if (stat.uid !== 0 && stat.uid !== process.getuid?.()) {
      throw unsafe(place, path, 'another user may write', 'give it back to root or to its owner');
    }
  }
}

/** Folders and links, each as the system meets it on its way down. */
function* placesAbove(path: string): Generator<readonly [string, Stats]> {
  const names = namesIn(dirname(resolve(path)));
  let folder = '/';
  let links = 0;
  for (let name: string | undefined = '.'; name !== undefined; name = names.shift()) {
    const place = join(folder, name);
    const stat = look(place, path);
    if (stat === undefined) return;
    yield [place, stat];
    if (stat.isSymbolicLink()) {
      if (++links > MOST_LINKS) throw unavailable(path, `its links lead to no end`);
      const target = readlinkSync(place);
      if (isAbsolute(target)) folder = '/';
      names.unshift(...namesIn(target));
    } else if (stat.isDirectory()) {
      folder = place;
    } else {
      throw unavailable(path, `${place} is no folder`);
    }
  }
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function look(place: string, path: string): Stats | undefined {
  try {
    return lstatSync(place, { throwIfNoEntry: false });
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function unsafe(place: string, path: string, who: string, remedy: string): StoreError {
  return new StoreError(
    'ERR_STORE_UNSAFE',
    `${who} in ${place}, and so put another ${path} in place of yours; ${remedy}, or choose another home`,
  );
}

function unavailable(path: string, why: string): StoreError {
  return new StoreError(
    'ERR_STORE_UNAVAILABLE',
    `${path} cannot be used (${why}); choose another home`,
  );
}
