import type { AddOptions, BeginOptions, ClientOptions, SecretInput } from '../keeper-api.ts';
import { checkObject, secretOf, wrongArgument } from '../system/arguments.ts';

/*
 * What a caller hands in to be sent later as it is. A copy spoilt on its way here would fail long afterwards, at a server that cannot tell
 * why; so it is refused before anything is stored. So is what only JavaScript lets through: a row that holds a number where it was sealed with
 * one comes back as text, and would count as altered.
 */

/** The last that JavaScript can tell as a date (ECMA-262, section 21.4.1.1). */
const LAST_INSTANT = 8.64e15;

const AUTHENTICATIONS: readonly unknown[] = [
  'none',
  'client_secret_post',
  'client_secret_basic',
  'client_secret_basic_raw',
] satisfies readonly ClientOptions['authentication'][];

/**
 * Checks the registration of a beginning, its secrets and settings that must be sent in a header field or are tokens, and instants.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` that names the option and what is wrong with it, never its value.
 */
export function checkGiven(options: BeginOptions): void {
  checkObject(options, 'options');
  const { client, overrides, subscriptionKey, perspioTenantId } = options;
  checkObject(client, 'client');
  checkText(client.clientId, 'clientId');
  const { authentication, clientSecretExpiresAt } = client;
  if (authentication !== undefined && !AUTHENTICATIONS.includes(authentication)) {
    throw wrongArgument(`authentication is none of ${AUTHENTICATIONS.join(', ')}`);
  }
  checkInstant(clientSecretExpiresAt, 'clientSecretExpiresAt');
  if (overrides !== undefined) checkObject(overrides, 'overrides');
  if (subscriptionKey !== undefined) checkSecret(subscriptionKey, 'subscriptionKey');
  if (perspioTenantId !== undefined) checkText(perspioTenantId, 'perspioTenantId');
}

/** Checks the tokens of an import. @throws {@link ConfigurationError} `ERR_ARGUMENT` @see RFC 6749 appendix A.12 and A.17 */
export function checkTokens({ tokens }: AddOptions): void {
  checkObject(tokens, 'tokens');
  const { refreshToken, accessToken, accessExpiresAt } = tokens;
  checkSecret(refreshToken, 'refreshToken');
  if (accessToken !== undefined) checkSecret(accessToken, 'accessToken');
  if (accessToken !== undefined && accessExpiresAt === undefined) {
    throw wrongArgument('accessExpiresAt is missing; without it give the refresh token alone');
  }
  checkInstant(accessExpiresAt, 'accessExpiresAt');
}

/** Checks an instant that may be left out. @throws {@link ConfigurationError} `ERR_ARGUMENT` when it is none that a calendar has. */
export function checkInstant(at: number | undefined, option: string): void {
  if (at === undefined || (typeof at === 'number' && Math.abs(at) <= LAST_INSTANT)) return;
  throw wrongArgument(`${option} is no instant; give epoch milliseconds`);
}

function checkSecret(input: SecretInput, option: string): void {
  checkText(secretOf(input, option).reveal(), option);
}

function checkText(value: unknown, option: string): void {
  if (value === undefined) throw wrongArgument(`${option} is missing`);
  const fault = faultOf(value);
  if (fault !== undefined) throw wrongArgument(`${option} ${fault}; give it again, alone`);
}

function faultOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'is no string';
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return undefined;
  if (/[\r\n]/.test(value)) return 'holds a line break';
  if (/^[ \t]|[ \t]$/.test(value)) return 'begins or ends with a space';
  if (/\p{Cc}/u.test(value)) return 'holds a control character';
  return value === '' ? 'is empty' : 'holds a character that is not ASCII';
}
