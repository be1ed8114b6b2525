import type { AccessToken } from '../access-token.ts';
import { ConfigurationError } from '../errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { Secret } from '../secret.ts';

/** What a connection knows that the API wants in header fields. */
export interface ApiSettings {
  /** The API gateway's key. */
  readonly subscriptionKey?: Secret | undefined;
  /** Perspio's tenant id. */
  readonly perspioTenantId?: string | undefined;
}

/** Name and value. */
type Field = readonly [name: string, value: string];

/** Fields that say who calls and where to: ours to set, never the caller's. */
const OURS = ['authorization', 'proxy-authorization', 'host'];

/**
 * The header fields of a call: the caller's own, the provider's constant ones where the caller gave none, the connection's settings, and
 * the access token.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` when the caller brings credentials of its own, `ERR_CONFIGURATION` when a setting
 * cannot be sent in a header field.
 * @see RFC 6750 section 2.1
 */
export function apiHeaders(
  given: RequestInit['headers'],
  api: Provider['api'],
  settings: ApiSettings,
  token: AccessToken,
): Headers {
  const headers = new Headers(given);
  const foreign = OURS.find((name) => headers.has(name));
  if (foreign !== undefined) {
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      `the header field ${foreign} is set by evergrant; leave it out`,
    );
  }
  for (const [name, value] of constantFields(api)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  for (const [name, value] of credentialFields(api, settings, token)) headers.set(name, value);
  return headers;
}

/** Fields that a call has unless its caller gave others: the provider's constant ones, and JSON asked for. */
export function constantFields(api: Provider['api']): readonly Field[] {
  const fields = Object.entries(api?.headers ?? {}).flatMap(([name, source]): Field[] =>
    'value' in source ? [[name, source.value]] : [],
  );
  return [...fields, ['accept', 'application/json']];
}

/**
 * Fields that say who calls, whatever the caller gave: the connection's settings and the access token.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when one cannot be sent in a header field.
 */
export function credentialFields(
  api: Provider['api'],
  settings: ApiSettings,
  token: AccessToken,
): readonly Field[] {
  const fields: Field[] = [['authorization', checkFieldValue(token.authorization, 'access token')]];
  for (const [name, source] of Object.entries(api?.headers ?? {})) {
    if ('value' in source) continue;
    const setting = settings[source.setting];
    const value = typeof setting === 'string' ? setting : setting?.reveal();
    if (value !== undefined) fields.push([name, checkFieldValue(value, source.setting)]);
  }
  return fields;
}

/** Names of the fields that the connection's settings fill. */
export function settingFields(api: Provider['api']): readonly string[] {
  return Object.entries(api?.headers ?? {}).flatMap(([name, source]) =>
    'setting' in source ? [name] : [],
  );
}

/** `Headers` would repeat a value that it refuses in its error; this check does not. */
function checkFieldValue(value: string, what: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return value;
  throw new ConfigurationError(
    'ERR_CONFIGURATION',
    `the ${what} holds characters that a header field cannot carry; give it again`,
  );
}
