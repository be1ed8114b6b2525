import type { Notice } from '../connection/record.ts';
import type { Engine } from './engine.ts';

/** How messages reach whoever must act: the operator's command, besides the log. Rejects when it could not deliver. */
export type NoticeChannel = (notice: Notice) => Promise<void>;

/** A keeper that dies while it delivers leaves the message to others after this time. */
const RESERVED_MS = 60_000;
/** Messages that are read together. */
const MOST_AT_ONCE = 20;

/**
 * Delivers what waits in the outbox: a log line, an event, the operator's command. What the command refuses stays in the outbox and is tried
 * again; a crash in between may deliver a message twice, never lose it. All of it goes on beside the keeper's other work, since the command may
 * be slow, or hang, just when the network does.
 */
export class Deliveries {
  readonly #engine: Engine;
  readonly #channel: NoticeChannel;
  #underWay: Promise<void> | undefined;
  #isWanted = false;
  #isEnded = false;

  /** Delivers nothing yet. */
  constructor(engine: Engine, channel: NoticeChannel) {
    this.#engine = engine;
    this.#channel = channel;
  }

  /** Delivers what waits now, one message after another, after those that are under way. Rejects never: what fails is told as a warning. */
  deliver(): Promise<void> {
    this.#isWanted = true;
    this.#underWay ??= this.#deliverAll();
    return this.#underWay;
  }

  /** Begins no delivery any more; what waits is left to others. */
  end(): void {
    this.#isEnded = true;
  }

  async #deliverAll(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#deliverEach();
    }
    // In the turn that found nothing wanted: whoever comes now begins anew.
    this.#underWay = undefined;
  }

  /** Each once, so that those which are refused, and may be tried again meanwhile, keep no other from its turn. */
  async #deliverEach(): Promise<void> {
    const { store, clock } = this.#engine;
    const tried = new Set<number>();
    try {
      for (;;) {
        const waiting = await store.pendingNotices(clock.now(), MOST_AT_ONCE + tried.size);
        const untried = waiting.filter(({ id }) => !tried.has(id));
        if (untried.length === 0) return;
        for (const notice of untried) {
          if (this.#isEnded) return;
          tried.add(notice.id);
          await this.#deliverOne(notice);
        }
      }
    } catch (error) {
      this.#warn(undefined, messageOf(error));
    }
  }

  async #deliverOne(notice: Notice): Promise<void> {
    const { store, clock, log } = this.#engine;
    const now = clock.now();
    if (!(await store.reserveNotice(notice.id, now, now + RESERVED_MS))) return;
    const { connection, kind, actor, message } = notice;
    log.warn(message, { connection, notice: kind, actor });
    try {
      await this.#channel(notice);
      await store.noticeDelivered(notice.id);
      this.#engine.emit('notice', notice);
    } catch (error) {
      const why = messageOf(error);
      this.#warn(
        connection,
        `a notice could not be delivered (${why}); it is kept and tried again`,
      );
    }
  }

  #warn(connection: string | undefined, message: string): void {
    this.#engine.emit('warning', { connection, message });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
