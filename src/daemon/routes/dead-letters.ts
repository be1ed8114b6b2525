import * as z from 'zod';
import { ConfigurationError, NotFoundError } from '../../errors.ts';
import { jsonRoute, type Route } from '../api/route.ts';
import { fromCursor, toCursor } from '../api/cursor.ts';
import { count, deadLetters } from '../api/schemas.ts';
import type { DeadLetterPlace } from '../../store/webhook-store.ts';
import type { DaemonParts } from '../parts.ts';

const DEFAULT_LIMIT = 100;

/** What receivers of webhooks could not be told. It concerns all connections, so a key must be good for all. */
export function deadLetterRoutes({ store, clock }: DaemonParts): readonly Route[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/v1/dead-letters',
      operation: 'listDeadLetters',
      summary:
        'Events that a receiver of webhooks could not be told, the newest first, and how many of each receiver wait and are dead',
      access: { verb: 'read', reach: 'all' },
      query: z.strictObject({
        webhook: z.string().optional().meta({ description: 'of this receiver alone' }),
        cursor: z.string().optional().meta({ description: '`next` of the page before' }),
        limit: count(1_000).optional(),
      }),
      answer: deadLetters,
      handle: async ({ query: { webhook, cursor, limit = DEFAULT_LIMIT } }) => {
        const after = cursor === undefined ? undefined : placeOf(cursor);
        const filter = { receiver: webhook, after, limit };
        const letters = await store.webhooks.deadLetters(filter);
        return {
          deadLetters: letters.map(({ id, receiver, event, failures, reason, deadAt }) => ({
            ...{ id, webhook: receiver, attempts: failures, reason, deadAt },
            event: event.event,
            eventId: event.id,
            at: event.at,
            connection: event.connection,
            generation: event.generation,
            detail: event.detail,
          })),
          webhooks: store.webhooks.receivers(),
          next: letters.length === limit ? cursorOf(letters.at(-1)) : undefined,
        };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/v1/dead-letters/{id}/retry',
      operation: 'retryDeadLetter',
      summary: 'Tells the receiver again, out of order, with all attempts of a new event',
      access: { verb: 'manage', reach: 'all' },
      body: z.strictObject({}),
      answer: z.strictObject({}),
      handle: async ({ params: { id = '' } }) => {
        if (await store.webhooks.revive(id, clock.now())) return {};
        throw new NotFoundError(
          'ERR_LETTER_UNKNOWN',
          'there is no dead letter of that id; GET /v1/dead-letters lists them',
        );
      },
    }),
  ];
}

function cursorOf(last: DeadLetterPlace | undefined): string | undefined {
  return last && toCursor(`${String(last.deadAt)} ${String(last.number)}`);
}

function placeOf(cursor: string): DeadLetterPlace {
  const [deadAt = NaN, number = NaN] = fromCursor(cursor).split(' ').map(Number);
  if (Number.isFinite(deadAt) && Number.isFinite(number)) return { deadAt, number };
  throw new ConfigurationError('ERR_ARGUMENT', 'cursor is no `next` of a page before');
}
