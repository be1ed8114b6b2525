import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A name under which the content of a file is written before it becomes the file: another one for each call, lest two of them meet. */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.tmp`;
}

const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/u;

/** The name of the file that something under a temporary name was to become; undefined for any other name. */
export function intendedName(name: string): string | undefined {
  return TEMPORARY.test(name) ? name.replace(TEMPORARY, '') : undefined;
}

/** Paths that have such names of a file. */
export function temporariesOf(path: string): readonly string[] {
  return readdirSync(dirname(path))
    .filter((name) => intendedName(name) === basename(path))
    .map((name) => join(dirname(path), name));
}
