import { sabotaged } from '#failpoints';
import { AccessRefusedError, StoreError } from '../errors.ts';
import type { Clock, Timer } from '../system/clock.ts';
import type { Caller } from './access/caller.ts';
import { whyEnded } from './access/key.ts';
import type { Call } from './api/route.ts';
import { BROWSER, readCookie } from './browser/entrance.ts';
import type { Sessions } from './browser/sessions.ts';
import type { DaemonStore } from './store.ts';

/*
 * A stream, a call through the proxy, or one that waits for a token is let in once and may go on for days. Its caller's key can be revoked or come
 * to its end meanwhile, and so can a session.
 */

/** So often it is looked at whether callers may still be told, once for all calls of a key or a session. */
const LOOK_EVERY_MS = 1_000;
/** After so many looks in turn at which the store could not be asked, nothing is told any more. */
const MOST_IN_VAIN = 10;

/** Whether whoever makes a call may still be told. */
export interface Standing {
  /**
   * Aborted within a second after its key, or its session, is good no more, for an {@link AccessRefusedError}; for the store's own error once that could
   * not be asked for ten seconds. Undefined of the owner, whose standing is never lost.
   */
  readonly lost: AbortSignal | undefined;
  /** Looks no more. */
  stop(): void;
}

/** A call that was let in. */
type LetIn = Pick<Call, 'caller' | 'request'>;

/** What standings are made of. */
export interface StandingParts {
  /** Keys. */
  readonly store: Pick<DaemonStore, 'access'>;
  /** Who is signed in at a browser. */
  readonly sessions: Sessions;
  /** Time. */
  readonly clock: Clock;
}

/** Calls of one key or session that take their time. */
interface Watched {
  readonly isGood: () => boolean;
  readonly calls: Set<AbortController>;
  /** Looks at which the store could not be asked, since it last could. */
  inVain: number;
}

/** The standing of all callers that wait, or have a stream open. */
export class Standings {
  readonly #parts: StandingParts;
  readonly #watched = new Map<string, Watched>();
  #timer: Timer | undefined;

  /** Nobody is watched. */
  constructor(parts: StandingParts) {
    this.#parts = parts;
  }

  /** Looks after the standing of a caller that was let in. To look does not count as use of a session. */
  watch(call: LetIn): Standing {
    const found = this.#identify(call);
    if (found === undefined) return { lost: undefined, stop: () => undefined };
    const { identity, isGood } = found;
    const ended = new AbortController();
    const watched = this.#watched.get(identity) ?? { isGood, calls: new Set(), inVain: 0 };
    this.#watched.set(identity, watched);
    watched.calls.add(ended);
    this.#lookLater();
    const stop = (): void => {
      watched.calls.delete(ended);
      const isLast = watched.calls.size === 0 && this.#watched.get(identity) === watched;
      if (isLast) this.#watched.delete(identity);
    };
    return { lost: ended.signal, stop };
  }

  /**
   * Looks once, now. Where the store cannot be asked the caller stands as before.
   *
   * @throws {@link AccessRefusedError} `ERR_ACCESS_REFUSED` when the key, or the session, is good no more.
   */
  check(call: LetIn): void {
    const found = this.#identify(call);
    if (found === undefined || sabotaged('standing')) return;
    let isGood = true;
    try {
      isGood = found.isGood();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
    if (!isGood) throw lost();
  }

  /** Whose key or session it is, and how it is looked at; undefined of the owner. */
  #identify({
    caller,
    request,
  }: LetIn): { readonly identity: string; readonly isGood: () => boolean } | undefined {
    if (caller === BROWSER) {
      const { sessions } = this.#parts;
      const cookie = readCookie(request, sessions.publicUrl) ?? '';
      return { identity: `session ${cookie}`, isGood: () => sessions.isStanding(cookie) };
    }
    const { keyId } = caller;
    if (keyId === undefined) return undefined;
    return { identity: keyId, isGood: () => hasGoodKey(this.#parts, caller) };
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
    for (const call of watched.calls) call.abort(reason);
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
