import type { Caller } from '../access/caller.ts';
import { refusalOf } from '../access/policy.ts';
import { forbidden } from '../access/reach.ts';
import { streamRoute, type Route, type RouteHead } from '../api/route.ts';
import type { DaemonParts } from '../parts.ts';
import { createProxy, type Admit, type ProxyCall } from '../proxy/proxy.ts';

const METHODS: readonly RouteHead['method'][] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
];

/** Calls of an API with the connection's credentials, by every method. */
export function proxyRoutes(parts: DaemonParts): readonly Route[] {
  const proxy = createProxy(parts);
  return METHODS.map((method) =>
    streamRoute({
      method,
      path: '/proxy/{name}/{*}',
      operation: `proxy${method}`,
      summary: "Calls the connection's API",
      access: { verb: 'proxy', reach: 'named' },
      type: '*/*',
      isQueryForeign: true,
      stream: async ({ request, response, caller, signal }) => {
        await proxy(request, response, { admit: admission(parts, caller), signal });
      },
    }),
  );
}

/** Asks the caller's policy about the call itself, and files it before it is made. */
function admission({ audit }: DaemonParts, caller: Caller): Admit {
  return async ({ connection, ...call }: ProxyCall) => {
    const refusal =
      caller.policy === undefined
        ? undefined
        : refusalOf(caller.policy, { verb: 'proxy', connection, call });
    const what = `${call.method} ${call.host}${call.path}`;
    await audit.record({ caller, connection, verb: 'proxy', what, refusedBecause: refusal });
    if (refusal === undefined) return;
    throw forbidden(refusal);
  };
}
