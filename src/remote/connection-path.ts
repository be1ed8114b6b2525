import { NotFoundError } from '../errors.ts';

/** What no address can name: nothing at all, as of a variable that is not set, and the dots that lead elsewhere. */
const NO_SEGMENTS: ReadonlySet<string> = new Set(['', '.', '..']);

/**
 * A name as a segment of the daemon's addresses.
 *
 * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN` for one that no address has room for; no connection has such a name.
 */
export function segmentOf(name: string): string {
  if (!NO_SEGMENTS.has(name)) return encodeURIComponent(name);
  const what = name === '' ? 'whose name is empty' : `named ${name}`;
  throw new NotFoundError(
    'ERR_CONNECTION_UNKNOWN',
    `there is no connection ${what}; evergrant list shows those there are`,
    { connection: name },
  );
}
