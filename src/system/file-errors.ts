import { StoreError } from '../errors.ts';

/*
 * What the file system says, in errors that name the path and what to do.
 */

/** The errno of a failed system call, if the error carries one. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** What lies at a path is not as it must be for secrets to lie there. */
export function unsafe(path: string, what: string, remedy: string): StoreError {
  return new StoreError('ERR_STORE_UNSAFE', `${path} ${what}; ${remedy}`);
}

/** The file system's own error, typed. */
export function unusable(path: string, cause: unknown): StoreError {
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
