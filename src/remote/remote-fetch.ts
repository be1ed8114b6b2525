import { ConfigurationError } from '../errors.ts';
import { sendWithin } from '../resource/send.ts';
import type { Fetch } from '../system/fetch.ts';
import { segmentOf } from './connection-path.ts';
import { errorOfProblem } from './problem.ts';

/*
 * Calls of an API through the proxy of a daemon, for callers who know `fetch`. The proxy knows the API and its rules; here addresses become
 * its targets, and its own refusals the errors that they tell of.
 */

/** The daemon says with it that an answer is its own, and why; of answers of APIs it is taken out. */
const OWN_ANSWER = 'evergrant-error';
/** Stands for the daemon while addresses are put together; nothing is asked of it. */
const DAEMON = 'http://daemon.invalid';

/**
 * Calls the API of a connection.
 *
 * @param input - an address, relative to the API's base or on one of its origins.
 * @param transport - the way to the daemon; told path and query.
 * @throws the error that the daemon tells of; {@link ConfigurationError} for an address that cannot be meant; the signal's reason when it aborts.
 */
export async function callThroughProxy(
  name: string,
  transport: (target: string, init: RequestInit) => Promise<Response>,
  input: string | URL,
  init: RequestInit = {},
): Promise<Response> {
  const prefix = `/proxy/${segmentOf(name)}/`;
  const send: Fetch = async (address, options = {}) => {
    const { pathname, search } = new URL(address);
    if (!pathname.startsWith(prefix)) throw outside();
    return ownOrNot(await transport(`${pathname}${search}`, options));
  };
  const place = { origins: [DAEMON], base: `${DAEMON}${prefix}` };
  return sendWithin(place, send, new URL(targetOf(prefix, input), DAEMON), init);
}

function targetOf(prefix: string, input: string | URL): string {
  // A `Request` would turn into text that reads like an address below the base.
  if (typeof input !== 'string' && !(input instanceof URL)) {
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      'the address is neither a string nor a URL; of a Request give its url, and the rest as options',
    );
  }
  const whole = URL.parse(String(input));
  if (whole === null) return `${prefix}${String(input).replace(/^\//, '')}`;
  const { protocol, username, password, origin, pathname, search } = whole;
  if (protocol !== 'https:' && protocol !== 'http:') throw outside();
  if (username !== '' || password !== '')
    throw new ConfigurationError('ERR_ARGUMENT', 'the address holds credentials; remove them');
  return `${prefix}${origin}${pathname}${search}`;
}

function outside(): ConfigurationError {
  return new ConfigurationError(
    'ERR_ORIGIN_NOT_ALLOWED',
    'the address leads out of the API of this connection, so it may not be sent the access token',
  );
}

/** An answer of the API as it is, and so is the word that it asked to wait; the daemon's own as the error that it tells of. */
async function ownOrNot(response: Response): Promise<Response> {
  const code = response.headers.get(OWN_ANSWER);
  if (code === null || code === 'ERR_API_THROTTLED') return response;
  const problem: unknown = await response.json().catch(() => undefined);
  throw errorOfProblem(response.status, problem);
}
