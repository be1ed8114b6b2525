import { ConfigurationError } from '../errors.ts';

/** Where the browser is sent back to: this machine itself. */
export interface Redirect {
  /** Host as it stands in the URI. */
  readonly host: '127.0.0.1' | 'localhost' | '[::1]';
  /** Port; 0 for any free one. */
  readonly port: number;
  /** Path as it stands in the URI, possibly empty. */
  readonly path: string;
}

/**
 * Plans the redirect URI. Servers ignore the port of a loopback address when they compare it with the registered one (Entra: of
 * `localhost` alone), so a URI without a port stands for any free port.
 *
 * @param options - `redirectUri` as registered, or `redirectPort` alone; by default the provider's host, any port and no path.
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` when the URI is not plain http to this machine, or the two disagree.
 * @see RFC 8252 sections 7.3 and 8.3
 */
export function planRedirect(
  loopbackHost: '127.0.0.1' | 'localhost',
  options: {
    readonly redirectUri?: string | undefined;
    readonly redirectPort?: number | undefined;
  },
): Redirect {
  const { redirectUri, redirectPort = 0 } = options;
  if (!Number.isInteger(redirectPort) || redirectPort < 0 || redirectPort > 65_535) {
    throw refusal('redirectPort must be a port number, or 0 for any free port');
  }
  if (redirectUri === undefined) return { host: loopbackHost, port: redirectPort, path: '' };
  const [, host, digits, path = ''] =
    /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(?::(\d{1,5}))?(\/[^?#\s\\]*)?$/.exec(redirectUri) ??
    [];
  if (!isLoopbackHost(host)) {
    throw refusal(
      'redirectUri must be http://127.0.0.1, http://localhost or http://[::1] with an optional port and path',
    );
  }
  const port = digits === undefined ? redirectPort : Number(digits);
  if (port > 65_535) throw refusal('redirectUri has a port above 65535');
  if (redirectPort !== 0 && redirectPort !== port) {
    throw refusal('redirectUri and redirectPort name different ports; leave one of them out');
  }
  return { host, port, path };
}

/** The URI once the port is known. An empty path stays empty, as clients of Entra send it. */
export function redirectUriAt(redirect: Redirect, port: number): string {
  return `http://${redirect.host}:${String(port)}${redirect.path}`;
}

/**
 * Checks a redirect URI that somebody else listens at: what comes there holds a code, so nobody may listen in.
 *
 * @returns the same.
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` unless it is https, or plain http to this machine, without query or fragment.
 * @see RFC 6749 section 3.1.2
 */
export function checkReceived(uri: string): string {
  const url = URL.parse(uri);
  const isPlain = url?.protocol === 'http:' && isLoopbackHost(url.hostname);
  const isWhole =
    url !== null && !/[?#\s\\]/.test(uri) && url.username === '' && url.password === '';
  if (isWhole && (isPlain || url.protocol === 'https:')) return uri;
  throw refusal(
    'the redirect URI must be https, or http to this machine, with no query or fragment',
  );
}

function isLoopbackHost(host: string | undefined): host is Redirect['host'] {
  return host === '127.0.0.1' || host === 'localhost' || host === '[::1]';
}

function refusal(message: string): ConfigurationError {
  return new ConfigurationError('ERR_ARGUMENT', message);
}
