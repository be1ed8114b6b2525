import { renameSync } from 'node:fs';
import { temporaryName } from './temporary-names.ts';

/**
 * Does something at once while what lies at a path has another name in its folder, so that it is kept from whatever that does to the path.
 * Where it cannot be renamed the work is done all the same.
 */
export function setAside<T>(path: string, work: () => T): T {
  const aside = temporaryName(path);
  const isAside = isRenamed(path, aside);
  try {
    return work();
  } finally {
    if (isAside) isRenamed(aside, path);
  }
}

function isRenamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
