import { EvergrantError, ServerUnavailableError } from '../errors.ts';
import type { ConnectionStatus, KeeperEvents } from '../keeper-api.ts';

/*
 * One event of a daemon, as a keeper in this process would tell it.
 */

/** An event as the daemon sends it. */
export interface EventOnWire {
  /** Grows by one with each that is recorded. */
  readonly id: number;
  /** When. */
  readonly at: number;
  /** A line of history, or `notice`. */
  readonly event: string;
  /** Name of the connection; absent for a notice about the store. */
  readonly connection?: string;
  /** Its generation afterwards. */
  readonly generation?: number;
  /** In words. */
  readonly detail?: string;
  /** Of a notice: what happened; absent for one from before the store kept it. */
  readonly kind?: string;
  /** Of a notice: who must act. */
  readonly actor?: Notice['actor'];
}

type Notice = KeeperEvents['notice'];

/** Tells of an event. */
export type Tell = <E extends keyof KeeperEvents>(event: E, detail: KeeperEvents[E]) => void;

/** What telling takes. */
export interface TellParts {
  /** Where a connection stands; undefined when it is gone. */
  readonly statusOf: (connection: string) => Promise<ConnectionStatus | undefined>;
  /** Tells of an event. */
  readonly tell: Tell;
}

/**
 * Tells of an event. A line of history says less than an event of a keeper; the rest stands in the connection's status.
 *
 * @throws {@link ServerUnavailableError} when the daemon does not answer; then nothing was told.
 */
export async function pass(event: EventOnWire, parts: TellParts): Promise<void> {
  const { tell } = parts;
  const { connection, generation = 0, detail = '' } = event;
  if (!['refreshed', 'refresh_failed', 'notice'].includes(event.event)) return;
  const status = connection === undefined ? undefined : await lookAt(connection, parts);
  if (event.event === 'notice') return tell('notice', noticeOf(event, status));
  if (connection === undefined || status === undefined) return;
  const { accessExpiresAt = 0, lastError, nextRefreshAt: retryAt } = status;
  if (event.event === 'refreshed')
    return tell('refreshed', { connection, generation, accessExpiresAt });
  const outcome = lastError?.outcome ?? 'failed';
  tell('refresh_failed', { connection, outcome, message: detail, retryAt });
}

/** What is refused for good is not asked for again and again: the events behind it would wait for ever. */
async function lookAt(
  connection: string,
  { statusOf, tell }: TellParts,
): Promise<ConnectionStatus | undefined> {
  try {
    return await statusOf(connection);
  } catch (error) {
    if (!(error instanceof EvergrantError) || error instanceof ServerUnavailableError) throw error;
    tell('warning', { connection, message: `an event could not be told whole: ${error.message}` });
    return undefined;
  }
}

/** A store that was written to before it kept kind and actor has old notices of which neither is known. */
function noticeOf(event: EventOnWire, status: ConnectionStatus | undefined): Notice {
  const { id, at, connection, detail = '' } = event;
  const kind = event.kind ?? (connection === undefined ? 'store_copied' : 'attention');
  const actor = event.actor ?? status?.actor ?? 'operator';
  return { id, at, connection, kind, actor, message: detail };
}
