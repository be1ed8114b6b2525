import { ConfigurationError } from '../errors.ts';
import type { Provider } from '../providers/provider.ts';

/** Where calls may go. */
export type ApiPlace = Pick<NonNullable<Provider['api']>, 'origins' | 'base'>;

/**
 * The whole address of a call. A relative one is below the API's base, whether it begins with a slash or not. Origins are compared after parsing, so that no spelling
 * of an address leads elsewhere than it seems.
 *
 * @throws {@link ConfigurationError} `ERR_ORIGIN_NOT_ALLOWED` when it leads to an origin that may not be sent the access token,
 * `ERR_ARGUMENT` when it is no address, or holds credentials.
 */
export function resolveApiUrl(input: string | URL, place: ApiPlace | undefined): URL {
  // A `Request` would turn into the text "[object Request]", which is an address below the base.
  if (typeof input !== 'string' && !(input instanceof URL)) {
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      'the address is neither a string nor a URL; of a Request give its url, and the rest as options',
    );
  }
  const url = URL.parse(below(String(input), place), place?.base);
  if (url === null) {
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      place === undefined
        ? 'the address is not whole, and the provider names no API to complete it'
        : 'the address cannot be read as a URL',
    );
  }
  if (!isListed(url, place)) {
    throw new ConfigurationError(
      'ERR_ORIGIN_NOT_ALLOWED',
      `${shownOrigin(url)} may not be sent this connection's access token; ${allowedOnes(place)}`,
    );
  }
  if (isAllowedOrigin(url, place)) return url;
  throw new ConfigurationError('ERR_ARGUMENT', 'the address holds credentials; remove them');
}

/** The path of the API's base, without what follows its last slash. */
export function apiFolder({ base }: ApiPlace): string {
  const { pathname } = new URL(base);
  return pathname.slice(0, pathname.lastIndexOf('/'));
}

function below(input: string, place: ApiPlace | undefined): string {
  return place !== undefined && /^\/(?![/\\])/.test(input) ? `${apiFolder(place)}${input}` : input;
}

/** Whether an address may be sent the access token: scheme, host and port are on the list, and no credentials are in it. */
export function isAllowedOrigin(url: URL, place: ApiPlace | undefined): boolean {
  return isListed(url, place) && url.username === '' && url.password === '';
}

/** The origin of a `blob:` address is that of the page it belongs to, hence the look at the scheme. */
function isListed(url: URL, place: ApiPlace | undefined): boolean {
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return isWeb && (place?.origins.includes(url.origin) ?? false);
}

function shownOrigin(url: URL): string {
  return /^https?:$/.test(url.protocol)
    ? url.origin
    : `an address that begins with ${url.protocol}`;
}

function allowedOnes(place: ApiPlace | undefined): string {
  const origins = place?.origins ?? [];
  return origins.length === 0
    ? 'give the API its origins in the overrides'
    : `allowed: ${origins.join(', ')}`;
}
