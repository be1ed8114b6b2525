import { failpoint } from '#failpoints';
import { ConfigurationError } from '../errors.ts';
import type { FailedOutcome } from '../oauth/outcome-error.ts';
import type { AnswerDialect, TokenOutcome, TokenRequest } from '../oauth/outcome.ts';
import type { Answer } from '../oauth/answer-members.ts';
import {
  readDeviceAuthorization,
  type DeviceAuthorization,
} from '../oauth/device-authorization.ts';
import { readTokenAnswer } from '../oauth/token-answer.ts';
import { encodeTokenRequest, secretsOf } from '../oauth/token-request.ts';
import {
  HttpConnectError,
  HttpExchangeError,
  type Http,
  type HttpConnection,
} from '../system/http.ts';
import { isLoopback } from '../loopback.ts';

/** Longest answer that is read. */
const MOST_ANSWER_BYTES = 256 * 1024;

/** Options of {@link openTokenEndpoint}. */
export interface OpenOptions {
  /**
   * Take no idle connection but one that is as good as fresh (see {@link Http.atHand}): a stale one looks like a lost answer. Wanted
   * wherever the request uses something up.
   */
  readonly fresh: boolean;
  /** How long DNS, TCP and TLS may take together. */
  readonly connectTimeoutMs: number;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** Allows plain http to this machine itself, for tests. False by default. */
  readonly insecureLoopback?: boolean | undefined;
}

/** Options of {@link OpenTokenEndpoint.send}. */
export interface SendOptions {
  /** How the server's answers deviate from the standard. */
  readonly dialect: AnswerDialect;
  /** How long the whole answer may take. */
  readonly timeoutMs: number;
  /** Wall time in epoch milliseconds, for a `Retry-After` that is a date. */
  readonly now: () => number;
  /** Sent as `client-request-id`, by which a vendor's support finds the request. */
  readonly requestId?: string | undefined;
  /** Ends the exchange; what was sent stays sent. */
  readonly signal?: AbortSignal | undefined;
}

/** A connection to a token endpoint, over which one request may be sent. Nothing has been sent yet. */
export interface OpenTokenEndpoint {
  /** Tells it from the outcome of a failed attempt. */
  readonly kind: 'open';
  /** Sends the request once and names what came of it. Rejects only for a request that cannot be encoded, before sending. */
  send(request: TokenRequest, options: SendOptions): Promise<TokenOutcome>;
  /** Gives the connection up unused. Does nothing after `send`. */
  close(): void;
}

/** The connection could not be made. */
export type NotSent = Extract<TokenOutcome, { readonly kind: 'not_sent' }>;

/**
 * Opens a connection to a token endpoint: the half of an exchange that risks nothing, so that a caller can still write a durable note
 * before the other half.
 *
 * @throws {@link ConfigurationError} when the address is no https URL; a failing network is a value.
 */
export async function openTokenEndpoint(
  http: Http,
  tokenEndpoint: string,
  options: OpenOptions,
): Promise<OpenTokenEndpoint | NotSent> {
  const url = checkTokenEndpoint(tokenEndpoint, options.insecureLoopback);
  const connection = atHand(http, url) ?? (await connect(http, url, options));
  return 'kind' in connection ? connection : opened(connection, url);
}

/** As {@link openTokenEndpoint}, over a connection that is at hand; undefined where none is. @throws likewise. */
export function tokenEndpointAtHand(
  http: Http,
  tokenEndpoint: string,
  { insecureLoopback }: Pick<OpenOptions, 'insecureLoopback'>,
): OpenTokenEndpoint | undefined {
  const url = checkTokenEndpoint(tokenEndpoint, insecureLoopback);
  const connection = atHand(http, url);
  return connection && opened(connection, url);
}

function atHand(http: Http, url: URL): HttpConnection | undefined {
  const connection = http.atHand?.(url);
  if (connection === undefined) return undefined;
  failpoint('before-connect');
  failpoint('after-connect');
  return connection;
}

function opened(connection: HttpConnection, url: URL): OpenTokenEndpoint {
  return {
    kind: 'open',
    send: (request, options) => send(connection, url, request, options),
    close: () => connection.close(),
  };
}

/** Both halves in one, for a request that uses nothing up or whose caller keeps no record. */
export async function exchange(
  http: Http,
  request: TokenRequest,
  options: OpenOptions & SendOptions,
): Promise<TokenOutcome> {
  const opened = await openTokenEndpoint(http, request.tokenEndpoint, options);
  return opened.kind === 'open' ? opened.send(request, options) : opened;
}

