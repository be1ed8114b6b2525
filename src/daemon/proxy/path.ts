import { sabotaged } from '#failpoints';
import { ConfigurationError } from '../../errors.ts';

/*
 * Paths that every server understands in the same way. An encoded slash, a dot segment behind any encoding, a backslash or an empty segment lead
 * elsewhere at some server than the one who compares paths would think.
 */

const PATH = /^(?:\/(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*$/;
const QUERY = /^(?:\?[\x21\x24-\x3b\x3d\x3f-\x5b\x5d-\x5f\x61-\x7e]*)?$/;
const ESCAPE = /%[0-9A-Fa-f]{2}/;
const CONTROL = /[\p{Cc}/\\]/u;

/**
 * Checks a path, empty or beginning with a slash, still encoded.
 *
 * @returns it decoded.
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` when servers could understand it in different ways.
 */
export function checkPath(path: string): string {
  if (!PATH.test(path)) throw refusal('holds characters that must be encoded');
  const [, ...segments] = path.split('/');
  const decoded = segments.map(decode);
  for (const [i, segment] of decoded.entries()) {
    const isLast = i === decoded.length - 1;
    if (segment === '' && !isLast) throw refusal('has an empty segment');
    if (!sabotaged('proxy-path')) checkSegment(segment);
  }
  return decoded.map((segment) => `/${segment}`).join('');
}

/**
 * Checks a query with its question mark, or nothing.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` when it holds what must be encoded.
 */
export function checkQuery(query: string): void {
  if (!QUERY.test(query)) throw refusal('has a query with characters that must be encoded');
}

function checkSegment(segment: string): void {
  if (ESCAPE.test(segment)) throw refusal('is encoded twice');
  // Some servers fold wide forms, or cut parameters off, before they look for dots and slashes.
  const folded = segment.normalize('NFKC');
  if (CONTROL.test(folded)) throw refusal('has an encoded slash, backslash or control character');
  const [name = ''] = folded.split(';');
  if (/^\.{1,2}$/.test(name.trim())) throw refusal('has a dot segment');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw refusal('is not encoded UTF-8');
  }
}

function refusal(fault: string): ConfigurationError {
  return new ConfigurationError('ERR_ARGUMENT', `the path of the target ${fault}`);
}
