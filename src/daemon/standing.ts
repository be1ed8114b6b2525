import { sabotaged } from '#failpoints';
import { AccessRefusedError } from '../errors.ts';
import type { Clock, Timer } from '../system/clock.ts';
import type { Caller } from './access/caller.ts';
import { whyEnded } from './access/key.ts';
import type { Call } from './api/route.ts';
import { BROWSER, readCookie } from './browser/entrance.ts';
import type { Sessions } from './browser/sessions.ts';
import type { DaemonStore } from './store.ts';

/*
 * A stream, or a call through the proxy, is let in once and may go on for days. Its caller's key can be revoked or come to its end meanwhile, and so
 * can a session.
 */

/** So often it is looked at whether callers may still be told, once for all streams of a key or a session. */
const LOOK_EVERY_MS = 1_000;
/** After so many looks in turn at which the store could not be asked, nothing is told any more. */
const MOST_IN_VAIN = 10;

/** Whether whoever a stream was opened for may still be told. */
export interface Standing {
  /**
   * Aborted within a second after its key, or its session, is good no more, for an {@link AccessRefusedError}; for the store's own error once that could
   * not be asked for ten seconds. Undefined of the owner, whose standing is never lost.
   */
  readonly lost: AbortSignal | undefined;
  /** Looks no more. */
  stop(): void;
}

/** What standings are made of. */
export interface StandingParts {
  /** Keys. */
  readonly store: Pick<DaemonStore, 'access'>;
  /** Who is signed in at a browser. */
  readonly sessions: Sessions;
  /** Time. */
  readonly clock: Clock;
}

/** Streams of one key or session. */
interface Watched {
  readonly isGood: () => boolean;
  readonly streams: Set<AbortController>;
  /** Looks at which the store could not be asked, since it last could. */
  inVain: number;
}

/** The standing of all callers that have a stream open. */
export class Standings {
  readonly #parts: StandingParts;
  readonly #watched = new Map<string, Watched>();
  #timer: Timer | undefined;

  /** Nobody is watched. */
  constructor(parts: StandingParts) {
    this.#parts = parts;
  }

  /** Looks after the standing of a caller that was let in. To look does not count as use of a session. */
  watch({ caller, request }: Pick<Call, 'caller' | 'request'>): Standing {
    const { sessions } = this.#parts;
    const cookie = caller === BROWSER ? (readCookie(request, sessions.publicUrl) ?? '') : undefined;
    const identity = cookie === undefined ? caller.keyId : `session ${cookie}`;
    if (identity === undefined) return { lost: undefined, stop: () => undefined };
    const isGood = (): boolean =>
      cookie === undefined ? hasGoodKey(this.#parts, caller) : sessions.isStanding(cookie);
    const stream = new AbortController();
    const watched = this.#watched.get(identity) ?? { isGood, streams: new Set(), inVain: 0 };
    this.#watched.set(identity, watched);
    watched.streams.add(stream);
    this.#lookLater();
    const stop = (): void => {
      watched.streams.delete(stream);
      const isLast = watched.streams.size === 0 && this.#watched.get(identity) === watched;
      if (isLast) this.#watched.delete(identity);
    };
    return { lost: stream.signal, stop };
  }

  #lookLater(): void {
    if (this.#timer !== undefined || this.#watched.size === 0) return;
    const onTime = (): void => {
      this.#timer = undefined;
      for (const [identity, watched] of [...this.#watched]) this.#look(identity, watched);
      this.#lookLater();
    };
    this.#timer = this.#parts.clock.timer(LOOK_EVERY_MS, onTime, { background: true });
  }

  #look(identity: string, watched: Watched): void {
    const reason = sabotaged('standing') ? undefined : whyLost(watched);
    if (reason === undefined) return;
    this.#watched.delete(identity);
    for (const stream of watched.streams) stream.abort(reason);
  }
}

/** A signal that ends as well when a standing is lost. */
export function whileStanding(signal: AbortSignal, { lost }: Standing): AbortSignal {
  return lost === undefined ? signal : AbortSignal.any([signal, lost]);
}

/** Whether a caller needs no key, or the one it came with is good still. */
export function hasGoodKey(
  { store, clock }: Pick<StandingParts, 'store' | 'clock'>,
  { keyId }: Caller,
): boolean {
  if (keyId === undefined) return true;
  const key = store.access.key(keyId);
  return key !== undefined && whyEnded(key, clock.now()) === undefined;
}

function lost(): AccessRefusedError {
  return new AccessRefusedError(
    'ERR_ACCESS_REFUSED',
    'the key or session that this began with is good no more',
  );
}

/** A call must not break off, and its caller not be told of its key, because the store could not be asked for a moment. */
function whyLost(watched: Watched): unknown {
  try {
    const isGood = watched.isGood();
    watched.inVain = 0;
    return isGood ? undefined : lost();
  } catch (error) {
    return ++watched.inVain < MOST_IN_VAIN ? undefined : error;
  }
}
