import type { Provider } from './provider.ts';
import { standardErrors } from './standard-errors.ts';

/** Any server that follows the standards. Nothing is known of its habits, so the worst is assumed: a refresh token is good once. */
export const generic: Provider = {
  name: 'generic',
  title: 'Any OAuth 2.0 authorization server',
  documentation: 'https://www.rfc-editor.org/rfc/rfc6749',
  clientAuthentication: 'client_secret_basic',
  rotation: 'unknown',
  scopes: { authorization: [], clientCredentials: [] },
  // An absent scope means "as granted", which every server must understand.
  sendScopeOnRefresh: false,
  loopbackHost: '127.0.0.1',
  dialect: {
    // Names that well-known servers use in place of the standard ones.
    errorAliases: {
      bad_refresh_token: 'invalid_grant',
      invalid_refresh_token: 'invalid_grant',
      BAD_REFRESH_TOKEN: 'invalid_grant',
      incorrect_client_credentials: 'invalid_client',
    },
  },
  adviceByError: standardErrors,
};
