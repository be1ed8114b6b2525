/** What an AADSTS number usually comes with. The texts are our own: clients must not depend on Entra's. */
export interface AadstsError {
  readonly error: string;
  readonly text: string;
  /** HTTP status; 400 when absent. */
  readonly status?: number;
  readonly suberror?: string;
  readonly claims?: string;
}

const policyClaims = JSON.stringify({
  access_token: {
    capolids: { essential: true, values: ['00000000-1111-4222-8333-444444444444'] },
  },
});

const interaction = 'interaction_required';
const badGrant = 'invalid_grant';
const badRequest = 'invalid_request';
const badClient = 'invalid_client';
const badScope = 'invalid_scope';
const badApp = 'unauthorized_client';
const transient = { error: 'temporarily_unavailable', status: 503 };

/** The numbers that matter to a client, each with the `error`, status and suberror it is seen with. */
export const aadstsErrors: ReadonlyMap<number, AadstsError> = new Map<number, AadstsError>([
  [16000, { error: interaction, text: 'Choose an account of this directory.' }],
  [28002, { error: badScope, text: 'The scope is not valid for this redemption.' }],
  [28003, { error: badScope, text: 'The scope of this redemption is empty.' }],
  [40008, { error: badGrant, text: 'The federated provider failed.' }],
  [40009, { error: badGrant, text: 'The federated provider refused its refresh token.' }],
  [40010, { ...transient, text: 'The federated provider failed for now.' }],
  [50001, { error: 'invalid_resource', text: 'The resource is disabled in this directory.' }],
  [500011, { error: 'invalid_resource', text: 'The resource is unknown in this directory.' }],
  [50011, { error: badRequest, text: 'The redirect URI is not registered for this client.' }],
  [500112, { error: badGrant, text: 'The redirect URI differs from the one of the request.' }],
  [50012, { error: badClient, status: 401, text: 'Client authentication failed.' }],
  [50013, { error: badGrant, text: 'The assertion is not valid.' }],
  [500133, { error: badGrant, text: 'The assertion is outside its time window.' }],
  [50014, { error: badGrant, text: 'The account is not complete in this directory.' }],
  [50020, { error: badGrant, text: 'The account of another provider is no guest here.' }],
  [50033, { ...transient, text: 'A transient fault.' }],
  [50034, { error: badGrant, text: 'The account does not exist in this directory.' }],
  [50053, { error: badGrant, text: 'The account is locked.' }],
  [
    50055,
    { error: badGrant, suberror: 'user_password_expired', text: 'The password has expired.' },
  ],
  [50057, { error: badGrant, text: 'The account is disabled.' }],
  [50058, { error: 'login_required', text: 'Nobody is signed in.' }],
  [50059, { error: badRequest, text: 'The request names no directory.' }],
  [50072, { error: interaction, text: 'The account must enrol for multi-factor authentication.' }],
  [50074, { error: interaction, text: 'Multi-factor authentication was not passed.' }],
  [
    50076,
    {
      error: badGrant,
      suberror: 'basic_action',
      claims: policyClaims,
      text: 'Multi-factor authentication is now required.',
    },
  ],
  [50078, { error: interaction, text: 'Multi-factor authentication has expired.' }],
  [50079, { error: interaction, text: 'The account must enrol for multi-factor authentication.' }],
  [50087, { ...transient, text: 'Strong authentication failed for now.' }],
  [50089, { error: badGrant, text: 'The flow token has expired.' }],
  [
    50097,
    {
      error: interaction,
      suberror: 'additional_action',
      text: 'Device authentication is required.',
    },
  ],
  [50105, { error: badGrant, text: 'The account is not assigned to this application.' }],
  [50126, { error: badGrant, text: 'The user name or password is wrong.' }],
  [50128, { error: badRequest, text: 'The request names no known domain.' }],
  [50131, { error: badGrant, suberror: 'message_only', text: 'Conditional access refused.' }],
  [50132, { error: badGrant, text: 'The session ended with a password change.' }],
  [50133, { error: badGrant, text: 'The session has expired.' }],
  [50140, { error: interaction, text: 'The sign-in was interrupted.' }],
  [
    50144,
    {
      error: badGrant,
      suberror: 'user_password_expired',
      text: 'The password has expired on premises.',
    },
  ],
  [50147, { error: badRequest, text: 'The code challenge is not valid.' }],
  [501481, { error: badGrant, text: 'The code verifier does not match the code challenge.' }],
  [501491, { error: badRequest, text: 'The code challenge or verifier is malformed.' }],
  [50158, { error: interaction, text: 'An external challenge is unmet.' }],
  [50173, { error: badGrant, text: 'The grant was revoked; a new one is needed.' }],
  [
    50194,
    { error: badRequest, text: 'This application serves one directory; use its own endpoint.' },
  ],
  [50196, { error: badGrant, text: 'The client sends the same request in a loop.' }],
  [50199, { error: interaction, text: 'The sign-in must be confirmed.' }],
  [51004, { error: badGrant, text: 'The account does not exist in this directory.' }],
  [
    53000,
    { error: interaction, suberror: 'additional_action', text: 'The device is not compliant.' },
  ],
  [53001, { error: interaction, suberror: 'additional_action', text: 'The device is not joined.' }],
  [
    53002,
    { error: interaction, suberror: 'additional_action', text: 'The application is not approved.' },
  ],
  [
    53003,
    { error: badGrant, suberror: 'message_only', text: 'Conditional access blocks this token.' },
  ],
  [53004, { error: interaction, text: 'Risk forbids this sign-in.' }],
  [530032, { error: badGrant, suberror: 'message_only', text: 'A security policy blocks this.' }],
  [530034, { error: badGrant, suberror: 'message_only', text: 'Risk blocks this.' }],
  [54005, { error: badGrant, text: 'The authorization code was already redeemed.' }],
  [
    65001,
    { error: badGrant, suberror: 'consent_required', text: 'Nobody has consented to this scope.' },
  ],
  [65004, { error: 'access_denied', text: 'The user refused consent.' }],
  [70000, { error: badGrant, text: 'The grant presented is not valid.' }],
  [70001, { error: badApp, text: 'The application is disabled.' }],
  [7000112, { error: badApp, text: 'The application is disabled.' }],
  [70002, { error: badClient, status: 401, text: 'The credentials are not valid.' }],
  [70003, { error: 'unsupported_grant_type', text: 'The grant type is not supported.' }],
  [70004, { error: badRequest, text: 'The redirect URI is not valid.' }],
  [700005, { error: badGrant, text: 'The code belongs to another directory.' }],
  [70008, { error: badGrant, text: 'The grant has expired or was revoked.' }],
  [70011, { error: badScope, text: 'The scope is not valid.' }],
  [70012, { error: 'server_error', status: 500, text: 'A server error.' }],
  [70016, { error: 'authorization_pending', text: 'Authorization is pending.' }],
  [70018, { error: 'bad_verification_code', text: 'The device code is not known.' }],
  [70019, { error: 'expired_token', text: 'The device code has expired.' }],
  [
    70043,
    { error: badGrant, text: 'The refresh token is too old for the sign-in frequency policy.' },
  ],
  [70044, { error: badGrant, text: 'The session is too old for the sign-in frequency policy.' }],
  [
    700003,
    {
      error: badGrant,
      suberror: 'device_authentication_failed',
      text: 'The device is gone from this directory.',
    },
  ],
  [700011, { error: badApp, text: 'The application does not exist in this directory.' }],
  [700016, { error: badApp, text: 'The application does not exist in this directory.' }],
  [700020, { error: interaction, text: 'This grant needs interaction.' }],
  [700022, { error: badScope, text: 'The scope spans several resources.' }],
  [700023, { error: badScope, text: 'The scope names no resource.' }],
  [
    700025,
    { error: badClient, status: 401, text: 'The client is public and must not authenticate.' },
  ],
  [
    700027,
    { error: badClient, status: 401, text: 'The signature of the client assertion is not valid.' },
  ],
  [700030, { error: badClient, status: 401, text: 'The subject of the certificate is not valid.' }],
  [700038, { error: badApp, text: 'The client id is not one.' }],
  [700081, { error: badGrant, text: 'The refresh token has passed its greatest age.' }],
  [
    700082,
    { error: badGrant, suberror: 'bad_token', text: 'The refresh token was idle for too long.' },
  ],
  [700084, { error: badGrant, text: 'The refresh token has passed its fixed life.' }],
  [7000114, { error: badGrant, text: 'The application may not act on behalf of a user.' }],
  [7000215, { error: badClient, status: 401, text: 'The client secret is wrong.' }],
  [
    7000216,
    { error: badClient, status: 401, text: 'The request has no client secret or assertion.' },
  ],
  [
    7000218,
    { error: badClient, status: 401, text: 'The request has no client secret or assertion.' },
  ],
  [7000222, { error: badClient, status: 401, text: 'The client secret has expired.' }],
  [90002, { error: badRequest, text: 'The directory was not found.' }],
  [90006, { ...transient, text: 'A transient fault.' }],
  [90009, { error: badGrant, text: 'The application asks for a token for itself.' }],
  [90012, { ...transient, text: 'The request took too long.' }],
  [90013, { error: badRequest, text: 'The input is not valid.' }],
  [90014, { error: badRequest, text: 'A field is missing.' }],
  [90015, { error: badRequest, text: 'The query is too long.' }],
  [90023, { error: badRequest, text: 'The request is not valid.' }],
  [90024, { ...transient, text: 'A transient fault.' }],
  [90025, { ...transient, text: 'The request budget is spent.' }],
  [90033, { ...transient, text: 'The directory service is down.' }],
  [90036, { error: 'server_error', status: 500, text: 'An unexpected server error.' }],
  [90055, { ...transient, text: 'The directory is throttled.' }],
  [90072, { error: interaction, text: 'The external account does not exist here.' }],
  [90090, { ...transient, text: 'A transient fault.' }],
  [90092, { error: 'server_error', status: 500, text: 'An unexpected server error.' }],
  [90094, { error: 'consent_required', text: 'An administrator must consent.' }],
  [90095, { error: 'consent_required', text: 'An administrator must consent.' }],
  [90100, { error: badRequest, text: 'A parameter is empty or not valid.' }],
  [90130, { error: badRequest, text: 'This application serves no such accounts.' }],
  [900144, { error: badRequest, text: 'A body parameter is missing.' }],
  [900561, { error: badRequest, text: 'The endpoint takes POST only.' }],
  [9000411, { error: badRequest, text: 'A parameter is given twice.' }],
  [9001023, { error: badRequest, text: 'The grant is not served on this endpoint.' }],
  [9002313, { error: badRequest, text: 'The request is malformed.' }],
  [
    9002326,
    { error: badRequest, text: 'Only single-page applications redeem tokens across origins.' },
  ],
  [135010, { error: badGrant, text: 'The device key was not found.' }],
  [135011, { error: badGrant, text: 'The device is disabled.' }],
]);
