import { sabotaged } from '#failpoints';
import type { Clock, Timer } from '../system/clock.ts';
import type { Caller } from './access/caller.ts';
import { whyEnded } from './access/key.ts';
import type { Call } from './api/route.ts';
import { BROWSER, readCookie } from './browser/entrance.ts';
import type { DaemonParts } from './parts.ts';

/*
 * A stream is let in once and may be open for days. Its caller's key can be revoked or come to its end meanwhile, and so can a session.
 */

/** So often it is looked at whether the caller may still be told. */
const LOOK_EVERY_MS = 1_000;

/** Whether whoever a stream was opened for may still be told. */
export interface Standing {
  /** Aborted within a second after its key, or its session, is good no more. */
  readonly lost: AbortSignal;
  /** Looks no more. */
  stop(): void;
}

/** Looks after the standing of a caller that was let in. To look does not count as use of a session. */
export function watchStanding(
  { store, sessions, clock }: Pick<DaemonParts, 'store' | 'sessions' | 'clock'>,
  { caller, request }: Pick<Call, 'caller' | 'request'>,
): Standing {
  const isGood = (): boolean => {
    if (sabotaged('standing')) return true;
    if (caller === BROWSER)
      return sessions.isStanding(readCookie(request, sessions.publicUrl) ?? '');
    return hasGoodKey({ store, clock }, caller);
  };
  return watch(clock, isGood);
}

/** Whether a caller needs no key, or the one it came with is good still. */
export function hasGoodKey(
  { store, clock }: Pick<DaemonParts, 'store' | 'clock'>,
  { keyId }: Caller,
): boolean {
  if (keyId === undefined) return true;
  const key = store.access.key(keyId);
  return key !== undefined && whyEnded(key, clock.now()) === undefined;
}

function watch(clock: Clock, isGood: () => boolean): Standing {
  const lost = new AbortController();
  let timer: Timer | undefined;
  const look = (): void => {
    if (isKnownGood(isGood)) lookLater();
    else lost.abort();
  };
  const lookLater = (): void => {
    timer = clock.timer(LOOK_EVERY_MS, look, { background: true });
  };
  lookLater();
  return { lost: lost.signal, stop: () => timer?.cancel() };
}

/** Where the store cannot be asked nothing is told; a reader comes back when it can. */
function isKnownGood(isGood: () => boolean): boolean {
  try {
    return isGood();
  } catch {
    return false;
  }
}
