import { identityOf } from '../system/ownership.ts';
import type { Clock, Timer } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { setAside } from '../system/set-aside.ts';
import type { Listener } from './http/listener.ts';
import { listenOnSocket } from './socket.ts';

/** How often the daemon looks whether its socket is still its own. */
const LOOK_EVERY_MS = 60_000;

/** What a socket is kept with. */
export interface OwnSocketParts {
  /** Where it lies. */
  readonly path: string;
  /** Makes what listens at it. */
  readonly newListener: () => Listener;
  /** Time. */
  readonly clock: Clock;
  /** Where it is told what became of it. */
  readonly log: Log;
}

/** The owner's socket of a daemon, made again when somebody removes it. */
export class OwnSocket {
  readonly #parts: OwnSocketParts;
  readonly #late = new AbortController();
  /** Of listeners whose socket was removed: requests of theirs may be under way. */
  readonly #former = new Set<Promise<void>>();
  #listener: Listener;
  #identity: string | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isClosing = false;

  /** Nothing listens yet. */
  constructor(parts: OwnSocketParts) {
    this.#parts = parts;
    this.#listener = parts.newListener();
  }

  /** Listens. @throws as {@link listenOnSocket} */
  async open(): Promise<void> {
    this.#identity = await listenOnSocket(this.#listener.server, this.#parts.path);
    this.#lookLater();
  }

  /** Whether callers who open the path reach this daemon. */
  async isReached(): Promise<boolean> {
    return (await identityOf(this.#parts.path)) === this.#identity;
  }

  /** Takes no more requests, and lets those under way end until the signal aborts; those also that came before the socket was made again. */
  async close(late: AbortSignal): Promise<void> {
    this.#isClosing = true;
    this.#timer?.cancel();
    const destroy = (): void => {
      this.#late.abort();
    };
    if (late.aborted) destroy();
    else late.addEventListener('abort', destroy, { once: true });
    // One that is being made would be left open.
    await this.#looking;
    const close = (): Promise<void> => this.#listener.close(this.#late.signal);
    // Closing it removes whatever lies at the path.
    const closed = (await this.#isTaken()) ? setAside(this.#parts.path, close) : close();
    await Promise.all([closed, ...this.#former]);
    late.removeEventListener('abort', destroy);
  }

  /** Whether somebody else has put something at the path. */
  async #isTaken(): Promise<boolean> {
    const found = await identityOf(this.#parts.path).catch(() => undefined);
    return found !== undefined && found !== this.#identity;
  }

  #lookLater(): void {
    const look = (): void => {
      this.#looking = this.#look().finally(() => {
        if (!this.#isClosing) this.#lookLater();
      });
    };
    this.#timer = this.#parts.clock.timer(LOOK_EVERY_MS, look, { background: true });
  }

  /** One that somebody else made is left alone, and told. */
  async #look(): Promise<void> {
    const { path, log } = this.#parts;
    try {
      const found = await identityOf(path);
      if (found === this.#identity || this.#isClosing) return;
      if (found === undefined) return await this.#makeAgain();
      log.warn('another process has replaced the socket; this daemon cannot be reached by it', {
        socket: path,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('the socket was removed and cannot be made again', { reason });
    }
  }

  async #makeAgain(): Promise<void> {
    const { path, log, newListener } = this.#parts;
    // First the old one: closing it removes whatever lies at the path.
    const former = this.#listener.close(this.#late.signal).finally(() => {
      this.#former.delete(former);
    });
    this.#former.add(former);
    this.#listener = newListener();
    this.#identity = await listenOnSocket(this.#listener.server, path);
    log.warn('the socket had been removed and was made again', { socket: path });
  }
}
