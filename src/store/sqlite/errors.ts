import { ConfigurationError, StoreError, type ErrorCode } from '../../errors.ts';

/** Extended result code of an error thrown by node:sqlite; undefined for any other error. @see https://www.sqlite.org/rescode.html */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

const ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Failures to make, size or map the shared memory of the WAL, which take place on a full disk before anything is written. */
const SHARED_MEMORY_FAILURES: readonly number[] = [18, 19, 21].map((n) => IOERR | (n << 8));

/** A WAL that is not there and cannot be made, or that must be recovered where nothing can be written. */
const READ_ONLY_WAL: readonly number[] = [1, 5, 6].map((n) => READONLY | (n << 8));

/** Tells whether another process holds the lock just now, so that trying again helps. */
export function isBusy(error: unknown): boolean {
  const code = primary(error);
  return code === BUSY || code === LOCKED;
}

/** Tells whether the file cannot be opened, as when it has just been removed. */
export function isGone(error: unknown): boolean {
  return primary(error) === CANTOPEN;
}

/** Tells whether the WAL cannot be opened, as where nothing can be written. */
export function isWithoutWal(error: unknown): boolean {
  return isGone(error) || READ_ONLY_WAL.includes(sqliteCode(error) ?? 0);
}

/** Tells whether the file is no database, or a broken one. */
export function isDamaged(error: unknown): boolean {
  const code = primary(error);
  return code === CORRUPT || code === NOTADB;
}

/** Tells whether a statement does not fit the schema: ours are right, so that is not what it was. */
export function isUnfit(error: unknown): boolean {
  return primary(error) === ERROR;
}

/** Tells whether there is no space left, be it for the WAL's shared memory. */
export function isFull(error: unknown): boolean {
  const code = sqliteCode(error) ?? 0;
  return primary(error) === FULL || SHARED_MEMORY_FAILURES.includes(code);
}

/** The typed error for a failure of SQLite; errors of other kinds pass unchanged. */
export function storeError(error: unknown, path: string): unknown {
  const [code, message] = describe(error, path);
  if (code === undefined) return error;
  return code === 'ERR_KEEPER_CLOSED'
    ? new ConfigurationError(code, message, { cause: error })
    : new StoreError(code, message, { cause: error });
}

function describe(error: unknown, path: string): [ErrorCode, string] | [undefined?] {
  const damaged = `${path} is damaged or is no store; restore a backup, nothing was changed`;
  if (isFull(error)) return ['ERR_STORE_FULL', `no space left to write ${path}; free some`];
  switch (primary(error)) {
    case undefined:
      break;
    case BUSY:
    case LOCKED:
      return ['ERR_STORE_LOCKED', `${path} is locked by another process; try again`];
    case READONLY:
      return [
        'ERR_STORE_READ_ONLY',
        `${path} cannot be written, so nothing is refreshed; check its owner and mode`,
      ];
    // Our statements are right, so an error in one means that the schema is not what it was.
    case ERROR:
    case CORRUPT:
    case NOTADB:
      return ['ERR_STORE_DAMAGED', damaged];
    case CANTOPEN:
      return [
        'ERR_STORE_UNAVAILABLE',
        `${path} cannot be opened; check the folder and the space left`,
      ];
    case IOERR:
      return ['ERR_STORE_UNAVAILABLE', `reading or writing ${path} failed; check the disk`];
    default:
      return [
        'ERR_STORE_UNAVAILABLE',
        `${path} cannot be used (SQLite error ${String(sqliteCode(error))})`,
      ];
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // A number that no column of ours ever holds.
  if (code === 'ERR_OUT_OF_RANGE') return ['ERR_STORE_DAMAGED', damaged];
  if (code === 'ERR_INVALID_STATE') {
    return ['ERR_KEEPER_CLOSED', 'the store is closed; open it again'];
  }
  return [];
}

function primary(error: unknown): number | undefined {
  const code = sqliteCode(error);
  return code === undefined ? undefined : code & 0xff;
}
