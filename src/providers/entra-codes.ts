import type { RefusalAdvice } from './provider.ts';

/*
 * What Entra's AADSTS codes mean for a refresh and who can help. Advice for people only: the vendor changes codes without notice, so no
 * code here decides anything. The one that does, 50196, stands in the dialect.
 */

type Actor = RefusalAdvice['actor'];
type Row = readonly [codes: readonly number[], actor: Actor, cause: string, remedy: string];

const SIGN_IN = 'Connect again and sign in.';
const WAIT = 'Wait; it is tried again by itself.';
const ASK_ADMIN = 'Ask an administrator of the directory; signing in again will not help.';
const REPORT = 'Report it as a defect of evergrant, with the trace id.';
const REGISTER_DEVICE =
  'Let an administrator check how the device is registered, then connect again.';

// A table is read by rows.
// prettier-ignore
const ROWS: readonly Row[] = [
  // The person
  [[16000], 'owner', 'The account that signed in is not known in this directory.', 'Connect again and choose an account of the directory.'],
  [[40009], 'owner', 'The organisation that vouches for the account ended its session.', SIGN_IN],
  [[50055, 50144], 'owner', 'The password has expired.', 'Set a new password, then connect again.'],
  [[50125, 50135], 'owner', 'The password must be changed first.', 'Change the password, then connect again.'],
  [[50126], 'owner', 'User name or password is wrong.', 'Connect again and sign in with the right ones.'],
  [[50058], 'owner', 'Nobody is signed in in this browser.', SIGN_IN],
  [[50072, 50079], 'owner', 'The account must be enrolled for multi-factor authentication.', 'Connect again and follow the enrolment.'],
  [[50074], 'owner', 'The second factor was not given.', 'Connect again and confirm the second factor.'],
  [[50076], 'owner', 'A second factor is wanted now, for instance because a policy or the place changed.', 'Connect again and confirm the second factor.'],
  [[50078], 'owner', 'The last multi-factor sign-in is too long ago.', 'Connect again and confirm the second factor.'],
  [[50085], 'owner', 'The account signs in through another provider, which wants a new sign-in.', SIGN_IN],
  [[50089], 'owner', 'The sign-in took too long.', 'Connect again and finish without a break.'],
  [[50132, 50133], 'owner', 'The session ended, by a changed password or by its age.', SIGN_IN],
  [[50140, 50199], 'owner', 'The sign-in stopped at a question to the person.', 'Connect again and answer the question on the page.'],
  [[50143], 'owner', 'The session belongs to an account of another domain.', 'Connect again with the account that was meant.'],
  [[50158], 'owner', 'A check by an outside service was not passed.', 'Connect again and pass the check.'],
  [[50173], 'owner', 'All sign-ins of this account were revoked, by the person or an administrator.', SIGN_IN],
  [[65001], 'owner', 'Consent to the scope asked for is missing. The sign-in has not expired.', 'Connect again and consent, or let an administrator consent for all.'],
  [[65004], 'owner', 'The person declined to consent.', 'Connect again and accept, if that was a mistake.'],
  [[70000], 'owner', 'The server does not accept this refresh token.', SIGN_IN],
  [[70008], 'owner', 'The grant has expired or was revoked.', SIGN_IN],
  [[70018], 'owner', 'The device code is wrong.', 'Begin the device sign-in again.'],
  [[70019], 'owner', 'The device code has expired.', 'Begin the device sign-in again and finish it in time.'],
  [[70043, 70044], 'owner', 'A policy of the directory wants a new sign-in every so often.', `${SIGN_IN} Expect it again on the schedule of the policy.`],
  [[700020], 'owner', 'This grant needs a person.', SIGN_IN],
  [[700081], 'owner', 'The refresh token has reached its greatest age.', SIGN_IN],
  [[700082], 'owner', 'The refresh token was not used for 90 days and has expired.', `${SIGN_IN} Renewal in the background keeps it from happening again.`],
  [[700084], 'owner', 'The refresh token belongs to a browser application and lives for one day only.', 'Connect again, with a redirect URI that is not registered as a single-page application.'],
  [[700003], 'owner', 'The device of the sign-in is no longer known to the directory.', 'Register the device again, then connect again.'],
  [[140000, 140001], 'owner', 'The session key of the device is not accepted.', 'Sign in to the device again, then connect again.'],

  // An administrator of the directory
  [[40008], 'administrator', 'The organisation that vouches for the account failed for good.', ASK_ADMIN],
  [[50014, 50034, 51004], 'administrator', 'The account is not in the directory.', 'Ask an administrator to add the account, or connect again with another one.'],
  [[50020], 'administrator', 'The account belongs to another organisation and is no guest here.', 'Ask an administrator to invite it, or connect again with another one.'],
  [[50053], 'administrator', 'The account is locked, or the requests come from an address with a bad name.', 'Wait some hours; if it stays so, ask an administrator to unlock the account.'],
  [[50057], 'administrator', 'The account is disabled.', 'Ask an administrator to enable it, or connect again with another one.'],
  [[50097, 50129, 50155, 50187], 'administrator', 'The device could not prove itself.', REGISTER_DEVICE],
  [[50105], 'administrator', 'The account is not assigned to the application.', 'Ask an administrator to assign it.'],
  [[50131], 'administrator', 'A conditional-access policy refused the request.', ASK_ADMIN],
  [[53000, 53001, 53002], 'administrator', 'A policy wants a compliant or joined device, or an approved application.', ASK_ADMIN],
  [[53003], 'administrator', 'A conditional-access policy blocks this sign-in.', ASK_ADMIN],
  [[53004, 53010, 53011], 'administrator', 'The account is held back because of risk, or may not enrol a second factor here.', ASK_ADMIN],
  [[530032, 530034, 530035], 'administrator', 'A security policy of the directory blocks the account or the request.', ASK_ADMIN],
  [[530084], 'administrator', 'A token-protection policy refuses tokens that are not bound to a device.', ASK_ADMIN],
  [[70001, 7000112], 'administrator', 'The application is disabled in the directory.', 'Ask an administrator to enable the application.'],
  [[90055], 'administrator', 'The whole directory is throttled or blocked.', 'Wait some hours; if it stays so, ask an administrator to call the vendor.'],
  [[90072], 'administrator', 'An account of another organisation cannot pass the second factor here.', 'Ask an administrator to admit it, or connect again with another one.'],
  [[90094, 90095], 'administrator', 'Only an administrator may consent to this.', 'Ask an administrator to consent for the application.'],
  [[90036, 90092], 'administrator', 'The server failed for good.', 'Give the trace id to the support of the vendor.'],
  [[135010, 135011], 'administrator', 'The device is disabled, or its key is missing.', REGISTER_DEVICE],
  [[80001, 80002, 80003, 80004, 80005, 80006, 80007, 80008, 80009, 80010, 80011, 80012, 80013, 80014], 'administrator', 'The service that checks passwords inside the organisation does not answer or refused.', 'Ask an administrator to check the authentication agents; short failures pass by themselves.'],

  // The operator of the client: registration and settings
  [[28002, 28003], 'operator', 'The scope is empty or not valid for this request.', 'Correct the scope.'],
  [[50001, 500011], 'operator', 'The API asked for is not known, or disabled, in this directory.', 'Check the scope and the Entra tenant; an administrator may have to enable the API.'],
  [[50011, 70004], 'operator', 'The redirect URI is not registered.', 'Register it to the letter, or change the setting.'],
  [[50012], 'operator', 'The client did not prove itself.', 'Check the secret or the certificate of the client.'],
  [[50059, 50128], 'operator', 'The request names no directory.', 'Set the Entra tenant.'],
  [[50194, 9001023, 90130], 'operator', 'This application may not use the shared address of all directories.', 'Set the Entra tenant.'],
  [[65005, 650052, 650054, 650056, 650057], 'operator', 'The application is not registered for this API or its permissions.', 'Add the permissions to the registration; an administrator may have to consent.'],
  [[70002], 'operator', 'The credentials of the client are wrong.', 'Check client id and secret.'],
  [[70011], 'operator', 'The scope is unknown, badly written, or mixes several APIs.', 'Correct the scope: one API, no quotes, not percent-encoded.'],
  [[700005], 'operator', 'The code was issued by another directory.', 'Use one Entra tenant for sign-in and exchange.'],
  [[700011, 700016], 'operator', 'The application does not exist in this directory.', 'Check client id and Entra tenant.'],
  [[700022, 700023], 'operator', 'The scope names several APIs, or none.', 'Ask for scopes of exactly one API.'],
  [[700025], 'operator', 'The application is registered as public, yet a secret was sent.', 'Set the client authentication to none.'],
  [[700027, 700030], 'operator', 'The signed assertion of the client does not verify.', 'Check key and certificate of the client.'],
  [[700038], 'operator', 'The client id is no application id.', 'Check the client id; it may still be a placeholder.'],
  [[7000114], 'operator', 'The application may not act on behalf of others.', 'Change the registration of the application.'],
  [[7000215], 'operator', 'The secret of the client is wrong.', 'Set the secret again: its value, not its id. The grant is kept.'],
  [[7000216, 7000218], 'operator', 'No secret was sent, but the application must prove itself.', 'Set the secret of the client.'],
  [[7000222], 'operator', 'The secret of the client has expired.', 'Make a new secret and set it. The grant is kept.'],
  [[90002], 'operator', 'There is no such directory.', 'Check the Entra tenant.'],
  [[90009], 'operator', 'The application asked for a token for itself, which happens when no scope is sent.', 'Send the scope of the API.'],

  // The operator: requests that should not have been made
  [[50013, 500133], 'operator', 'A signed assertion is not valid, or outside of its time.', 'Check the clock of this machine.'],
  [[50147, 501481, 501491], 'operator', 'Code verifier and challenge do not fit each other.', REPORT],
  [[54005], 'operator', 'The code was used before.', 'Connect again.'],
  [[70003], 'operator', 'The server does not know this grant type.', 'Check the token endpoint.'],
  [[90013, 90014, 90023, 90100], 'operator', 'The request holds missing or unexpected values.', 'Check extra parameters and settings.'],
  [[90015], 'operator', 'The request is too long.', 'Ask for fewer scopes at once.'],
  [[900144], 'operator', 'A parameter is missing from the request.', 'Check the settings; a refresh here must name its scope.'],
  [[900561], 'operator', 'The address wants another HTTP method.', 'Check the token endpoint.'],
  [[9002313], 'operator', 'The request, or the token in it, is malformed.', 'Check that token and secret were copied whole.'],
  [[240002], 'operator', 'An id token cannot be traded here.', REPORT],

  // Nobody: it passes
  [[40010], 'nobody', 'The organisation that vouches for the account failed for the moment.', WAIT],
  [[50033, 90006, 90012, 90024, 90090], 'nobody', 'The server failed for the moment.', WAIT],
  [[50087, 50088], 'nobody', 'The service for second factors failed, or hit a limit, for the moment.', WAIT],
  [[50196], 'nobody', 'The server has seen too many equal requests and wants fewer.', `${WAIT} If it comes back, look for another program that refreshes with the same client.`],
  [[70012], 'nobody', 'The server for personal accounts failed for the moment.', WAIT],
  [[70016], 'nobody', 'The person has not finished the device sign-in.', WAIT],
  [[90025], 'nobody', 'The server is busy.', WAIT],
  [[90033], 'nobody', 'The directory service is down for the moment.', WAIT],
];

/** Advice by AADSTS code. */
export const entraCodes: Readonly<Record<number, RefusalAdvice>> = Object.fromEntries(
  ROWS.flatMap(([codes, actor, cause, remedy]) =>
    codes.map((code) => [code, { actor, cause, remedy }] as const),
  ),
);
