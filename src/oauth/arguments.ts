import { ConfigurationError } from '../errors.ts';
import { Secret } from '../secret.ts';
import type { ClientAuthentication } from './outcome.ts';

/** A method of client authentication by its registered name. `client_secret_basic_raw` is ours. @see RFC 7591 section 2 */
export type ClientAuthenticationMethod = ClientAuthentication['method'];

/**
 * Checks an argument that is text.
 *
 * @throws {@link ConfigurationError} that names the argument when it is missing, empty or holds a control character.
 */
export function checkText(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '')
    throw argument(`${name} must be a non-empty string`);
  if (/\p{Cc}/u.test(value))
    throw argument(`${name} holds a line break or another control character; remove it`);
  return value;
}

/** As {@link checkText}, for a secret; one that is a {@link Secret} already is taken too. */
export function checkSecret(value: unknown, name: string): Secret {
  return new Secret(checkText(value instanceof Secret ? value.reveal() : value, name));
}

/**
 * Checks the verifier of a code challenge.
 *
 * @throws {@link ConfigurationError} when it is no 43 to 128 unreserved characters.
 * @see RFC 7636 section 4.1
 */
export function checkCodeVerifier(value: unknown): Secret {
  const verifier = checkSecret(value, 'codeVerifier');
  if (!/^[\w.~-]{43,128}$/.test(verifier.reveal()))
    throw argument('codeVerifier must be 43 to 128 of the characters A-Z a-z 0-9 - . _ ~');
  return verifier;
}

/**
 * Settles how the client proves itself: in the body when there is a secret, not at all when there is none, unless `method` says otherwise.
 *
 * @throws {@link ConfigurationError} when method and secret contradict each other.
 */
export function checkClientAuthentication(
  clientSecret: unknown,
  method: ClientAuthenticationMethod = clientSecret === undefined ? 'none' : 'client_secret_post',
): ClientAuthentication {
  switch (method) {
    case 'none':
      if (clientSecret === undefined) return { method };
      throw argument('clientSecret must be left out when clientAuthentication is none');
    case 'client_secret_post':
    case 'client_secret_basic':
    case 'client_secret_basic_raw':
      return { method, secret: checkSecret(clientSecret, 'clientSecret') };
    default:
      throw argument(`clientAuthentication ${JSON.stringify(method)} is not supported`);
  }
}

/** Checks a duration: milliseconds from 1 to what a timer can count. */
export function checkDuration(value: unknown, name: string): number {
  if (typeof value === 'number' && value >= 1 && value <= 2_147_483_647) return value;
  throw argument(`${name} must be a number of milliseconds from 1 to 2147483647`);
}

function argument(message: string): ConfigurationError {
  return new ConfigurationError('ERR_ARGUMENT', message);
}
