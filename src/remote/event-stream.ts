import type { IncomingMessage } from 'node:http';
import type { Clock, Timer } from '../system/clock.ts';

/*
 * Server-sent events, as far as a daemon uses them.
 */

const LONGEST_LINE = 1024 * 1024;
/** A daemon says something four times as often; whoever is silent for so long is gone, though the system may not know it for hours. */
const SILENT_MS = 60_000;

/** Fields of each message that are of use here. @throws Error when one is too long, or none comes for long. */
export async function* messagesOf(
  stream: IncomingMessage,
  clock: Clock,
): AsyncGenerator<Record<'id' | 'name' | 'data', string | undefined>> {
  let rest = '';
  for await (const chunk of chunksOf(stream, clock)) {
    rest += chunk;
    if (rest.length > LONGEST_LINE) throw new Error('an event is too long');
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks)
      yield { id: field(block, 'id'), name: field(block, 'event'), data: field(block, 'data') };
  }
}

/** Time counts only while something is waited for. */
async function* chunksOf(stream: IncomingMessage, clock: Clock): AsyncGenerator<string> {
  const onTime = (): void => {
    stream.destroy(new Error(`nothing came for ${String(SILENT_MS / 1_000)} s`));
  };
  const arm = (): Timer => clock.timer(SILENT_MS, onTime, { background: true });
  let timer = arm();
  try {
    for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
      timer.cancel();
      yield chunk;
      timer = arm();
    }
  } finally {
    timer.cancel();
  }
}

function field(block: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
}
