import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FeedEvent } from '../../store/access-store.ts';
import type { Clock } from '../../system/clock.ts';
import { beginAnswer, toJson } from '../http/answer.ts';
import type { Batch } from './feed.ts';

/*
 * Server-sent events. @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */

/** A silent connection is taken for dead by what lies in between. */
const HEARTBEAT_MS = 15_000;

/** Where the stream begins, when it ends, and what tells the time. */
export interface StreamOptions {
  /** Id of the event that the batches follow. */
  readonly afterId: number;
  /** Time. */
  readonly clock: Clock;
  /** Ends it. */
  readonly ended: AbortSignal;
}

/**
 * Writes events until the signal ends it; waits for a reader that is slow. The first words tell after which event it begins: one that it loses
 * before any came can then go on from there.
 */
export async function streamEvents(
  response: ServerResponse,
  batches: AsyncIterable<Batch>,
  isSeen: (connection: string | undefined) => boolean,
  { afterId, clock, ended }: StreamOptions,
): Promise<void> {
  beginAnswer(response, { status: 200, type: 'text/event-stream' });
  let writtenAt = clock.monotonic();
  const write = async (text: string): Promise<void> => {
    writtenAt = clock.monotonic();
    if (response.write(text)) return;
    await once(response, 'drain', { signal: ended }).catch(() => undefined);
  };
  await write(`retry: 2000\nid: ${String(afterId)}\n\n`);
  for await (const { events, hasGap } of batches) {
    // What the reader missed is gone: it had better look at everything again.
    if (hasGap) await write('event: gap\ndata: {}\n\n');
    const last = events.at(-1);
    for (const event of events) {
      // While a slow reader was waited for.
      if (ended.aborted) break;
      if (isSeen(event.connection)) await write(textOf(event));
      // Events of others are not told, but their ids move the reader on.
      else if (event === last) await write(`id: ${String(event.id)}\n\n`);
    }
    if (clock.monotonic() - writtenAt >= HEARTBEAT_MS) await write(': still here\n\n');
  }
  response.end();
}

function textOf(event: FeedEvent): string {
  const { id, at, event: name, connection, generation, detail } = event;
  const data = toJson({ id, at, event: name, connection, generation, detail });
  return `id: ${String(id)}\nevent: ${name}\ndata: ${data}\n\n`;
}
