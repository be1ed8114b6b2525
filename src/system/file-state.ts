import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';

/*
 * What can be told of a file without opening it.
 */

/** Whether this process may write a file that exists, and others beside it. */
export function isWritable(path: string): boolean {
  try {
    for (const part of [path, dirname(path)]) accessSync(part, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Size and last change of a file: differs from an earlier one when it was written in between. Empty when there is none. */
export function changeStamp(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined
    ? ''
    : `${String(stat.ino)}:${String(stat.size)}:${String(stat.mtimeNs)}`;
}
