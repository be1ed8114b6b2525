import type * as oauth4webapi from 'oauth4webapi';
import { ConfigurationError, ResponseInvalidError, ServerUnavailableError } from '../errors.ts';
import { formatScope } from '../oauth/scope.ts';
import type { Profile } from '../providers/profile.ts';
import type { Random } from '../system/random.ts';
import { refusedAuthorization } from './callback.ts';
import { libraryClientAuth, libraryOptions } from './oauth4webapi-fetch.ts';
import type { AuthorizeDeps, ObtainRequest } from './obtained.ts';

/** The values that tie a redirect and a code to the one attempt that asked for them. */
export interface Attempt {
  /** 256 bits. @see RFC 6749 section 10.12 */
  readonly state: string;
  /** 256 bits in 43 characters. @see RFC 7636 section 4.1 */
  readonly codeVerifier: string;
  /** 256 bits; undefined where no id token was asked for. */
  readonly nonce: string | undefined;
}

/** Draws the values of an attempt. */
export function newAttempt(random: Random, scopes: readonly string[]): Attempt {
  const draw = (): string => Buffer.from(random.bytes(32)).toString('base64url');
  return {
    state: draw(),
    codeVerifier: draw(),
    nonce: scopes.includes('openid') ? draw() : undefined,
  };
}

/**
 * Makes the address where the person signs in. Where the provider takes pushed requests, the request goes there first and the address
 * holds a reference alone.
 *
 * @throws {@link ConfigurationError} when the provider has no authorization endpoint.
 * @throws {@link EvergrantError} by who must act, when the pushed request fails.
 * @see RFC 6749 section 4.1.1
 * @see RFC 7636 section 4.3
 * @see RFC 9126
 */
export async function authorizationUrl(
  oauth: typeof oauth4webapi,
  deps: AuthorizeDeps,
  request: ObtainRequest & { readonly loginHint?: string | undefined },
  attempt: Attempt,
  redirectUri: string,
): Promise<string> {
  const { profile, clientId } = request;
  const url = new URL(requireAuthorizationEndpoint(profile));
  const parameters = {
    ...profile.authorizationParameters,
    ...(request.loginHint !== undefined && { login_hint: request.loginHint }),
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: formatScope(request.scopes),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(attempt.codeVerifier),
    code_challenge_method: 'S256',
  };
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => {
    return pair[1] !== undefined && pair[1] !== '';
  });
  const visible: (readonly [string, string])[] =
    profile.pushedAuthorizationRequestEndpoint === undefined
      ? given
      : [
          ['client_id', clientId],
          ['request_uri', await pushRequest(oauth, deps, request, given)],
        ];
  for (const [name, value] of visible) url.searchParams.set(name, value);
  return url.href;
}

/** The endpoint, or an error that says what is missing. */
export function requireAuthorizationEndpoint(profile: Profile): string {
  if (profile.authorizationEndpoint !== undefined) return profile.authorizationEndpoint;
  throw new ConfigurationError(
    'ERR_CONFIGURATION',
    `provider ${profile.name}: authorizationEndpoint is missing; give it, or issuer to discover it`,
  );
}

async function pushRequest(
  oauth: typeof oauth4webapi,
  deps: AuthorizeDeps,
  request: ObtainRequest,
  parameters: [string, string][],
): Promise<string> {
  const { profile, clientId, authentication } = request;
  const server: oauth4webapi.AuthorizationServer = {
    issuer: profile.issuer ?? 'unknown',
    pushed_authorization_request_endpoint: profile.pushedAuthorizationRequestEndpoint ?? '',
  };
  const client = { client_id: clientId };
  try {
    const response = await oauth.pushedAuthorizationRequest(
      server,
      client,
      libraryClientAuth(authentication),
      parameters,
      libraryOptions(oauth, deps, profile.insecureLoopback),
    );
    const answer = await oauth.processPushedAuthorizationResponse(server, client, response);
    return answer.request_uri;
  } catch (error) {
    deps.signal?.throwIfAborted();
    throw libraryFailure(oauth, error, 'pushed authorization request');
  }
}

/**
 * Translates what oauth4webapi or the network below it threw. The original stays behind, because it holds the answer.
 *
 * @param what - the exchange that failed, for the message.
 */
export function libraryFailure(oauth: typeof oauth4webapi, error: unknown, what: string): Error {
  if (error instanceof oauth.ResponseBodyError) {
    return refusedAuthorization(error.error, error.error_description, error.status);
  }
  if (error instanceof oauth.OperationProcessingError) {
    return new ResponseInvalidError(
      'ERR_RESPONSE_INVALID',
      `the answer to the ${what} broke the protocol (${error.message})`,
    );
  }
  const reason = error instanceof Error ? error.message : 'unknown reason';
  return new ServerUnavailableError(
    'ERR_SERVER_UNREACHABLE',
    `the ${what} got no answer (${reason}); try again`,
  );
}
