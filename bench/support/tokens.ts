/*
 * Tokens as long as those of Microsoft Entra ID: an access token is a signed JWT with a dozen claims, a refresh token is opaque.
 */

const ACCESS_TOKEN_CHARACTERS = 1_500;
const REFRESH_TOKEN_CHARACTERS = 1_000;

/** The access token of this number. */
export function accessToken(number: number): string {
  return `at-${String(number)}-`.padEnd(ACCESS_TOKEN_CHARACTERS, 'eyJ0eXAiOiJKV1Qi');
}

/** The refresh token of this number. */
export function refreshToken(number: number): string {
  return `rt-${String(number)}-`.padEnd(REFRESH_TOKEN_CHARACTERS, '1.AUsAypUdYvK0');
}
