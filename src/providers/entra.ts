import { entraCodes } from './entra-codes.ts';
import type { Provider, RefusalAdvice } from './provider.ts';
import { standardErrors } from './standard-errors.ts';

const DAY_MS = 86_400_000;

/** What `suberror` adds to an `invalid_grant`: mostly whether signing in can help at all. */
const suberrors: Readonly<Record<string, RefusalAdvice>> = {
  basic_action: {
    actor: 'owner',
    cause: 'The server wants something that the sign-in pages can settle, such as a second factor.',
    remedy: 'Connect again and follow the pages.',
  },
  additional_action: {
    actor: 'owner',
    cause: 'The server wants something done outside of the sign-in, such as enrolling a device.',
    remedy: 'Connect again and do what the page asks.',
  },
  message_only: {
    actor: 'administrator',
    cause: 'A policy blocks the account; the sign-in pages would only say so.',
    remedy: 'Ask an administrator of the directory; signing in again will not help.',
  },
  consent_required: {
    actor: 'owner',
    cause: 'Consent to the scope asked for is missing or was withdrawn.',
    remedy: 'Connect again and consent, or let an administrator consent for all.',
  },
  user_password_expired: {
    actor: 'owner',
    cause: 'The password has expired.',
    remedy: 'Set a new password, then connect again.',
  },
  bad_token: {
    actor: 'owner',
    cause: 'This refresh token is of no use any more.',
    remedy: 'Connect again and sign in.',
  },
  token_expired: {
    actor: 'owner',
    cause: 'This refresh token has expired.',
    remedy: 'Connect again and sign in.',
  },
  client_mismatch: {
    actor: 'operator',
    cause: 'The refresh token was issued to another client.',
    remedy: 'Use the client id with which the connection was made, or connect again.',
  },
  device_authentication_failed: {
    actor: 'owner',
    cause: 'The device of the sign-in could not prove itself.',
    remedy: 'Register the device again, then connect again.',
  },
  protection_policy_required: {
    actor: 'administrator',
    cause: 'A policy wants an application protected by Intune.',
    remedy: 'Ask an administrator of the directory; signing in again will not help.',
  },
};

/** Microsoft Entra ID, v2.0 endpoints, any tenant. Using a refresh token does not end it, so a lost answer loses nothing. */
export const entra: Provider = {
  name: 'entra',
  title: 'Microsoft Entra ID (v2.0)',
  documentation: 'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow',
  issuer: 'https://login.microsoftonline.com/{entraTenantId}/v2.0',
  tokenEndpoint: 'https://login.microsoftonline.com/{entraTenantId}/oauth2/v2.0/token',
  authorizationEndpoint: 'https://login.microsoftonline.com/{entraTenantId}/oauth2/v2.0/authorize',
  deviceAuthorizationEndpoint:
    'https://login.microsoftonline.com/{entraTenantId}/oauth2/v2.0/devicecode',
  jwksUri: 'https://login.microsoftonline.com/{entraTenantId}/discovery/v2.0/keys',
  clientAuthentication: 'client_secret_post',
  rotation: 'reusable',
  idleLimitMs: 90 * DAY_MS,
  // Without `profile` an id token names the account by an id alone.
  scopes: { authorization: ['openid', 'profile', 'offline_access'], clientCredentials: [] },
  // It chooses the API by the scope; a refresh without one fails with AADSTS90009 or 900144.
  sendScopeOnRefresh: true,
  // The port is ignored for this host alone.
  loopbackHost: 'localhost',
  dialect: { throttleCodes: [50196] },
  adviceByCode: entraCodes,
  adviceBySuberror: suberrors,
  adviceByError: {
    ...standardErrors,
    invalid_resource: {
      actor: 'operator',
      cause: 'The API asked for is not known, or disabled, in this directory.',
      remedy: 'Check the scope and the Entra tenant.',
    },
  },
};
