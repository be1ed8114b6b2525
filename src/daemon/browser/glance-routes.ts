import * as z from 'zod';
import { jsonRoute, streamRoute, type Call, type Route } from '../api/route.ts';
import { beginAnswer, toJson } from '../http/answer.ts';
import { write } from '../http/write.ts';
import { NotFoundError, StoreError } from '../../errors.ts';
import { breathe } from '../../system/turn.ts';
import type { Keeper } from '../../keeper-api.ts';
import type { FeedEvent } from '../../store/access-store.ts';
import type { DaemonParts } from '../parts.ts';
import { endpointsAtAGlance, endpointGlance } from './endpoints.ts';
import { glanceChanges, glanceOf, type Glance } from './glance.ts';

/*
 * What the dashboard shows of everything: once all of it, line by line, so that the first rows are on the screen before the last are read; from
 * then on what changed.
 */

const PAGE = 250;
/** With more events than these at once it is cheaper to read everything again. */
const MOST_EVENTS = 500;

const all = { verb: 'read', reach: 'all' } as const;

/** Routes of the dashboard's lists. */
export function glanceRoutes(parts: DaemonParts): readonly Route[] {
  return [
    streamRoute({
      method: 'GET',
      path: '/v1/glance',
      operation: 'glance',
      summary:
        'All connections, a line of JSON each; the first line tells the instant and the newest event, the last how many there were',
      access: all,
      type: 'application/x-ndjson',
      stream: (call) => streamGlances(parts, call),
    }),
    jsonRoute({
      method: 'GET',
      path: '/v1/glance/changes',
      operation: 'glanceChanges',
      summary: 'What happened after an event, and the connections it happened to',
      access: all,
      query: z.strictObject({ after: z.string().regex(/^\d{1,15}$/, 'must be a number') }),
      answer: glanceChanges,
      handle: ({ query }) => changesAfter(parts, Number(query.after)),
    }),
    jsonRoute({
      method: 'GET',
      path: '/v1/glance/endpoints',
      operation: 'glanceEndpoints',
      summary:
        'Token endpoints: breaker, requests of the last second, and how long refreshes by this daemon took',
      access: all,
      answer: z.strictObject({ at: z.number(), endpoints: z.array(endpointGlance) }),
      handle: async () => ({ at: parts.clock.now(), endpoints: await endpointsAtAGlance(parts) }),
    }),
  ];
}

async function streamGlances(
  { keeper, store, clock }: DaemonParts,
  { response, signal: over }: Pick<Call, 'response' | 'signal'>,
): Promise<void> {
  const { last } = store.access.eventRange();
  beginAnswer(response, { status: 200, type: 'application/x-ndjson' });
  await write(response, `${toJson({ at: clock.now(), last })}\n`, over);
  let [count, afterName] = [0, ''];
  for (;;) {
    const page = await keeper.list({ afterName, limit: PAGE });
    const lines = page.map((status) => `${toJson(glanceOf(status))}\n`).join('');
    if (lines !== '') await write(response, lines, over);
    // An end without its last line: what came is not all, and must not be taken for it.
    if (over.aborted) return void response.destroy();
    count += page.length;
    afterName = page.at(-1)?.name ?? afterName;
    if (page.length < PAGE) break;
    await breathe();
  }
  response.end(`${toJson({ count })}\n`);
}

interface Changes {
  readonly at: number;
  readonly last: number;
  readonly isWhole: boolean;
  readonly events: readonly Omit<FeedEvent, 'connectionId' | 'kind' | 'actor'>[];
  readonly connections: readonly Glance[];
  readonly gone: readonly string[];
}

async function changesAfter(
  { keeper, store, clock }: DaemonParts,
  after: number,
): Promise<Changes> {
  const { first, last } = store.access.eventRange();
  const at = clock.now();
  const none = { at, last, events: [], connections: [], gone: [] };
  if (after > last || after < first - 1) return { ...none, isWhole: false };
  const events = store.access.events(after, MOST_EVENTS + 1);
  if (events.length > MOST_EVENTS) return { ...none, isWhole: false };
  const newest = events.at(-1)?.id ?? after;
  const names = new Set(events.flatMap(({ connection }) => connection ?? []));
  const { connections, gone } = await read(keeper, names);
  const shown = events.map(({ connectionId: _c, kind: _k, actor: _a, ...rest }) => rest);
  // The name before is in no line of the feed.
  const isWhole = !events.some(({ event }) => event === 'renamed');
  return { at, last: newest, isWhole, events: shown, connections, gone };
}

async function read(
  keeper: Keeper,
  names: ReadonlySet<string>,
): Promise<Pick<Changes, 'connections' | 'gone'>> {
  const connections: Glance[] = [];
  const gone: string[] = [];
  for (const name of names) {
    try {
      connections.push(glanceOf(await keeper.connection(name).status()));
    } catch (error) {
      if (error instanceof NotFoundError) gone.push(name);
      // One that is damaged must not hide all others; its own page tells.
      else if (!(error instanceof StoreError && error.code === 'ERR_STORE_DAMAGED')) throw error;
    }
  }
  return { connections, gone };
}
