import * as z from 'zod';
import { whyNot, type Caller } from '../access/caller.ts';
import { jsonRoute, type Route } from '../api/route.ts';
import { clientCredentialsBody, connectionStatus, importBody } from '../api/schemas.ts';
import { AccessRefusedError } from '../../errors.ts';
import type { AddOptions, BeginOptions, ConnectOptions } from '../../keeper-api.ts';
import type { DaemonParts } from '../parts.ts';

const beginBody = z.union([importBody, clientCredentialsBody]);

/** Beginning a connection that needs no person: by import, or as the client itself. */
export function beginRoutes({ keeper }: DaemonParts): readonly Route[] {
  return [
    jsonRoute({
      method: 'POST',
      path: '/v1/connections',
      operation: 'begin',
      summary: 'Imports tokens obtained elsewhere, or connects as the client itself',
      access: { verb: 'manage', reach: 'some' },
      body: beginBody,
      answer: z.strictObject({ connection: connectionStatus }),
      handle: async ({ caller, body, signal }) => {
        const { name, ...rest } = body;
        checkReach(caller, name, rest as BeginOptions);
        const connection =
          'tokens' in rest
            ? await keeper.add(name, { ...rest, signal } as AddOptions)
            : await keeper.connect(name, { ...rest, signal } as ConnectOptions);
        return { connection: await connection.status() };
      },
    }),
  ];
}

/**
 * A registration is shared: whoever gives its secret gives it to every connection of it. And whoever names endpoints has this machine call
 * them. Both are for callers who may manage all.
 */
function checkReach(caller: Caller, name: string, { client, overrides }: BeginOptions): void {
  const because = whyNot(caller, 'manage', name);
  if (because !== undefined)
    throw new AccessRefusedError('ERR_ACCESS_FORBIDDEN', `${because}; ask its owner for another`);
  const { policy } = caller;
  if (policy === undefined || policy.connections.includes('*')) return;
  if (client.clientSecret === undefined && overrides === undefined) return;
  throw new AccessRefusedError(
    'ERR_ACCESS_FORBIDDEN',
    'a client secret or overrides take a key that is good for all connections',
  );
}