/** Asks a device authorization endpoint, which authenticates clients as a token endpoint does. @see RFC 8628 section 3.1 */
export async function requestDeviceAuthorization(
  http: Http,
  request: TokenRequest,
  options: OpenOptions & SendOptions,
): Promise<DeviceAuthorization | FailedOutcome> {
  const url = checkTokenEndpoint(request.tokenEndpoint, options.insecureLoopback);
  const connection = await connect(http, url, options);
  if ('kind' in connection) return connection;
  const answer = await post(connection, url, request, options);
  if ('kind' in answer) return answer;
  return readDeviceAuthorization(answer, options.dialect, options.now(), secretsOf(request));
}

/**
 * Checks the address of a token endpoint.
 *
 * @throws {@link ConfigurationError} unless it is https, or http to this machine where that is allowed, without credentials and fragment.
 * @see RFC 6749 section 3.2
 */
export function checkTokenEndpoint(tokenEndpoint: string, insecureLoopback = false): URL {
  const refuse = (fault: string): never => {
    throw new ConfigurationError('ERR_CONFIGURATION', `the token endpoint ${fault}`);
  };
  const url = URL.parse(tokenEndpoint) ?? refuse('is not a URL; give it whole, with https://');
  if (url.username !== '' || url.password !== '')
    refuse('holds credentials; give them as client id and secret');
  if (url.hash !== '') refuse('holds a fragment; remove everything from the # on');
  if (url.protocol === 'https:') return url;
  if (url.protocol !== 'http:') refuse(`begins with ${url.protocol}; only https is safe`);
  if (!isLoopback(url.hostname)) refuse(`is plain http to ${url.hostname}; only https is safe`);
  if (!insecureLoopback) refuse('is plain http; allow that by insecureLoopback, for tests only');
  return url;
}

async function connect(
  http: Http,
  url: URL,
  { fresh, connectTimeoutMs: timeoutMs, signal }: OpenOptions,
): Promise<HttpConnection | NotSent> {
  failpoint('before-connect');
  try {
    const connection = await http.connect(url, { fresh, timeoutMs, signal });
    failpoint('after-connect');
    return connection;
  } catch (error) {
    if (error instanceof HttpConnectError) return { kind: 'not_sent', reason: error.message };
    throw error;
  }
}

async function send(
  connection: HttpConnection,
  url: URL,
  request: TokenRequest,
  options: SendOptions,
): Promise<TokenOutcome> {
  const answer = await post(connection, url, request, options);
  if ('kind' in answer) return answer;
  return readTokenAnswer(answer, options.dialect, options.now(), secretsOf(request));
}

/** Posts the form once; rejects only before anything was sent, for a request that cannot be encoded. */
async function post(
  connection: HttpConnection,
  url: URL,
  request: TokenRequest,
  options: SendOptions,
): Promise<Answer | FailedOutcome> {
  const { requestId, timeoutMs, signal } = options;
  try {
    if (!isAddressOf(url, request.tokenEndpoint)) throw otherEndpoint();
    const { headers, body } = encodeTokenRequest(request);
    const id = requestId !== undefined && { 'client-request-id': requestId };
    const response = await connection.send(
      { method: 'POST', headers: { ...headers, ...id }, body },
      { timeoutMs, maxBytes: MOST_ANSWER_BYTES, signal, onSent: () => failpoint('after-send') },
    );
    failpoint('full-answer');
    return response;
  } catch (error) {
    connection.close();
    return brokenExchange(error);
  }
}

function isAddressOf(url: URL, tokenEndpoint: string): boolean {
  return tokenEndpoint === url.href || URL.parse(tokenEndpoint)?.href === url.href;
}

function otherEndpoint(): ConfigurationError {
  const message = 'the request names another token endpoint than the one connected to';
  return new ConfigurationError('ERR_CONFIGURATION', message);
}

function brokenExchange(error: unknown): FailedOutcome {
  if (error instanceof HttpConnectError) return { kind: 'not_sent', reason: error.message };
  if (!(error instanceof HttpExchangeError)) throw error;
  const { status, partial: body, message: reason } = error;
  const outcome = { kind: 'ambiguous', reason, status, retryAfterMs: undefined, body } as const;
  return body === undefined ? outcome : { ...outcome, answer: 'cut' };
}
