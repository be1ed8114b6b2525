import { json, type Answer } from '../http/answer.ts';
import type { Endpoint, Exchange } from '../http/exchange.ts';
import { issuerOf, type AuthorizationServer } from '../server.ts';

const cacheable = { 'Cache-Control': 'max-age=86400, private' };

/**
 * The directory's OpenID document with the members that Entra's has, and without those it lacks: nothing of PKCE, grant types, RFC 9207
 * or revocation, unless an option announces them.
 *
 * @see OpenID Connect Discovery 1.0 section 4
 */
export function discovery({ server }: Exchange): Answer {
  return json(200, metadataOf(server, server.settings.entraTenantId, issuerOf(server)), cacheable);
}

/** The document of a path that stands for every directory: its issuer is a pattern, not a name. */
export function commonDiscovery(tenant: string): Endpoint {
  return ({ server }) =>
    json(200, metadataOf(server, tenant, `${server.origin}/{tenantid}/v2.0`), cacheable);
}

const claimNames = [
  'sub',
  'iss',
  'aud',
  'exp',
  'iat',
  'nonce',
  'preferred_username',
  'name',
  'tid',
  'ver',
  'email',
];

function metadataOf(server: AuthorizationServer, tenant: string, issuer: string): object {
  const directory = `${server.origin}/${tenant}`;
  const { announceIss, revocationEndpoint } = server.settings;
  return {
    token_endpoint: `${directory}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: [
      'client_secret_post',
      'private_key_jwt',
      'client_secret_basic',
    ],
    jwks_uri: `${directory}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer,
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${server.origin}/oidc/userinfo`,
    authorization_endpoint: `${directory}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${directory}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${directory}/oauth2/v2.0/logout`,
    claims_supported: claimNames,
    tenant_region_scope: 'OC',
    cloud_instance_name: new URL(server.origin).host,
    ...(announceIss ? { authorization_response_iss_parameter_supported: true } : {}),
    ...(revocationEndpoint ? { revocation_endpoint: `${directory}/oauth2/v2.0/revoke` } : {}),
  };
}

/** Tells MSAL that this host is an authority of its own. */
export function instanceDiscovery({ server, request, note }: Exchange): Answer {
  const asked = request.query.get('authorization_endpoint') ?? '';
  const { host } = new URL(server.origin);
  if (!asked.startsWith(`${server.origin}/`)) {
    note({ outcome: 'invalid_instance' });
    return json(400, { error: 'invalid_instance', error_description: 'Unknown authority.' });
  }
  const tenant = asked.slice(server.origin.length + 1).split('/')[0] ?? '';
  return json(200, {
    tenant_discovery_endpoint: `${server.origin}/${tenant}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}
