import type { Notice } from '../connection/record.ts';
import type { Engine } from './engine.ts';

/** How messages reach whoever must act: the operator's command, besides the log. Rejects when it could not deliver. */
export type NoticeChannel = (notice: Notice) => Promise<void>;

/** A keeper that dies while it delivers leaves the message to others after this time. */
const RESERVED_MS = 60_000;

/**
 * Delivers what waits in the outbox: a log line, an event, the operator's command. What the command refuses stays in the outbox and is tried
 * again; a crash in between may deliver a message twice, never lose it.
 */
export async function deliverNotices(engine: Engine, channel: NoticeChannel): Promise<void> {
  const { store, clock, log } = engine;
  for (const notice of await store.pendingNotices(clock.now(), 20)) {
    const now = clock.now();
    if (!(await store.reserveNotice(notice.id, now, now + RESERVED_MS))) continue;
    log.warn(notice.message, {
      connection: notice.connection,
      notice: notice.kind,
      actor: notice.actor,
    });
    try {
      await channel(notice);
      await store.noticeDelivered(notice.id, clock.now());
      engine.emit('notice', notice);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `a notice could not be delivered (${why}); it is kept and tried again`;
      engine.emit('warning', { connection: notice.connection, message });
    }
  }
}
