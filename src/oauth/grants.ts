import type { Secret } from '../secret.ts';
import type { TokenRequest } from './outcome.ts';
import { formatScope } from './scope.ts';

/** The parameters of a {@link TokenRequest}, in the order in which they are sent. */
export type GrantParameters = TokenRequest['parameters'];

/** Parameters that trade a refresh token. Without `scope` the server is asked for what was granted. @see RFC 6749 section 6 */
export function refreshTokenGrant(options: {
  readonly refreshToken: Secret;
  readonly scope?: readonly string[] | undefined;
}): GrantParameters {
  return {
    refresh_token: options.refreshToken,
    scope: formatScope(options.scope),
    grant_type: 'refresh_token',
  };
}

/** Parameters that trade an authorization code. @see RFC 6749 section 4.1.3 and RFC 7636 section 4.5 */
export function authorizationCodeGrant(options: {
  readonly code: Secret;
  readonly redirectUri: string;
  readonly codeVerifier?: Secret | undefined;
  readonly scope?: readonly string[] | undefined;
}): GrantParameters {
  return {
    code: options.code,
    redirect_uri: options.redirectUri,
    code_verifier: options.codeVerifier,
    scope: formatScope(options.scope),
    grant_type: 'authorization_code',
  };
}

/** Parameters by which a client asks for a token of its own. @see RFC 6749 section 4.4.2 */
export function clientCredentialsGrant(options: {
  readonly scope?: readonly string[] | undefined;
}): GrantParameters {
  return { scope: formatScope(options.scope), grant_type: 'client_credentials' };
}

/** Parameters that ask whether the person at the other device has decided. @see RFC 8628 section 3.4 */
export function deviceCodeGrant(options: { readonly deviceCode: Secret }): GrantParameters {
  return {
    device_code: options.deviceCode,
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
  };
}
