import * as z from 'zod';
import { jsonRoute, type Route } from '../api/route.ts';
import { clientStatus, secretBody } from '../api/schemas.ts';
import type { DaemonParts } from '../parts.ts';

const which = z.strictObject({ tokenEndpoint: z.string().optional() });

/** Registrations. They are shared by connections, so a key must be good for all of these. */
export function clientRoutes({ keeper, store }: DaemonParts): readonly Route[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/v1/clients',
      operation: 'listClients',
      summary: 'All registrations; no secret',
      access: { verb: 'read', reach: 'all' },
      answer: z.strictObject({ clients: z.array(clientStatus) }),
      handle: async () => ({ clients: await keeper.clients() }),
    }),
    jsonRoute({
      method: 'PUT',
      path: '/v1/clients/{clientId}/secret',
      operation: 'setClientSecret',
      summary: 'Replaces the secret of a registration; its connections are tried again',
      access: { verb: 'manage', reach: 'all' },
      body: secretBody,
      answer: z.strictObject({ connections: z.number() }),
      handle: async ({ params, body }) => ({
        connections: await keeper.setClientSecret(params['clientId'] ?? '', body.secret, {
          ...(body.tokenEndpoint !== undefined && { tokenEndpoint: body.tokenEndpoint }),
          ...(body.expiresAt !== undefined && { expiresAt: body.expiresAt }),
        }),
      }),
    }),
    jsonRoute({
      method: 'DELETE',
      path: '/v1/clients/{clientId}',
      operation: 'removeClient',
      summary: 'Forgets a registration that no connection uses, with its secret',
      access: { verb: 'manage', reach: 'all' },
      query: which,
      answer: z.strictObject({}),
      handle: async ({ params, query }) => {
        const { tokenEndpoint } = query;
        await keeper.removeClient(params['clientId'] ?? '', {
          ...(tokenEndpoint !== undefined && { tokenEndpoint }),
        });
        return {};
      },
    }),
    jsonRoute({
      method: 'GET',
      path: '/v1/endpoints',
      operation: 'listEndpoints',
      summary: 'What all processes of the store know of each token endpoint',
      access: { verb: 'read', reach: 'all' },
      answer: z.strictObject({
        endpoints: z.array(
          z.strictObject({
            endpoint: z.string(),
            failures: z.number(),
            blockedUntil: z.number(),
            blockedBecause: z.string().nullable(),
          }),
        ),
      }),
      handle: async () => ({
        endpoints: (await store.endpoints()).map((state) => ({
          endpoint: state.endpoint,
          failures: state.failures,
          blockedUntil: state.blockedUntil,
          blockedBecause: state.blockedBecause,
        })),
      }),
    }),
  ];
}
