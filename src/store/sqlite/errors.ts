import { StoreError } from '../../errors.ts';

/** Primary result code of an error thrown by node:sqlite; undefined for any other error. @see https://www.sqlite.org/rescode.html */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

const BUSY = 5;
const LOCKED = 6;

/** Tells whether another process holds the lock just now, so that trying again helps. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === BUSY || code === LOCKED;
}

/** Tells whether the file cannot be opened, as when it has just been removed. */
export function isGone(error: unknown): boolean {
  return sqliteCode(error) === 14;
}

/** The typed error for a failure of SQLite; errors of other kinds pass unchanged. */
export function storeError(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const cause = error;
  switch (code) {
    case BUSY:
    case LOCKED:
      return new StoreError('ERR_STORE_LOCKED', `${path} is locked by another process; try again`, {
        cause,
      });
    case 8:
      return new StoreError(
        'ERR_STORE_READ_ONLY',
        `${path} cannot be written; check its owner and mode`,
        { cause },
      );
    case 13:
      return new StoreError('ERR_STORE_FULL', `no space left to write ${path}; free some`, {
        cause,
      });
    // Our statements fit our tables: where one does not compile, the tables are not ours any more.
    case 1:
    case 11:
    case 26:
      return new StoreError(
        'ERR_STORE_DAMAGED',
        `${path} is damaged or is no store; restore a backup, nothing was changed`,
        { cause },
      );
    case 14:
      return new StoreError(
        'ERR_STORE_UNAVAILABLE',
        `${path} cannot be opened; check the folder and the space left`,
        { cause },
      );
    case 10:
      return new StoreError(
        'ERR_STORE_UNAVAILABLE',
        `reading or writing ${path} failed; check the disk`,
        { cause },
      );
    default:
      return new StoreError(
        'ERR_STORE_UNAVAILABLE',
        `${path} cannot be used (SQLite error ${String(code)})`,
        { cause },
      );
  }
}
