import * as z from 'zod';
import { jsonRoute, type Route } from '../api/route.ts';
import { problemOf } from '../api/problem.ts';
import { problem } from '../api/schemas.ts';
import type { DaemonParts } from '../parts.ts';

/** Renewing what is due now, as the daemon does by itself: for whoever will not wait for it. */
export function dueRoutes({ keeper }: DaemonParts): readonly Route[] {
  return [
    jsonRoute({
      method: 'POST',
      path: '/v1/refresh-due',
      operation: 'refreshDue',
      summary: 'Refreshes once what is due now',
      access: { verb: 'manage', reach: 'all' },
      body: z.strictObject({}),
      answer: z.strictObject({
        renewed: z.array(z.strictObject({ connection: z.string(), problem: problem.nullable() })),
      }),
      handle: async ({ signal }) => ({
        renewed: (await keeper.refreshDue({ signal })).map(({ connection, error }) => ({
          connection,
          problem: error === undefined ? undefined : problemOf(error),
        })),
      }),
    }),
  ];
}
