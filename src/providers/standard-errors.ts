import type { RefusalAdvice } from './provider.ts';

/** Advice by `error`, as the standards define it; providers add what they mean beyond. @see RFC 6749 section 5.2 */
export const standardErrors: Readonly<Record<string, RefusalAdvice>> = {
  invalid_grant: {
    actor: 'owner',
    cause:
      'The server no longer accepts the grant: it expired, was revoked, or belongs to another client.',
    remedy: 'Connect again and sign in.',
  },
  interaction_required: {
    actor: 'owner',
    cause: 'The server wants to ask the person something.',
    remedy: 'Connect again and follow the pages.',
  },
  login_required: {
    actor: 'owner',
    cause: 'The server wants a new sign-in.',
    remedy: 'Connect again and sign in.',
  },
  consent_required: {
    actor: 'owner',
    cause: 'Consent to the scope asked for is missing.',
    remedy: 'Connect again and consent.',
  },
  access_denied: {
    actor: 'owner',
    cause: 'The person, or a rule of the server, declined.',
    remedy: 'Connect again and accept, if that was a mistake.',
  },
  invalid_client: {
    actor: 'operator',
    cause:
      'The client did not prove itself: its id, secret or way of authentication is wrong, or the secret has expired.',
    remedy: 'Check the registration and set the secret again. The grant is kept.',
  },
  unauthorized_client: {
    actor: 'operator',
    cause: 'This client may not use this grant type here.',
    remedy: 'Check the registration of the client and the token endpoint.',
  },
  unsupported_grant_type: {
    actor: 'operator',
    cause: 'The server does not know this grant type.',
    remedy: 'Check the token endpoint.',
  },
  invalid_scope: {
    actor: 'operator',
    cause: 'The scope is unknown, badly written, or more than was granted.',
    remedy: 'Correct the scope, or connect again to be granted more.',
  },
  invalid_target: {
    actor: 'operator',
    cause: 'The server does not know the resource asked for.',
    remedy: 'Correct the resource or audience.',
  },
  invalid_request: {
    actor: 'operator',
    cause: 'The server found the request malformed.',
    remedy: 'Check the settings of client and provider.',
  },
  temporarily_unavailable: {
    actor: 'nobody',
    cause: 'The server is overloaded or under maintenance.',
    remedy: 'Wait; it is tried again by itself.',
  },
  server_error: {
    actor: 'nobody',
    cause: 'The server failed.',
    remedy: 'Wait; it is tried again by itself.',
  },
};
