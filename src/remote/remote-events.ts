import type { IncomingMessage } from 'node:http';
import { ServerUnavailableError } from '../errors.ts';
import { sleep, type Clock } from '../system/clock.ts';
import { messagesOf } from './event-stream.ts';
import { errorOfProblem } from './problem.ts';
import { pass, type EventOnWire, type TellParts } from './remote-event.ts';
import type { Transport } from './transport.ts';
import { readJson } from './wire.ts';

/*
 * A daemon's events, as a keeper in this process would emit them. The stream is opened for the first listener and resumed when it breaks.
 */

const AGAIN_AFTER_MS = 2_000;
/** The clocks of two machines may differ. */
const [SHORTEST_WAIT_MS, LONGEST_WAIT_MS] = [1_000, 60_000];

const GAP = 'the daemon no longer has some events that were to be told; look at everything';

/** What following takes. */
export interface FollowParts extends TellParts {
  /** The way to the daemon. */
  readonly transport: Transport;
  /** Time. */
  readonly clock: Clock;
}

/**
 * Follows the events of a daemon until the signal ends it. An event counts as known once it was told, so that none is lost where the daemon ends
 * before; then it is told when the daemon is back. The first words of a stream tell of the one that it begins after.
 */
export async function followEvents(parts: FollowParts, ended: AbortSignal): Promise<void> {
  const { transport, clock, tell } = parts;
  let known: string | undefined;
  for (;;) {
    try {
      const headers = known === undefined ? {} : { 'last-event-id': known };
      const stream = await transport.open({
        method: 'GET',
        target: '/v1/events',
        headers,
        signal: ended,
      });
      checkStream(stream);
      for await (const { id, name, data } of messagesOf(stream, clock)) {
        if (name === 'gap') tell('warning', { connection: undefined, message: GAP });
        const event = data === undefined || name === 'gap' ? undefined : readEvent(data);
        if (event !== undefined) await passInTime(event, parts, ended);
        known = id ?? known;
      }
    } catch (error) {
      if (ended.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      tell('warning', { connection: undefined, message: `no events for now: ${reason}` });
    }
    await sleep(clock, AGAIN_AFTER_MS, ended);
  }
}

/** Waits while the key is used too often. To open the stream anew instead would use up what it may, again and again. */
async function passInTime(
  event: EventOnWire,
  parts: FollowParts,
  ended: AbortSignal,
): Promise<void> {
  const { clock } = parts;
  for (;;) {
    try {
      return await pass(event, parts);
    } catch (error) {
      const isTooOften =
        error instanceof ServerUnavailableError && error.code === 'ERR_RATE_EXCEEDED';
      if (!isTooOften) throw error;
      const waitMs = Math.max(SHORTEST_WAIT_MS, (error.retryAt ?? 0) - clock.now());
      if (!(await sleep(clock, Math.min(waitMs, LONGEST_WAIT_MS), ended))) throw error;
    }
  }
}

/** @throws {@link ServerUnavailableError} `ERR_DAEMON_UNREACHABLE` where something else answered. */
function checkStream(stream: IncomingMessage): void {
  if (stream.headers['content-type']?.startsWith('text/event-stream') === true) return;
  stream.destroy();
  throw errorOfProblem(stream.statusCode ?? 0, undefined);
}

function readEvent(data: string): EventOnWire {
  return readJson(data) as EventOnWire;
}
