import { adminConsent } from './endpoints/admin-consent.ts';
import { authorize } from './endpoints/authorize.ts';
import { deviceCode } from './endpoints/device-code.ts';
import { deviceSignIn } from './endpoints/device-sign-in.ts';
import { commonDiscovery, discovery, instanceDiscovery } from './endpoints/discovery.ts';
import { errorLookup } from './endpoints/error-lookup.ts';
import { keys } from './endpoints/keys.ts';
import { logout } from './endpoints/logout.ts';
import { revocation } from './endpoints/revocation.ts';
import { signIn } from './endpoints/sign-in.ts';
import { token } from './endpoints/token.ts';
import { userinfo } from './endpoints/userinfo.ts';
import type { Endpoint } from './http/exchange.ts';
import type { EndpointName } from './ledger-entry.ts';
import { Refusal } from './refusal.ts';
import type { Settings } from './settings.ts';

/** An endpoint and the name the ledger and the faults know it by. */
export interface Route {
  readonly name: EndpointName;
  readonly endpoint: Endpoint;
}

const directoryRoutes = new Map<string, Route>([
  ['/oauth2/v2.0/authorize', { name: 'authorize', endpoint: authorize }],
  ['/sign-in', { name: 'sign-in', endpoint: signIn }],
  ['/oauth2/v2.0/token', { name: 'token', endpoint: token }],
  ['/oauth2/v2.0/devicecode', { name: 'device-code', endpoint: deviceCode }],
  ['/oauth2/v2.0/logout', { name: 'logout', endpoint: logout }],
  ['/v2.0/.well-known/openid-configuration', { name: 'discovery', endpoint: discovery }],
  ['/discovery/v2.0/keys', { name: 'keys', endpoint: keys }],
  ['/adminconsent', { name: 'admin-consent', endpoint: adminConsent }],
]);

const hostRoutes = new Map<string, Route>([
  ['/common/discovery/instance', { name: 'instance-discovery', endpoint: instanceDiscovery }],
  ['/common/oauth2/deviceauth', { name: 'device-sign-in', endpoint: deviceSignIn }],
  ['/oidc/userinfo', { name: 'userinfo', endpoint: userinfo }],
  ['/error', { name: 'error-lookup', endpoint: errorLookup }],
]);

const unknown: Route = {
  name: 'unknown',
  endpoint: ({ note }) => {
    note({ outcome: 'not_found' });
    return { status: 404, headers: {}, body: '' };
  },
};

const everybody = new Set(['common', 'organizations', 'consumers']);

/** Finds the endpoint for a path of the authorization server. */
export function createRouter({
  entraTenantId,
  revocationEndpoint,
}: Settings): (path: string) => Route {
  const routes = new Map(directoryRoutes);
  if (revocationEndpoint) {
    routes.set('/oauth2/v2.0/revoke', { name: 'revocation', endpoint: revocation });
  }
  return (path) => {
    const [, tenant = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(path) ?? [];
    const route = hostRoutes.get(path) ?? routes.get(rest) ?? unknown;
    if (route === unknown || hostRoutes.has(path)) return route;
    if (tenant.toLowerCase() === entraTenantId.toLowerCase()) return route;
    return { name: route.name, endpoint: elsewhere(tenant, route.name) };
  };
}

/** What an endpoint says under the name of another directory, or under a name that stands for all of them. */
function elsewhere(tenant: string, name: EndpointName): Endpoint {
  if (everybody.has(tenant)) {
    if (name === 'discovery') return commonDiscovery(tenant);
    if (name === 'keys') return keys;
    return () => {
      throw new Refusal(50194);
    };
  }
  return () => {
    throw new Refusal(90002, { text: `The directory '${tenant}' was not found.` });
  };
}
