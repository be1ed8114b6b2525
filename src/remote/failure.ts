import { EvergrantError, ResponseInvalidError, ServerUnavailableError } from '../errors.ts';
import { errnoOf } from '../system/file-errors.ts';
import { isQueueFull } from '../system/full-queue.ts';
import { isUntrusted } from '../system/tls-trust.ts';
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

/** What is told when more came than is read. */
export function tooLong(place: string, mostMib: number): ResponseInvalidError {
  return new ResponseInvalidError(
    'ERR_RESPONSE_INVALID',
    `the answer of the daemon at ${place} is longer than ${String(mostMib)} MiB; what was asked for may have been done, look before you ask again`,
  );
}

function unreachable(cause: unknown, place: string): ServerUnavailableError {
  return new ServerUnavailableError('ERR_DAEMON_UNREACHABLE', whyUnreachable(cause, place));
}

/** Nothing was sent, and it will be no other next time. */
const NO_WAY: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

function whyUnreachable(cause: unknown, place: string): string {
  const code = errnoOf(cause) ?? 'unknown reason';
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return `no daemon answers at ${place}; start one with evergrant serve`;
  if (isQueueFull(cause))
    return `the daemon at ${place} has more callers than it can take; nothing was sent, ask again later`;
  if (NO_WAY.has(code))
    return `${place} cannot be reached (${code}); look at the address, and at the network`;
  // OpenSSL's words for what is not TLS at all; its code is that of many faults.
  if (cause instanceof Error && cause.message.includes('wrong version number'))
    return `what answers at ${place} does not speak TLS; look at the address, and at the daemon's tlsCertificateFile`;
  if (isUntrusted(code))
    return `the certificate of the daemon at ${place} is not believed (${code}); ${remedyOf(code)}`;
  return `the daemon at ${place} went away before it had answered (${code}); ask again`;
}

/** Most often the authority is a stranger's here; to trust it helps with nothing else. */
function remedyOf(code: string): string {
  if (/ISSUER|SELF_SIGNED|LEAF_SIGNATURE/.test(code)) return 'give that of its authority as ca';
  if (/ALTNAME|HOSTNAME/.test(code)) return 'ask by a name that stands in it';
  if (/EXPIRED|NOT_YET_VALID/.test(code)) return 'renew it there, or set the clock here';
  return 'give the daemon another';
}
