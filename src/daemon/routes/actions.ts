import * as z from 'zod';
import { admit } from '../access/reach.ts';
import { jsonRoute, type Route } from '../api/route.ts';
import { connectionStatus, duration } from '../api/schemas.ts';
import type { Connection } from '../../keeper-api.ts';
import type { DaemonParts } from '../parts.ts';

const status = z.strictObject({ connection: connectionStatus });

/** Doing something to a connection that exists. */
export function actionRoutes(parts: DaemonParts): readonly Route[] {
  return [
    refreshRoute(parts),
    changeRoute(parts, 'pause', 'Stops refreshing; a living token is still served', (one) =>
      one.pause(),
    ),
    changeRoute(
      parts,
      'resume',
      'Undoes a pause, or has another try where attention was needed',
      (one) => one.resume(),
    ),
    renameRoute(parts),
    disconnectRoute(parts),
    reconnectRoute(parts),
  ];
}

const manage = { verb: 'manage', reach: 'named' } as const;

function handleOf({ keeper }: DaemonParts, params: Readonly<Record<string, string>>): Connection {
  return keeper.connection(params['name'] ?? '');
}

function refreshRoute(parts: DaemonParts): Route {
  return jsonRoute({
    method: 'POST',
    path: '/v1/connections/{name}/refresh',
    operation: 'refresh',
    summary: 'Makes one refresh now, whatever is left of the token',
    access: manage,
    body: z.strictObject({ anyway: z.boolean().optional(), timeout: duration.optional() }),
    answer: status,
    handle: async ({ params, body, signal }) => ({
      connection: await handleOf(parts, params).refresh({
        anyway: body.anyway === true,
        ...(body.timeout !== undefined && { timeoutMs: body.timeout }),
        signal,
      }),
    }),
  });
}

function changeRoute(
  parts: DaemonParts,
  operation: string,
  summary: string,
  change: (connection: Connection) => Promise<void>,
): Route {
  return jsonRoute({
    method: 'POST',
    path: `/v1/connections/{name}/${operation}`,
    operation,
    summary,
    access: manage,
    body: z.strictObject({}),
    answer: status,
    handle: async ({ params }) => {
      const connection = handleOf(parts, params);
      await change(connection);
      return { connection: await connection.status() };
    },
  });
}

/** A key that is good for some connections could otherwise move one out of its own reach, or into another key's. */
function renameRoute(parts: DaemonParts): Route {
  return jsonRoute({
    method: 'POST',
    path: '/v1/connections/{name}/rename',
    operation: 'rename',
    summary: 'Gives it another name; takes a key that is good for all connections',
    access: { verb: 'manage', reach: 'all' },
    body: z.strictObject({ name: z.string() }),
    answer: status,
    handle: async ({ params, body }) => {
      await handleOf(parts, params).rename(body.name);
      return { connection: await parts.keeper.connection(body.name).status() };
    },
  });
}

function disconnectRoute(parts: DaemonParts): Route {
  return jsonRoute({
    method: 'POST',
    path: '/v1/connections/{name}/disconnect',
    operation: 'disconnect',
    summary: 'Revokes what the server lets us revoke, and forgets the tokens',
    access: manage,
    body: z.strictObject({ anyway: z.boolean().optional() }),
    answer: z.strictObject({ revoked: z.boolean(), removed: z.boolean(), message: z.string() }),
    handle: ({ params, body, signal }) =>
      handleOf(parts, params).disconnect({ anyway: body.anyway === true, signal }),
  });
}

/** The registration stays as it is; where a person must consent, a link is needed, which another route makes. */
function reconnectRoute(parts: DaemonParts): Route {
  return jsonRoute({
    method: 'POST',
    path: '/v1/connections/{name}/reconnect',
    operation: 'reconnect',
    summary: 'Renews the grant of a connection that needs nobody: one by client credentials',
    access: { ...manage, isFiledByRoute: true },
    body: z.strictObject({ scope: z.union([z.string(), z.array(z.string())]).optional() }),
    answer: status,
    handle: async ({ caller, params, body, signal }) => {
      const { name = '' } = params;
      const demand = { isRenewal: true, scope: body.scope };
      await admit(parts.audit, caller, { what: 'reconnect', connection: name, demand });
      const again = await parts.keeper.reconnect(name, {
        ...(body.scope !== undefined && { scope: body.scope }),
        signal,
      });
      return { connection: await again.status() };
    },
  });
}
