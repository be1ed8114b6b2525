import * as z from 'zod';
import { admit } from '../access/reach.ts';
import { jsonRoute, type Route } from '../api/route.ts';
import { clientCredentialsBody, connectionStatus, importBody } from '../api/schemas.ts';
import type { AddOptions, BeginOptions, ConnectOptions } from '../../keeper-api.ts';
import type { DaemonParts } from '../parts.ts';

const beginBody = z.union([importBody, clientCredentialsBody]);

/** Beginning a connection that needs no person: by import, or as the client itself. */
export function beginRoutes({ keeper, audit }: DaemonParts): readonly Route[] {
  return [
    jsonRoute({
      method: 'POST',
      path: '/v1/connections',
      operation: 'begin',
      summary: 'Imports tokens obtained elsewhere, or connects as the client itself',
      access: { verb: 'manage', reach: 'some', isFiledByRoute: true },
      body: beginBody,
      answer: z.strictObject({ connection: connectionStatus }),
      handle: async ({ caller, body, signal }) => {
        const { name, ...rest } = body;
        const isRenewal = 'tokens' in rest ? rest.replace === true : rest.reconnect === true;
        const demand = { isRenewal, registration: rest as BeginOptions };
        await admit(audit, caller, { what: 'begin', connection: name, demand });
        const connection =
          'tokens' in rest
            ? await keeper.add(name, { ...rest, signal } as AddOptions)
            : await keeper.connect(name, { ...rest, signal } as ConnectOptions);
        return { connection: await connection.status() };
      },
    }),
  ];
}
