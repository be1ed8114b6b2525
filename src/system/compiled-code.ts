import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkOwnerOnlySync } from './ownership.ts';
import { homeFolder } from './home.ts';
import { checkParents } from './parents.ts';

/**
 * Lets Node keep what it makes of our code, for the processes to come, in `code/` of a home: a cold process spends much of its time on
 * making it anew. What is kept there is run, so it lies where only this user can have put it: where home or folder are links, another
 * user's or open to others, or cannot be made, or somebody else may move the home away, nothing is kept nor used, and nothing said. Node itself passes over what is damaged, or was
 * made by another version of it or of other sources.
 *
 * @param option - names the home, as for a keeper.
 * @param environment - the environment variables.
 */
export function keepCompiledCode(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  try {
    // Asked for when it is needed: a token at hand is printed sooner without.
    const { enableCompileCache, getCompileCacheDir } = process.getBuiltinModule('node:module');
    if (getCompileCacheDir() !== undefined) return;
    const home = homeFolder(option, environment);
    checkParents(home);
    const folder = join(home, 'code');
    if (isPrivateFolder(home) && isMade(folder, home)) enableCompileCache(folder);
  } catch {
    // Then it is made anew.
  }
}

/** A home is made by whoever stores something in it. */
function isMade(folder: string, home: string): boolean {
  if (isPrivateFolder(folder)) return true;
  if (!isPrivateFolder(join(home, 'store'))) return false;
  mkdirSync(folder, { mode: 0o700 });
  return isPrivateFolder(folder);
}

/** @throws when it is there, and not closed to others. */
function isPrivateFolder(path: string): boolean {
  return checkOwnerOnlySync(path, 'folder') !== undefined;
}
