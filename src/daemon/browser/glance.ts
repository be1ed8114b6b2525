import * as z from 'zod';
import { connectionStatus } from '../api/schemas.ts';
import type { ConnectionStatus } from '../../keeper-api.ts';

const { shape } = connectionStatus;

/** As much of a connection as a row of a long list shows. */
export const glance = z
  .strictObject({
    name: shape.name,
    account: shape.account,
    provider: shape.provider,
    clientId: shape.clientId,
    beginning: shape.beginning,
    state: shape.state,
    actor: shape.actor,
    reason: shape.reason,
    since: shape.since,
    generation: shape.generation,
    receivedAt: shape.receivedAt,
    accessExpiresAt: shape.accessExpiresAt,
    nextRefreshAt: shape.nextRefreshAt,
    failedAt: z.number().nullable().meta({ description: 'of the last failure since a success' }),
    failure: z.string().nullable(),
    isRefreshing: z.boolean(),
  })
  .meta({ id: 'Glance' });

const feedEvent = z.strictObject({
  id: z.number(),
  at: z.number(),
  event: z.string(),
  connection: z.string().nullable(),
  generation: z.number().nullable(),
  detail: z.string().nullable(),
});

/** What happened after an event, and the rows it happened to. */
export const glanceChanges = z.strictObject({
  at: z.number(),
  last: z.number(),
  isWhole: z.boolean().meta({ description: 'false: read everything again' }),
  events: z.array(feedEvent),
  connections: z.array(glance),
  gone: z.array(z.string()),
});

/** A row of a long list, before what is undefined becomes null. */
export type Glance = { readonly [K in keyof z.output<typeof glance>]: unknown };

/** The row of a connection. */
export function glanceOf(status: ConnectionStatus): Glance {
  const { name, account, provider, clientId, beginning, state, actor, reason, since } = status;
  const { generation, receivedAt, accessExpiresAt, nextRefreshAt, lastError } = status;
  return {
    ...{ name, account, provider, clientId, beginning, state, actor, reason, since },
    ...{ generation, receivedAt, accessExpiresAt, nextRefreshAt },
    failedAt: lastError?.at,
    failure: lastError?.message,
    isRefreshing: status.refreshingBy !== undefined,
  };
}
