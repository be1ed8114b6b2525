import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A name under which the content of a file is written before it becomes the file: another one for each call, lest two of them meet. */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Paths that have such names of a file. */
export function temporariesOf(path: string): readonly string[] {
  const file = `${basename(path)}.`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(file) && /^[0-9a-f]{12}\.tmp$/u.test(name.slice(file.length)))
    .map((name) => join(dirname(path), name));
}
