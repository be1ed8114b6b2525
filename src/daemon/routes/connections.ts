import * as z from 'zod';
import { whyNot, type Caller } from '../access/caller.ts';
import { fromCursor, toCursor } from '../api/cursor.ts';
import { jsonRoute, type Route } from '../api/route.ts';
import { connectionStatus, count, explanation, lifeEvent } from '../api/schemas.ts';
import { breathe } from '../../system/turn.ts';
import type { ConnectionStatus, Keeper } from '../../keeper-api.ts';
import type { DaemonParts } from '../parts.ts';

/** Rows read from the store at once; between two such readings others have their turn. */
const PAGE = 100;
const HISTORY_LINES = 500;

const listQuery = z.strictObject({
  state: connectionStatus.shape.state.optional(),
  provider: z.string().optional(),
  search: z
    .string()
    .max(200, 'is too long')
    .optional()
    .meta({ description: 'a part of the name or the account, whatever its case' }),
  limit: count(1_000).optional(),
  cursor: z.string().max(400).optional().meta({ description: 'next of the page before' }),
});

type ListQuery = z.output<typeof listQuery>;

/** Looking at connections. */
export function connectionRoutes({ keeper, store }: DaemonParts): readonly Route[] {
  const named = { verb: 'read', reach: 'named' } as const;
  const nameOf = (params: Readonly<Record<string, string>>): string => params['name'] ?? '';
  return [
    jsonRoute({
      method: 'GET',
      path: '/v1/connections',
      operation: 'listConnections',
      summary: 'Connections in order of name, those that the caller may read',
      access: { verb: 'read', reach: 'some' },
      query: listQuery,
      answer: z.strictObject({
        connections: z.array(connectionStatus),
        next: z
          .string()
          .nullable()
          .meta({ description: 'cursor of the next page, if there is one' }),
      }),
      handle: ({ caller, query }) => listPage(keeper, caller, query),
    }),
    jsonRoute({
      method: 'GET',
      path: '/v1/connections/{name}',
      operation: 'readConnection',
      summary: 'Where a connection stands',
      access: named,
      answer: connectionStatus,
      handle: ({ params }) => keeper.connection(nameOf(params)).status(),
    }),
    jsonRoute({
      method: 'GET',
      path: '/v1/connections/{name}/history',
      operation: 'readHistory',
      summary: 'The life of a connection, newest first',
      access: named,
      query: z.strictObject({ limit: count(HISTORY_LINES).optional() }),
      answer: z.strictObject({ events: z.array(lifeEvent) }),
      handle: async ({ params, query }) => {
        const { id } = await keeper.connection(nameOf(params)).status();
        return { events: await store.life(id, query.limit ?? HISTORY_LINES) };
      },
    }),
    jsonRoute({
      method: 'GET',
      path: '/v1/connections/{name}/explanation',
      operation: 'explainConnection',
      summary: 'The one most likely cause of where it stands, and what to do',
      access: named,
      answer: explanation,
      handle: ({ params }) => keeper.connection(nameOf(params)).explain(),
    }),
  ];
}

/** A cursor is the last name that was looked at, so a page never repeats or skips what stays. */
async function listPage(
  keeper: Keeper,
  caller: Caller,
  query: ListQuery,
): Promise<{
  readonly connections: readonly ConnectionStatus[];
  readonly next: string | undefined;
}> {
  const wanted = query.limit ?? 100;
  const found: ConnectionStatus[] = [];
  let afterName = query.cursor === undefined ? '' : fromCursor(query.cursor);
  for (;;) {
    const page = await keeper.list({ afterName, limit: PAGE });
    for (const status of page) {
      if (found.length === wanted) return { connections: found, next: toCursor(afterName) };
      afterName = status.name;
      if (isWanted(status, query) && whyNot(caller, 'read', status.name) === undefined)
        found.push(status);
    }
    if (page.length < PAGE) return { connections: found, next: undefined };
    await breathe();
  }
}

function isWanted(status: ConnectionStatus, { state, provider, search }: ListQuery): boolean {
  if (state !== undefined && status.state !== state) return false;
  if (provider !== undefined && status.provider !== provider) return false;
  if (search === undefined) return true;
  const text = `${status.name}\n${status.account ?? ''}`.toLowerCase();
  return text.includes(search.toLowerCase());
}
