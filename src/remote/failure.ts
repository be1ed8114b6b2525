import { EvergrantError, ServerUnavailableError } from '../errors.ts';
import { errnoOf } from '../system/file-errors.ts';
import { placeOf } from './daemon-address.ts';
import { closedError, type Way } from './way.ts';

/** What a request that failed is told as: whoever ended it says why, otherwise the daemon was not reached. @param signal - of whoever asked. */
export function failureOf(error: unknown, way: Way, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (way.closed.aborted) return closedError();
  return error instanceof EvergrantError ? error : unreachable(error, placeOf(way.address));
}

/** What is told when a daemon has not answered in time. */
export function silent(place: string, patienceMs: number): ServerUnavailableError {
  const seconds = String(Math.ceil(patienceMs / 1_000));
  return new ServerUnavailableError(
    'ERR_DEADLINE',
    `the daemon at ${place} does not answer within ${seconds} s; look whether it was stopped, or start it again`,
  );
}

function unreachable(cause: unknown, place: string): ServerUnavailableError {
  const code = errnoOf(cause);
  const isAbsent = code === 'ENOENT' || code === 'ECONNREFUSED';
  return new ServerUnavailableError(
    'ERR_DAEMON_UNREACHABLE',
    isAbsent
      ? `no daemon answers at ${place}; start one with evergrant serve`
      : `the daemon at ${place} went away before it had answered (${code ?? 'unknown reason'}); ask again`,
  );
}
