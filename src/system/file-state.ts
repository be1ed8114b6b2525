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

/** Size and last change of a file: differs from an earlier one when it was written in between. Empty when there is none, and always the same when nobody can tell. */
export function changeStamp(path: string): string {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return '';
    return `${String(stat.ino)}:${String(stat.size)}:${String(stat.mtimeNs)}`;
  } catch {
    return UNKNOWN;
  }
}

const UNKNOWN = 'unknown';

/** Whether a file holds nothing, or is not there; false when nobody can tell. */
export function isEmpty(path: string): boolean {
  const stamp = changeStamp(path);
  return stamp === '' || stamp.split(':')[1] === '0';
}
