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
  for (const [name, source] of Object.entries(api?.headers ?? {})) {
    if ('value' in source) {
      if (!headers.has(name)) headers.set(name, source.value);
      continue;
    }
    const setting = settings[source.setting];
    const value = typeof setting === 'string' ? setting : setting?.reveal();
    if (value !== undefined) headers.set(name, checkFieldValue(value, source.setting));
  }
  if (!headers.has('accept')) headers.set('accept', 'application/json');
  headers.set('authorization', checkFieldValue(token.authorization, 'access token'));
  return headers;
}

/** `Headers` would repeat a value that it refuses in its error; this check does not. */
function checkFieldValue(value: string, what: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return value;
  throw new ConfigurationError(
    'ERR_CONFIGURATION',
    `the ${what} holds characters that a header field cannot carry; give it again`,
  );
}
