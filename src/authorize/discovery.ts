import type * as oauth4webapi from 'oauth4webapi';
import { ConfigurationError, ResponseInvalidError } from '../errors.ts';
import type { ProfileOverrides } from '../providers/profile.ts';
import { libraryFailure } from './authorization-request.ts';
import { libraryOptions } from './oauth4webapi-fetch.ts';
import type { AuthorizeDeps } from './obtained.ts';

/** What a server says about itself, as overrides of a profile. The caller pins them: they are not asked for again. */
export type Discovered = Pick<
  ProfileOverrides,
  | 'issuer'
  | 'tokenEndpoint'
  | 'authorizationEndpoint'
  | 'deviceAuthorizationEndpoint'
  | 'pushedAuthorizationRequestEndpoint'
  | 'authorizationResponseIss'
  | 'revocationEndpoint'
  | 'jwksUri'
  | 'clientAuthentication'
>;

/**
 * Asks a server for its endpoints, first where OpenID Connect has them, then where RFC 8414 does.
 *
 * @param issuer - the issuer identifier, to the letter.
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` when the issuer is no https URL.
 * @throws {@link ResponseInvalidError} `ERR_DISCOVERY_INVALID` when the document is missing, no metadata, or of another issuer.
 * @throws {@link ServerUnavailableError} when the server cannot be reached.
 * @see RFC 8414 section 3
 */
export async function discover(
  deps: AuthorizeDeps,
  issuer: string,
  options: { readonly insecureLoopback?: boolean } = {},
): Promise<Discovered> {
  deps.signal?.throwIfAborted();
  const url = checkIssuer(issuer, options.insecureLoopback ?? false);
  const oauth = await import('oauth4webapi');
  const metadata = (await ask(oauth, deps, url, 'oidc')) ?? (await ask(oauth, deps, url, 'oauth2'));
  if (metadata === undefined) throw invalid(issuer, 'no metadata is published there');
  // The library compares normalised URLs, the standard plain strings.
  if (metadata.issuer !== issuer) throw invalid(issuer, 'the metadata is of another issuer');
  return describe(issuer, metadata);
}

function checkIssuer(issuer: string, insecureLoopback: boolean): URL {
  const url = URL.parse(issuer);
  const isPlainLoopback =
    insecureLoopback && /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(\/|$)/.test(issuer);
  // What a URL parser drops without a word would still be in every message.
  const isClean = url?.username === '' && url.password === '' && !/[?#\s\p{C}]/u.test(issuer);
  if (url !== null && isClean && (url.protocol === 'https:' || isPlainLoopback)) return url;
  throw new ConfigurationError(
    'ERR_ARGUMENT',
    'issuer must be an https URL without credentials, query, fragment, space and control character',
  );
}

async function ask(
  oauth: typeof oauth4webapi,
  deps: AuthorizeDeps,
  issuer: URL,
  algorithm: 'oidc' | 'oauth2',
): Promise<oauth4webapi.AuthorizationServer | undefined> {
  try {
    const response = await oauth.discoveryRequest(issuer, {
      algorithm,
      ...libraryOptions(oauth, deps, issuer.protocol === 'http:'),
    });
    if (response.status >= 400 && response.status < 500) return undefined;
    return await oauth.processDiscoveryResponse(issuer, response);
  } catch (error) {
    deps.signal?.throwIfAborted();
    const failure = libraryFailure(oauth, error, 'discovery request');
    throw failure instanceof ResponseInvalidError ? invalid(issuer.href, failure.message) : failure;
  }
}

function describe(issuer: string, metadata: oauth4webapi.AuthorizationServer): Discovered {
  if (typeof metadata.token_endpoint !== 'string') {
    throw invalid(issuer, 'the metadata names no token endpoint');
  }
  const addresses = {
    authorizationEndpoint: metadata.authorization_endpoint,
    deviceAuthorizationEndpoint: metadata.device_authorization_endpoint,
    pushedAuthorizationRequestEndpoint: metadata.pushed_authorization_request_endpoint,
    revocationEndpoint: metadata.revocation_endpoint,
    jwksUri: metadata.jwks_uri,
  };
  return {
    issuer,
    tokenEndpoint: metadata.token_endpoint,
    authorizationResponseIss: metadata.authorization_response_iss_parameter_supported === true,
    clientAuthentication: chooseAuthentication(metadata.token_endpoint_auth_methods_supported),
    ...Object.fromEntries(
      Object.entries(addresses).filter(([, address]) => typeof address === 'string'),
    ),
  };
}

/** The body is safer than Basic, whose encoding many servers get wrong; absence means Basic. @see RFC 8414 section 2 */
function chooseAuthentication(methods: unknown): 'client_secret_post' | 'client_secret_basic' {
  const takesPost = Array.isArray(methods) && methods.includes('client_secret_post');
  return takesPost ? 'client_secret_post' : 'client_secret_basic';
}

function invalid(issuer: string, fault: string): ResponseInvalidError {
  return new ResponseInvalidError(
    'ERR_DISCOVERY_INVALID',
    `the endpoints of ${issuer} cannot be discovered: ${fault}; check the issuer, or give the endpoints`,
  );
}
