import * as z from 'zod';
import { ConfigurationError } from '../../errors.ts';
import { whyNot } from '../access/caller.ts';
import { coversAll } from '../access/policy.ts';
import { streamRoute, type Route } from '../api/route.ts';
import { streamEvents } from '../events/stream.ts';
import type { DaemonParts } from '../parts.ts';

const NUMBER = /^\d{1,15}$/;
const query = z.strictObject({
  after: z
    .string()
    .regex(NUMBER, 'must be the id of an event')
    .optional()
    .meta({ description: 'id of the last event known, as Last-Event-ID; 0 for all that is kept' }),
});

/** What happens, as it happens, and what happened since an event that the caller knows. */
export function eventRoutes(parts: DaemonParts): readonly Route[] {
  return [
    streamRoute({
      method: 'GET',
      path: '/v1/events',
      operation: 'events',
      summary: 'What happens, as server-sent events; resumes after Last-Event-ID',
      access: { verb: 'read', reach: 'some' },
      query,
      type: 'text/event-stream',
      stream: async ({ caller, query: asked, request, response, signal }) => {
        const header = request.headers['last-event-id'];
        if (header !== undefined && !(typeof header === 'string' && NUMBER.test(header)))
          throw new ConfigurationError('ERR_ARGUMENT', 'Last-Event-ID is no id of an event');
        const known = header ?? asked.after;
        const afterId = parts.feed.startId(known === undefined ? undefined : Number(known));
        const isSeen = (connection: string | undefined): boolean =>
          connection === undefined
            ? caller.policy === undefined || coversAll(caller.policy)
            : whyNot(caller, 'read', connection) === undefined;
        const ended = AbortSignal.any([signal, parts.ending]);
        await streamEvents(response, { feed: parts.feed, afterId, isSeen, ended });
      },
    }),
  ];
}
