import * as z from 'zod';
import { jsonRoute, type Route } from '../api/route.ts';
import { accessToken, duration } from '../api/schemas.ts';
import type { DaemonParts } from '../parts.ts';

/** The one thing most callers want. */
export function tokenRoutes({ keeper }: DaemonParts): readonly Route[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/v1/connections/{name}/token',
      operation: 'token',
      summary:
        'An access token that works; refreshes first when the one at hand is about to expire',
      access: { verb: 'token', reach: 'named' },
      query: z.strictObject({ minLife: duration.optional(), timeout: duration.optional() }),
      answer: accessToken,
      handle: async ({ params, query, signal }) => {
        const connection = keeper.connection(params['name'] ?? '');
        const { minLife, timeout } = query;
        const token = await connection.token({
          ...(minLife !== undefined && { minLifeMs: minLife }),
          ...(timeout !== undefined && { timeoutMs: timeout }),
          signal,
        });
        const { value, type, scope, expiresAt, generation } = token;
        return { accessToken: value, type, scope, expiresAt, generation };
      },
    }),
  ];
}
