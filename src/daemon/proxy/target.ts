import { ConfigurationError } from '../../errors.ts';
import { apiFolder, resolveApiUrl, type ApiPlace } from '../../resource/origins.ts';
import { checkPath, checkQuery } from './path.ts';

/*
 * Where a request to the proxy leads. `/proxy/NAME/assets/v3/` is relative to the API's base; `/proxy/NAME/https://host/assets/v3/` names one of
 * its origins. What any two readers could understand differently is refused, never mended, and what was checked is sent to the letter.
 */

/** What a request line asks for. */
export interface ProxyTarget {
  /** Name of the connection. */
  readonly connection: string;
  /** What follows the name and its slash: `https://host/path?query`, or `path?query`. */
  readonly rest: string;
}

/** Where a request goes. */
export interface Destination {
  /** The address. */
  readonly url: URL;
  /** Its path and query, as they are sent. */
  readonly path: string;
  /** Its path decoded, without query: what policies are about. */
  readonly plainPath: string;
}

/** The address under which the proxy is reached. */
export const PROXY_PATH = '/proxy/';

const LONGEST = 8_192;

/**
 * Reads the target of a request line.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` when it is none of the proxy.
 */
export function readTarget(target: string): ProxyTarget {
  const [, name = '', rest] = /^\/proxy\/([^/?#]+)\/(.*)$/s.exec(target) ?? [];
  if (rest === undefined || target.length > LONGEST || !/^[\x21-\x7e]+$/.test(target))
    throw refusal('the target has the form /proxy/NAME/path, in at most 8192 visible characters');
  return { connection: decodeName(name), rest };
}

/**
 * Finds out where a target leads.
 *
 * @throws {@link ConfigurationError} `ERR_ORIGIN_NOT_ALLOWED` when it may not be sent the access token, `ERR_ARGUMENT` when it can be
 * understood in two ways.
 */
export function resolveTarget({ rest }: ProxyTarget, api: ApiPlace | undefined): Destination {
  if (api === undefined)
    throw refusal('the provider of this connection names no API; give it one in the overrides');
  const [, authority, below] = /^(https?:\/\/[^/?]*)(.*)$/s.exec(rest) ?? [];
  const base = new URL(api.base);
  const [path, query] = splitQuery(below ?? `/${rest}`);
  const folder = authority === undefined ? apiFolder(api) : '';
  const plainPath = checkPath(path);
  checkQuery(query);
  if (authority !== undefined) checkAuthority(authority);
  const sent = `${folder}${path}` === '' ? '/' : `${folder}${path}`;
  const url = resolveApiUrl(`${authority ?? base.origin}${sent}${query}`, api);
  if (isMended(url, { authority, path: sent, query }))
    throw refusal('the target is not written as it would be sent; write it out');
  const plain = `${decodeURI(folder)}${plainPath}`;
  return { url, path: sent + query, plainPath: plain === '' ? '/' : plain };
}

/** Whether the parser made something else of an address. What it made was not what was checked. */
function isMended(
  url: URL,
  given: { readonly authority: string | undefined; readonly path: string; readonly query: string },
): boolean {
  const { authority, path, query } = given;
  const written = authority?.replace(/:\d+$/, '') ?? `${url.protocol}//${url.hostname}`;
  // An apostrophe is good as it is.
  const search = query === '?' ? '' : query.replaceAll("'", '%27');
  return (
    `${url.protocol}//${url.hostname}` !== written || url.pathname !== path || url.search !== search
  );
}

/** The target under which the proxy reaches an address; undefined when it does not. */
export function targetOf(
  connection: string,
  url: URL,
  api: ApiPlace | undefined,
): string | undefined {
  const target = `${PROXY_PATH}${encodeURIComponent(connection)}/${url.origin}${url.pathname}${url.search}`;
  try {
    resolveTarget(readTarget(target), api);
    return target;
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw refusal('the name of the connection is not well encoded');
  }
}

/** A host and perhaps a port: no credentials, nothing encoded, no spelling that a parser would mend. */
function checkAuthority(authority: string): void {
  const host = authority.replace(/^https?:\/\//, '');
  if (host.includes('@')) throw refusal('the address holds credentials; remove them');
  if (!/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.test(host))
    throw refusal('the host of the target is not plainly written, in lower case');
}

function splitQuery(text: string): readonly [string, string] {
  const at = text.indexOf('?');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

function refusal(message: string): ConfigurationError {
  return new ConfigurationError('ERR_ARGUMENT', message);
}
