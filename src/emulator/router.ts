import { authorize } from './endpoints/authorize.ts';
import { signIn } from './endpoints/sign-in.ts';
import { token } from './endpoints/token.ts';
import type { Endpoint } from './http/exchange.ts';
import type { EndpointName } from './ledger.ts';
import type { Settings } from './settings.ts';
import { Refusal } from './refusal.ts';

/** An endpoint and the name the ledger and the faults know it by. */
export interface Route {
  readonly name: EndpointName;
  readonly endpoint: Endpoint;
}

/** Finds the endpoint for a path of the authorization server. */
export function createRouter({ entraTenantId }: Settings): (path: string) => Route {
  const tenantRoutes = new Map<string, Route>([
    ['/oauth2/v2.0/authorize', { name: 'authorize', endpoint: authorize }],
    ['/sign-in', { name: 'sign-in', endpoint: signIn }],
    ['/oauth2/v2.0/token', { name: 'token', endpoint: token }],
  ]);
  return (path) => {
    const [, tenant = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(path) ?? [];
    const route = tenantRoutes.get(rest);
    if (route === undefined) return unknown;
    return tenant.toLowerCase() === entraTenantId.toLowerCase()
      ? route
      : { ...route, endpoint: refuseTenant(tenant) };
  };
}

const unknown: Route = {
  name: 'unknown',
  endpoint: () => ({ status: 404, headers: {}, body: '' }),
};

function refuseTenant(tenant: string): Endpoint {
  return () => {
    if (['common', 'organizations', 'consumers'].includes(tenant)) throw new Refusal(50194);
    throw new Refusal(90002, { text: `The directory '${tenant}' was not found.` });
  };
}
