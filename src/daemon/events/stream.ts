import type { ServerResponse } from 'node:http';
import type { FeedEvent } from '../../store/access-store.ts';
import { beginAnswer, toJson } from '../http/answer.ts';
import { write } from '../http/write.ts';
import type { Feed } from './feed.ts';

/*
 * Server-sent events. @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */

/** A silent connection is taken for dead by what lies in between. */
const HEARTBEAT_MS = 15_000;

/** What a stream tells, from where on, and how long. */
export interface StreamOptions {
  /** What happens. */
  readonly feed: Feed;
  /** Id of the event after which it begins. */
  readonly afterId: number;
  /** Whether the reader may be told of a connection; of none: of the store itself. */
  readonly isSeen: (connection: string | undefined) => boolean;
  /** Ends it. */
  readonly ended: AbortSignal;
}

/**
 * Writes events until the signal ends it; waits for a reader that is slow, and leaves one that has not read by the end. The first words tell after
 * which event it begins: one that it loses before any came can then go on from there.
 */
export async function streamEvents(
  response: ServerResponse,
  { feed, afterId, isSeen, ended }: StreamOptions,
): Promise<void> {
  beginAnswer(response, { status: 200, type: 'text/event-stream' });
  const tell = (text: string): Promise<boolean> => write(response, text, ended);
  await tell(`retry: 2000\nid: ${String(afterId)}\n\n`);
  for await (const { events, hasGap } of feed.follow({
    afterId,
    patienceMs: HEARTBEAT_MS,
    ended,
  })) {
    if (events.length === 0) await tell(': still here\n\n');
    // What the reader missed is gone: it had better look at everything again.
    if (hasGap) await tell('event: gap\ndata: {}\n\n');
    const last = events.at(-1);
    for (const event of events) {
      // While a slow reader was waited for.
      if (ended.aborted) break;
      if (isSeen(event.connection)) await tell(textOf(event));
      // Events of others are not told, but their ids move the reader on.
      else if (event === last) await tell(`id: ${String(event.id)}\n\n`);
    }
  }
  if (response.writableNeedDrain) response.destroy();
  else response.end();
}

function textOf(event: FeedEvent): string {
  const { connectionId: _, ...told } = event;
  const { id, event: name } = event;
  const data = toJson(told);
  return `id: ${String(id)}\nevent: ${name}\ndata: ${data}\n\n`;
}
