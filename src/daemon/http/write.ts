import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/**
 * Writes a part of an answer, and waits until its reader has read enough of it for another part: whoever writes with this and nothing else keeps no
 * more than a part in memory, however slow the reader is.
 *
 * @param over - ends the wait; must abort when the reader goes away.
 * @returns whether another part can be written.
 */
export async function write(
  response: ServerResponse,
  part: string,
  over: AbortSignal,
): Promise<boolean> {
  if (over.aborted) return false;
  if (response.write(part)) return true;
  await once(response, 'drain', { signal: over }).catch(() => undefined);
  return !over.aborted;
}
