import type { IncomingMessage } from 'node:http';
import { sleep, type Clock } from '../system/clock.ts';
import { errorOfProblem } from './problem.ts';
import { pass, type EventOnWire, type TellParts } from './remote-event.ts';
import type { Transport } from './transport.ts';
import { readJson } from './wire.ts';

/*
 * A daemon's events, as a keeper in this process would emit them. The stream is opened for the first listener and resumed when it breaks.
 */

const AGAIN_AFTER_MS = 2_000;
const LONGEST_LINE = 1024 * 1024;

/** What following takes. */
export interface FollowParts extends TellParts {
  /** The way to the daemon. */
  readonly transport: Transport;
  /** Time. */
  readonly clock: Clock;
}

/**
 * Follows the events of a daemon until the signal ends it. An event counts as known once it was told, so that none is lost where the daemon ends
 * before; then it is told when the daemon is back.
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
      for await (const { id, data } of messagesOf(stream)) {
        const event = data === undefined ? undefined : readEvent(data);
        // Without one that is known the daemon would begin with what happens next.
        if (id !== undefined) known ??= String(Number(id) - 1);
        if (event !== undefined) await pass(event, parts);
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

/** @throws {@link ServerUnavailableError} `ERR_DAEMON_UNREACHABLE` where something else answered. */
function checkStream(stream: IncomingMessage): void {
  if (stream.headers['content-type']?.startsWith('text/event-stream') === true) return;
  stream.destroy();
  throw errorOfProblem(stream.statusCode ?? 0, undefined);
}

function readEvent(data: string): EventOnWire {
  return readJson(data) as EventOnWire;
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
