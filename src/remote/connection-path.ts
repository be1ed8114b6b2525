import { NotFoundError } from '../errors.ts';

/**
 * A name as a segment of the daemon's addresses.
 *
 * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN` for the empty one, as of a variable that is not set: no address has room for it.
 */
export function segmentOf(name: string): string {
  if (name !== '') return encodeURIComponent(name);
  throw new NotFoundError(
    'ERR_CONNECTION_UNKNOWN',
    'there is no connection whose name is empty; evergrant list shows those there are',
    { connection: name },
  );
}
