import * as z from 'zod';
import { jsonRoute, streamRoute, type Route } from '../api/route.ts';
import { answerText, toJson } from '../http/answer.ts';
import type { DaemonParts } from '../parts.ts';

/** Whether the process answers, and whether it can do its work. Both tell nothing else, so they need no key. */
export function healthRoutes(parts: DaemonParts): readonly Route[] {
  // Anyone may ask, as often as they like: the log hears of what is new.
  let told: readonly string[] = [];
  return [
    jsonRoute({
      method: 'GET',
      path: '/healthz',
      operation: 'health',
      summary: 'Whether the process answers',
      access: 'anyone',
      answer: z.strictObject({ status: z.literal('alive') }),
      handle: async () => ({ status: 'alive' }),
    }),
    streamRoute({
      method: 'GET',
      path: '/readyz',
      operation: 'readiness',
      summary: 'Whether the daemon can do its work: 200, or 503',
      access: 'anyone',
      type: 'application/json',
      hasHead: true,
      stream: async ({ response }) => {
        const found = await parts.faults();
        for (const fault of found.filter((each) => !told.includes(each)))
          parts.log.warn('not ready', { reason: fault });
        told = found;
        const isReady = found.length === 0;
        const answer = { status: isReady ? 'ready' : 'not ready' };
        answerText(response, { status: isReady ? 200 : 503 }, toJson(answer));
      },
    }),
  ];
}
