import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { sleep, type Clock } from '../../system/clock.ts';
import { httpDate } from '../../system/instant.ts';
import type { Answer } from './answer.ts';

/**
 * Sends an answer the way its delivery asks for.
 *
 * @returns whether the whole answer was handed to a connection that was still open.
 */
export async function deliver(
  response: ServerResponse,
  answer: Answer,
  clock: Clock,
  closing: AbortSignal,
): Promise<boolean> {
  const delivery = answer.delivery ?? { how: 'whole' };
  const body = Buffer.from(answer.body);
  if (delivery.how === 'hang') return false;
  if (delivery.how === 'cut' || response.destroyed) return cut(response);
  response.writeHead(answer.status, {
    // The emulator's own time, so that a client can notice the skew of its clock.
    Date: httpDate(clock.now()),
    ...headersOf(answer),
    'Content-Length': String(body.length),
  });
  if (delivery.how === 'half') {
    response.write(body.subarray(0, Math.ceil(body.length / 2)), () => cut(response));
    return false;
  }
  if (delivery.how === 'slow') await trickle(response, body, delivery.msPerByte, clock, closing);
  else response.end(body);
  return finished(response);
}

function headersOf(answer: Answer): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  );
}

function cut(response: ServerResponse): false {
  response.socket?.destroy();
  return false;
}

async function trickle(
  response: ServerResponse,
  body: Buffer,
  msPerByte: number,
  clock: Clock,
  closing: AbortSignal,
): Promise<void> {
  response.flushHeaders();
  for (const byte of body) {
    if (response.destroyed || !(await sleep(clock, msPerByte, closing))) return;
    response.write(Buffer.of(byte));
  }
  response.end();
}

async function finished(response: ServerResponse): Promise<boolean> {
  if (!response.writableFinished && !response.destroyed) {
    await Promise.race([once(response, 'finish'), once(response, 'close')]).catch(() => undefined);
  }
  return response.writableFinished;
}
