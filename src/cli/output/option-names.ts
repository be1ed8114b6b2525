/*
 * The library and the daemon name what is wrong as their callers write it, a member of an object; at the command line the same thing is an option.
 */

/** Members that are an option under another name than their own; a secret is never one itself. */
const NAMES: Readonly<Record<string, string>> = {
  accessExpiresAt: '--access-token-expires',
  accessToken: 'the access token',
  'api.base': '--api-origin',
  'api.origins': '--api-origin',
  authorizationEndpoint: '--authorization-endpoint',
  clientId: '--client-id',
  clientSecret: 'the client secret',
  clientSecretExpiresAt: '--client-secret-expires',
  deviceAuthorizationEndpoint: '--device-authorization-endpoint',
  entraTenantId: '--entra-tenant',
  graceMs: '--grace',
  idleLimitMs: '--idle-limit',
  insecureLoopback: '--insecure-loopback',
  jwksUri: '--jwks-uri',
  perspioTenantId: '--perspio-tenant',
  redirectPort: '--redirect-port',
  redirectUri: '--redirect-uri',
  refreshToken: 'the refresh token',
  revocationEndpoint: '--revocation-endpoint',
  subscriptionKey: 'the subscription key',
  tokenEndpoint: '--token-endpoint',
};

/** Members that no message names by these words alone. */
const PLAIN: Readonly<Record<string, string>> = {
  issuer: '--issuer',
  rotation: '--rotation',
};

const MEMBERS = new RegExp(
  String.raw`(?<![\w."'/-]|named )(?:(?:client|tokens|overrides)\.)?(${Object.keys(NAMES)
    .join('|')
    .replaceAll('.', String.raw`\.`)})(?![\w"'/-]|\.\w)`,
  'g',
);

/** Members whose names are words of every day: options only where such a message has them. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^the body is wrong: /, ''],
  [/(?<=^|: |; |\bor )issuer(?= is | must | holds | does | to )/g, '--issuer'],
  [/^scope(?= holds )/, '--scope'],
  [/(?<=^|; )(life|scope)(?= must | is )/g, '--$1'],
  [/^client authentication(?= \w+ needs )/, '--client-auth'],
];

/** The option that sets a member of the library's `overrides`; the member's own name where none does. */
export function optionNameOf(member: string): string {
  return NAMES[member] ?? PLAIN[member] ?? member;
}

/** A message with the options of the command line in place of the members of the library and of the daemon's API. */
export function inOptionNames(message: string): string {
  const named = message.replace(MEMBERS, (_, member: string) => NAMES[member] ?? member);
  return WORDS.reduce((text, [word, option]) => text.replace(word, option), named);
}
