import type { IncomingMessage } from 'node:http';
import type { ConnectionStatus, KeeperEvents } from '../keeper-api.ts';
import { sleep, type Clock } from '../system/clock.ts';
import type { Transport } from './transport.ts';

/*
 * A daemon's events, as a keeper in this process would emit them. The stream is opened for the first listener and resumed when it breaks.
 */

interface EventOnWire {
  readonly id: number;
  readonly at: number;
  readonly event: string;
  readonly connection?: string;
  readonly generation?: number;
  readonly detail?: string;
}

/** Tells of an event. */
export type Tell = <E extends keyof KeeperEvents>(event: E, detail: KeeperEvents[E]) => void;

const AGAIN_AFTER_MS = 2_000;
const LONGEST_LINE = 1024 * 1024;

/** Where a connection stands; undefined when it is gone. */
export type StatusOf = (connection: string) => Promise<ConnectionStatus | undefined>;

/** What following takes. */
export interface FollowParts {
  /** The way to the daemon. */
  readonly transport: Transport;
  /** Time. */
  readonly clock: Clock;
  /** Where a connection stands. */
  readonly statusOf: StatusOf;
  /** Tells of an event. */
  readonly tell: Tell;
}

/** Follows the events of a daemon until the signal ends it. */
export async function followEvents(
  { transport, clock, statusOf, tell }: FollowParts,
  ended: AbortSignal,
): Promise<void> {
  let known: string | undefined;
  while (!ended.aborted) {
    try {
      const headers = known === undefined ? {} : { 'last-event-id': known };
      const stream = await transport.open({
        method: 'GET',
        target: '/v1/events',
        headers,
        signal: ended,
      });
      for await (const { id, data } of messagesOf(stream)) {
        known = id ?? known;
        if (data !== undefined) await pass(readEvent(data), statusOf, tell);
      }
    } catch (error) {
      if (ended.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      tell('warning', { connection: undefined, message: `no events for now: ${reason}` });
    }
    await sleep(clock, AGAIN_AFTER_MS, ended);
  }
}

/** A line of history says less than an event of a keeper; the rest stands in the connection's status. */
async function pass(event: EventOnWire, statusOf: StatusOf, tell: Tell): Promise<void> {
  const { connection, generation = 0, detail = '', at, id } = event;
  if (!['refreshed', 'refresh_failed', 'notice'].includes(event.event)) return;
  const status = connection === undefined ? undefined : await statusOf(connection);
  if (event.event === 'notice') {
    const [kind, actor] = [status?.state ?? 'client_refused', status?.actor ?? 'operator'];
    return tell('notice', { id, connection, kind, actor, at, message: detail });
  }
  if (connection === undefined || status === undefined) return;
  const { accessExpiresAt = 0, lastError, nextRefreshAt: retryAt } = status;
  if (event.event === 'refreshed')
    return tell('refreshed', { connection, generation, accessExpiresAt });
  tell('refresh_failed', {
    connection,
    outcome: lastError?.outcome ?? 'failed',
    message: detail,
    retryAt,
  });
}

function readEvent(data: string): EventOnWire {
  return JSON.parse(data, (_, value: unknown) =>
    value === null ? undefined : value,
  ) as EventOnWire;
}

/** Fields of each message that are of use here. */
async function* messagesOf(
  stream: IncomingMessage,
): AsyncGenerator<{ readonly id: string | undefined; readonly data: string | undefined }> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream as AsyncIterable<string>) {
    rest += chunk;
    if (rest.length > LONGEST_LINE) throw new Error('an event is too long');
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) yield { id: field(block, 'id'), data: field(block, 'data') };
  }
}

function field(block: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
}
